"""Keep two promises of the architecture: who reads the environment, and who opens a private key.

`python -m tools.check_sources`. Which package may import which is import-linter's part (`pyproject.toml`).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("audit", "certauthority", "config", "connect", "gateway", "kmp", "portal")
ENVIRONMENT_READERS = ("config/",)
KEY_OPENERS = ("certauthority/signers.py",)
ENVIRONMENT_NAMES = {"environ", "environb", "getenv", "getenvb"}
KEY_NAMES = {
    "load_pem_private_key",
    "load_der_private_key",
    "load_ssh_private_key",
    "load_key_and_certificates",
    "load_pkcs12",
}


def check_source(text: str, path: str) -> Iterator[tuple[int, str]]:
    """What a module does that is another's part: pairs of line and sentence. `path` is relative to the project."""
    for node in ast.walk(ast.parse(text)):
        names = set(_names(node))
        line = getattr(node, "lineno", 0)
        if names & ENVIRONMENT_NAMES and not path.startswith(ENVIRONMENT_READERS):
            yield line, "Only config/ reads the environment; take the value from the settings."
        if names & KEY_NAMES and path not in KEY_OPENERS:
            yield line, "Only certauthority/signers.py opens private keys."


def _names(node: ast.AST) -> Iterator[str]:
    """Names by which a node reaches into another module: an attribute's or an imported one."""
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.ImportFrom):
        yield from (alias.name for alias in node.names)


def main() -> int:
    """Print what is wrong, one line each; 1 where anything is."""
    files = sorted(file for package in PACKAGES for file in ROOT.glob(f"{package}/**/*.py"))
    count = 0
    for file in files:
        path = file.relative_to(ROOT).as_posix()
        for line, sentence in check_source(file.read_text(encoding="utf-8"), path):
            count += 1
            sys.stdout.write(f"{path}:{line}: {sentence}\n")
    sys.stdout.write(f"sources: {len(files)} files, {count} problems\n")
    return 1 if count or not files else 0


if __name__ == "__main__":
    sys.exit(main())
