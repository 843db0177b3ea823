"""Run the whole suite in two processes; the few tests that fail in them get one more run, alone.

The suite starts browsers, servers, brokers and workers by the hundred, and on a machine with two cores each waits for
those of its neighbour. docs/decisions/0016-second-run.md says what this is for, and what it is not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

# More failures than these are no accident, and there is no second run.
MOST_AGAIN = 3
BESIDE_OTHERS = ("--numprocesses", "2", "--dist", "worksteal")


def main(arguments: list[str]) -> int:
    """pytest's exit code for these arguments: that of the second run where there was one."""
    with tempfile.TemporaryDirectory() as cache:
        code = _pytest(*BESIDE_OTHERS, "-o", f"cache_dir={cache}", *arguments)
        failed = _failed_in(Path(cache))
    if code != pytest.ExitCode.TESTS_FAILED or not 0 < len(failed) <= MOST_AGAIN:
        return code
    print("These failed, and are run again, alone:", *failed, sep="\n  ", flush=True)
    code = _pytest(*failed)
    if code == pytest.ExitCode.OK:
        print("These failed beside others and passed alone. Find out why:", *failed, sep="\n  ", flush=True)
    return code


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def _failed_in(cache: Path) -> list[str]:
    """The tests that failed, as pytest names them; none where it came to run no test."""
    kept = cache / "v" / "cache" / "lastfailed"
    return sorted(json.loads(kept.read_text())) if kept.is_file() else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
