"""What officers read about the requirements of each application: in words, as a table, and as commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from certauthority.x509.attribute_kinds import UNIQUE_IN_WORDS, WantedValue
from certauthority.x509.attribute_rules import TITLES, AttributeKind, DnRules
from certauthority.x509.errors import ProfileError
from certauthority.x509.ready_commands import ReadyCommand, ready_commands
from connect.models import Company
from kmp.dn_requirements import rules_of, sample_rules_of
from kmp.models import Application, DnRequirement

KINDS_IN_WORDS = {
    AttributeKind.FIXED: "Always the same",
    AttributeKind.PATTERN: "A pattern",
    AttributeKind.COMPANY: "The company’s own",
    AttributeKind.FREE: "Free, and the same in every renewal",
    AttributeKind.FORBIDDEN: "Not used",
}


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """One attribute with the company's values. ``value`` has ``<unique>`` in it; it is empty where there is none."""

    label: str
    title: str
    rule: str
    value: str
    is_optional: bool
    max_length: int


@dataclass(frozen=True, slots=True)
class ShownRequirement:
    """One environment of an application. ``problem`` is why the company cannot request there, if it cannot."""

    requirement: DnRequirement
    sentences: tuple[str, ...] = ()
    rows: tuple[AttributeRow, ...] = ()
    key_types: tuple[str, ...] = ()
    commands: tuple[ReadyCommand, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ShownApplication:
    """An application with its environments."""

    application: Application
    environments: tuple[ShownRequirement, ...]


def applications_shown(*, company: Company | None, unique: str) -> tuple[ShownApplication, ...]:
    """Every application, by name; with the values of a company that does not exist where there is none."""
    applications = Application.objects.prefetch_related("requirements__attributes").order_by("name")
    return tuple(
        ShownApplication(
            application,
            tuple(_with_application(row, application, company, unique) for row in application.requirements.all()),
        )
        for application in applications
    )


def requirement_shown(requirement: DnRequirement, *, company: Company | None, unique: str) -> ShownRequirement:
    """One requirement with a company's values, or with those of a company that does not exist."""
    try:
        rules = rules_of(requirement, company) if company else sample_rules_of(requirement)
        commands = ready_commands(rules, alias="", unique=unique)
    except ProfileError as error:
        return ShownRequirement(requirement, problem=str(error))
    return ShownRequirement(
        requirement,
        sentences=_sentences(rules),
        rows=tuple(_row(wanted) for wanted in rules.wanted),
        key_types=rules.key_types,
        commands=commands,
    )


def _with_application(
    requirement: DnRequirement, application: Application, company: Company | None, unique: str
) -> ShownRequirement:
    requirement.application = application  # The very one, so that it is not fetched once more.
    return requirement_shown(requirement, company=company, unique=unique)


def _row(wanted: WantedValue) -> AttributeRow:
    rule = wanted.rule
    value = "" if wanted.form == "free" else wanted.shape
    return AttributeRow(
        rule.label, TITLES[rule.label], KINDS_IN_WORDS[rule.kind], value, rule.is_optional, rule.max_length
    )


def _sentences(rules: DnRules) -> tuple[str, ...]:
    """The requirement as somebody would tell it, the common name first."""
    present = [wanted for wanted in reversed(rules.wanted) if wanted.rule.kind != AttributeKind.FORBIDDEN]
    labels = [wanted.rule.label for wanted in rules.wanted if wanted.form != "absent"]
    nothing_else = f"The subject has {_and(labels)}, and nothing else."
    keys = f"The key is {_or(rules.key_types)}."
    return (*(_sentence(wanted) for wanted in present), nothing_else, keys)


def _sentence(wanted: WantedValue) -> str:
    label, rule = wanted.rule.label, wanted.rule
    may = " It may be left out." if rule.is_optional and wanted.form != "absent" else ""
    if wanted.form == "absent":
        return f"{label} is left out, as the company has no {rule.value} here."
    if wanted.form == "unique":
        return (
            f"{label} is “{wanted.shape}”, where <unique> is yours to choose anew for each certificate, such as the "
            f"seconds since 1970: {UNIQUE_IN_WORDS}, and at most {rule.max_length} characters in all.{may}"
        )
    if wanted.form == "free":
        such_as = f", such as “{wanted.before}”" if wanted.before else ""
        return (
            f"{label} is yours to choose{such_as}, with at most {rule.max_length} characters, and stays the same in "
            f"every renewal.{may}"
        )
    if rule.kind == AttributeKind.COMPANY:
        return f"{label} is the company’s {'CID' if rule.value == 'cid' else rule.value}, “{wanted.before}”.{may}"
    return f"{label} is “{wanted.before}”.{may}"


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _or(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
