"""Keep promises of the architecture: who reads the environment, who opens a private key, what scripts may not do.

`python -m tools.check_sources`. Which package may import which is import-linter's part (`pyproject.toml`).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("audit", "certauthority", "config", "connect", "gateway", "kmp", "portal")
ENVIRONMENT_READERS = ("config/",)
KEY_OPENERS = ("certauthority/signers/key_files.py",)
ENVIRONMENT_NAMES = {"environ", "environb", "getenv", "getenvb"}
KEY_NAMES = {
    "load_pem_private_key",
    "load_der_private_key",
    "load_ssh_private_key",
    "load_key_and_certificates",
    "load_pkcs12",
}
# Beside a private key and a password: nothing is written where others may read it, nothing is made from text.
BANNED_IN_SCRIPTS = {
    re.compile(r"\bconsole\."): "What stands in the console is kept by nobody's choice; show it on the page.",
    re.compile(r"\b(localStorage|sessionStorage|cookie)\b"): "Only browser/copies.js keeps anything, in IndexedDB.",
    re.compile(
        r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write)\b"
    ): "Set textContent, or clone a template.",
    re.compile(r"\b(eval|Function)\s*\("): "The content security policy forbids code made from text.",
    re.compile(r"://[\w.-]+\.\w"): "The page talks to its own site only; name no other address.",
}
LONGEST_SCRIPT = 300


def check_source(text: str, path: str) -> Iterator[tuple[int, str]]:
    """What a module does that is another's part: pairs of line and sentence. `path` is relative to the project."""
    for node in ast.walk(ast.parse(text)):
        names = set(_names(node))
        line = getattr(node, "lineno", 0)
        if names & ENVIRONMENT_NAMES and not path.startswith(ENVIRONMENT_READERS):
            yield line, "Only config/ reads the environment; take the value from the settings."
        if names & KEY_NAMES and path not in KEY_OPENERS:
            yield line, "Only certauthority/signers/key_files.py opens private keys."


def check_script(text: str) -> Iterator[tuple[int, str]]:
    """What a module of browser/ must not do: pairs of line and sentence."""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        for pattern, sentence in BANNED_IN_SCRIPTS.items():
            if pattern.search(line):
                yield number, sentence
    if len(lines) > LONGEST_SCRIPT:
        yield LONGEST_SCRIPT + 1, f"A file has at most {LONGEST_SCRIPT} lines; split it."


def _names(node: ast.AST) -> Iterator[str]:
    """Names by which a node reaches into another module: an attribute's or an imported one."""
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.ImportFrom):
        yield from (alias.name for alias in node.names)


def _problems(files: list[Path]) -> Iterator[str]:
    for file in files:
        path, text = file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")
        found = check_source(text, path) if file.suffix == ".py" else check_script(text)
        for line, sentence in found:
            yield f"{path}:{line}: {sentence}"


def main() -> int:
    """Print what is wrong, one line each; 1 where anything is."""
    python = [file for package in PACKAGES for file in ROOT.glob(f"{package}/**/*.py")]
    scripts = list(ROOT.glob("browser/*.js"))
    problems = list(_problems(sorted(python + scripts)))
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"sources: {len(python)} modules, {len(scripts)} scripts, {len(problems)} problems\n")
    return 1 if problems or not python or not scripts else 0


if __name__ == "__main__":
    sys.exit(main())
