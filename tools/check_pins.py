"""See, without a network, that the pinned libraries are those which `pyproject.toml` and `package.json` ask for.

`python -m tools.check_pins`: every library has a pin that fits, every pin has hashes, nothing names an address, and
what the tests install is what the site installs, and more.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?P<rest>.*)$")
EXACT_VERSION = re.compile(r"\d+\.\d+\.\d+")
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


def check_packages(package: dict[str, Any], lock: dict[str, Any]) -> list[str]:
    """Sentences about the libraries of the browser's code: `package.json` and `package-lock.json` as they were read."""
    entries: dict[str, dict[str, Any]] = dict(lock["packages"])
    root = entries.pop("", {})
    problems = []
    for kind in ("dependencies", "devDependencies"):
        wanted: dict[str, str] = package.get(kind, {})
        if root.get(kind, {}) != wanted:
            problems.append(f"package-lock.json is not that of the {kind} in package.json. Run make lock.")
        problems += [
            f"package.json asks for {name} {version}; name one exact version."
            for name, version in wanted.items()
            if not EXACT_VERSION.fullmatch(version)
        ]
    for path, entry in entries.items():
        if not str(entry.get("integrity", "")).startswith("sha512-"):
            problems.append(f"package-lock.json: {path} has no SHA-512.")
        if "resolved" in entry or "://" in json.dumps(entry):
            problems.append(f"package-lock.json names an address for {path}; pins name none.")
    return problems


def main() -> int:
    """Print what is wrong, one line each; 1 where anything is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    site, development = ((ROOT / f).read_text(encoding="utf-8") for f in ("requirements.txt", "requirements-dev.txt"))
    package, lock = (json.loads((ROOT / f).read_text(encoding="utf-8")) for f in ("package.json", "package-lock.json"))
    problems = check_project(project, site, development) + check_packages(package, lock)
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    count = len(read_pins(development)) + len(lock["packages"]) - 1
    sys.stdout.write(f"pins: {count} libraries, {len(problems)} problems\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
