"""Look for known vulnerabilities in the pinned libraries, where pip-audit can reach its data.

`python -m tools.audit_pins`. pip-audit says "No known vulnerabilities found" and exits with 0 also when it could look
nothing up; here that is told apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIMIT_SECONDS = 120


def judge(report: dict[str, Any]) -> tuple[int, list[str]]:
    """The exit code and the lines to print for what pip-audit reported as JSON."""
    libraries = report["dependencies"]
    not_looked_up = [library for library in libraries if "skip_reason" in library]
    lines = [
        f"{library['name']} {library['version']}: {finding['id']}, "
        f"fixed in {', '.join(finding['fix_versions']) or 'no version'}"
        for library in libraries
        for finding in library.get("vulns", [])
    ]
    if lines:
        return 1, [*lines, f"audit: {len(lines)} known vulnerabilities. Raise the versions and run make lock."]
    if not_looked_up:
        share = f"{len(not_looked_up)} of {len(libraries)}"
        return 0, [f"audit: {share} libraries could not be looked up; nothing is known about those."]
    return 0, [f"audit: no known vulnerability in {len(libraries)} libraries"]


def main() -> int:
    """Print what was found, or that nothing could be looked up; 1 where a vulnerability is known."""
    command = [sys.executable, "-m", "pip_audit", "-r", "requirements-dev.txt", "--disable-pip", "--require-hashes"]
    try:
        done = subprocess.run(
            [*command, "--progress-spinner", "off", "--format", "json"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        code, lines = judge(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        code, lines = 0, ["audit: pip-audit could not reach its data; known vulnerabilities were not looked for."]
    for line in lines:
        sys.stdout.write(f"{line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
