"""What the inspect commands print: the pages' judgement, as text or JSON, with an exit code."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from certauthority.x509.keys import PublicKeyFacts
from certauthority.x509.verdicts import Verdict

NOT_ACCEPTABLE = 1
FAILED = 2


class InspectionCommand(ABC, BaseCommand):
    """Base of the inspect commands: exit 0 where acceptable, 1 where not, 2 for anything else that goes wrong."""

    requires_system_checks: list[str] = []
    max_bytes: int

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="PEM or DER; - reads standard input")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, file: str, json: bool, **options: Any) -> None:
        try:
            acceptable, verdicts, facts = self.judge(self.read(file), **options)
        except CommandError as error:
            error.returncode = FAILED
            raise
        except Exception as error:
            raise CommandError(f"The inspection failed: {type(error).__name__}: {error}", returncode=FAILED) from error
        self.show(acceptable, verdicts, facts, as_json=json)
        if not acceptable:
            sys.exit(NOT_ACCEPTABLE)

    @abstractmethod
    def judge(self, data: bytes, **options: Any) -> tuple[bool, tuple[Verdict, ...], dict[str, Any]]:
        """Whether the input is acceptable, every rule's verdict, and what was read. Raises ``CommandError``."""

    def read(self, file: str) -> bytes:
        """The file's bytes, one more than the limit at most: enough to be refused as too large."""
        try:
            if file == "-":
                return sys.stdin.buffer.read(self.max_bytes + 1)
            with Path(file).open("rb") as stream:
                return stream.read(self.max_bytes + 1)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error

    def show(self, acceptable: bool, verdicts: tuple[Verdict, ...], facts: Mapping[str, Any], *, as_json: bool) -> None:
        """Print the judgement."""
        if as_json:
            rules = [
                {"id": v.id, "ok": v.ok, "kind": v.kind, "found": v.found, "wanted": v.wanted, "source": v.source}
                for v in verdicts
            ]
            self.stdout.write(json.dumps({"acceptable": acceptable, "rules": rules, **facts}, indent=2))
            return
        for verdict in verdicts:
            self.stdout.write(_line(verdict))
        self.stdout.write("Acceptable." if acceptable else "Not acceptable.")


def key_facts(key: PublicKeyFacts) -> dict[str, str]:
    """A public key for JSON."""
    return {"description": key.description, "sha256": key.fingerprint}


def _line(verdict: Verdict) -> str:
    mark = "note" if verdict.kind == "note" else "kept" if verdict.ok else "BROKEN"
    text = f"{mark:7}{verdict.id:28}{_printable(verdict.title)}"
    if verdict.found:
        text += f"\n{'':35}found:  {_printable(verdict.found)}"
    if verdict.wanted and not verdict.ok:
        text += f"\n{'':35}wanted: {_printable(verdict.wanted)}"
    return text


def _printable(text: str) -> str:
    """No control or bidirectional character of a hostile file reaches the terminal."""
    return "".join(character if character.isprintable() else f"U+{ord(character):04X}" for character in text)
