"""The commands that make a CSR, as pages show them: named by their tool, with the person's own part set off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .csr import ParsedCsr
from .csr_rules import CsrJudgement
from .keys import KeyType
from .request_commands import RequestCommand, corrected_command, file_name, request_commands
from .subject_rules import SubjectRules
from .verdicts import Verdict, broken

_DUPLICATE = "dn.duplicate"


@dataclass(frozen=True, slots=True)
class ReadyCommand:
    """A command with its tool's name. ``mark`` is the part of ``text`` to set off."""

    label: str
    text: str
    mark: str
    key_file: str
    csr_file: str


def unique_part(now: datetime) -> str:
    """The unique part of an example common name: seconds since 1970."""
    return str(int(now.timestamp()))


def ready_commands(
    requirement: SubjectRules, *, alias: str, unique: str, key_type: KeyType | None = None
) -> tuple[ReadyCommand, ...]:
    """For every tool, the usual one first. ``unique`` begins the common name (advised: seconds since 1970).

    Files are named after the alias, or without one after what the certificate is for, so that no command overwrites an
    older key.
    """
    name = alias or default_name(requirement, unique=unique)
    commands = request_commands(requirement, alias=name, unique=unique, key_type=key_type)
    return tuple(_ready(command, requirement, unique) for command in commands)


def corrected_commands(
    csr: ParsedCsr,
    verdicts: Iterable[Verdict],
    requirement: SubjectRules,
    *,
    alias: str,
    unique: str,
) -> tuple[ReadyCommand, ...]:
    """What makes a refused CSR right: openssl with the same key unless the key is refused, then the other tools."""
    name = alias or default_name(requirement, unique=unique)
    verdicts = tuple(verdicts)
    commands = {command.id: command for command in request_commands(requirement, alias=name, unique=unique)}
    ids = {verdict.id for verdict in broken(verdicts)}
    if _DUPLICATE in ids and not any(rule.startswith("key.") or rule == "csr.signature" for rule in ids):
        # The common name fits its pattern, and still it is the one that has to change.
        first = commands["openssl-existing-key"]
    else:
        first = corrected_command(CsrJudgement(csr, verdicts), requirement, alias=name, unique=unique)
    others = [command for command in commands.values() if not command.id.startswith("openssl")]
    return tuple(_ready(command, requirement, unique) for command in (first, *others))


def default_name(requirement: SubjectRules, *, unique: str) -> str:
    """A file name for who has not chosen one yet, another one every second."""
    return file_name(f"{requirement.file_stem}-{unique}".lower())


def _ready(command: RequestCommand, requirement: SubjectRules, unique: str) -> ReadyCommand:
    mark = requirement.example_common_name(unique)
    return ReadyCommand(command.title, command.text, mark, command.key_file, command.csr_file)
