"""See, without a network, that the pinned requirements are those which `pyproject.toml` asks for.

`python -m tools.check_pins`: every library has a pin that fits, every pin has hashes, nothing names an address, and
what the tests install is what the site installs, and more.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?P<rest>.*)$")
ADDRESS = re.compile(r"://|^\s*(-i|--index-url|--extra-index-url|--find-links|--trusted-host)\b", re.MULTILINE)


def read_pins(text: str) -> dict[str, str]:
    """Name and version of every pin, the names in their canonical form."""
    return {
        canonicalize_name(match["name"]): match["version"]
        for line in text.splitlines()
        if (match := PIN.match(line)) is not None
    }


def check_file(name: str, text: str, wanted: list[str]) -> list[str]:
    """Sentences about one requirements file; `wanted` are the requirements that it has to fit."""
    pins = read_pins(text)
    problems = [f"{name} names an address; pins name none."] if ADDRESS.search(text) else []
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    problems += [
        f"{name}: {block.split(maxsplit=1)[0]} has no hash." for block in blocks if "--hash=sha256:" not in block
    ]
    for line in wanted:
        requirement = Requirement(line)
        version = pins.get(canonicalize_name(requirement.name))
        if version is None:
            problems.append(f"{name} has no pin for {requirement.name}. Run make lock.")
        elif not requirement.specifier.contains(version, prereleases=True):
            problems.append(
                f"{name} pins {requirement.name} {version}, but pyproject.toml asks for {requirement}. Run make lock."
            )
    return problems


def check_project(project: dict[str, Any], site: str, development: str) -> list[str]:
    """Sentences about both files together with the project's description."""
    libraries = list(project["project"]["dependencies"])
    tools = list(project["dependency-groups"]["dev"])
    problems = check_file("requirements.txt", site, libraries)
    problems += check_file("requirements-dev.txt", development, libraries + tools)
    also = read_pins(development)
    for name, version in read_pins(site).items():
        if also.get(name) != version:
            other = also.get(name, "nothing")
            problems.append(f"requirements.txt pins {name} {version}, requirements-dev.txt {other}. Run make lock.")
    return problems


def main() -> int:
    """Print what is wrong, one line each; 1 where anything is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    site, development = ((ROOT / f).read_text(encoding="utf-8") for f in ("requirements.txt", "requirements-dev.txt"))
    problems = check_project(project, site, development)
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"pins: {len(read_pins(development))} libraries, {len(problems)} problems\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
