"""The names that one company's requests for one application must have, and how a renewal compares with what it renews.

Equal is what RFC 5280, 7.1 calls equal; a requirement itself is kept letter for letter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from .attribute_differences import instruction, surplus
from .attribute_kinds import PLACEHOLDERS, SUBJECT_LABELS, TITLES, AttributeKind, AttributeRule, WantedValue
from .errors import ProfileError
from .keys import KEY_TYPES, KeyType, PublicKeyFacts
from .name_rules import UPPER_BOUNDS, is_control, shown
from .names import DistinguishedName
from .string_preparation import prepare
from .subject_rules import judge_other_attributes, judge_repeated, judge_url
from .verdicts import Verdict

__all__ = [
    "PLACEHOLDERS",
    "SUBJECT_LABELS",
    "TITLES",
    "AttributeComparison",
    "AttributeKind",
    "AttributeRule",
    "Comparison",
    "DnRules",
    "RenewalRules",
    "compare",
]

_RULE = "dn.rule-"
_MAX_PREPARED = 1000


@dataclass(frozen=True)
class DnRules:
    """The rules of one application and environment, with one company's values.

    ``cid`` is the company's number or 000000, ``country`` two letters or nothing, ``environment_code`` MTF or PROD;
    ``key_types`` are names of `KEY_TYPES`, the one to advise first. ``stem`` names files, such as the application's
    code. An attribute without a rule is forbidden. Raises ProfileError for rules that no subject could meet.
    """

    attributes: tuple[AttributeRule, ...]
    company_name: str
    cid: str
    country: str
    environment_code: str
    key_types: tuple[KeyType, ...]
    stem: str = ""

    def __post_init__(self) -> None:
        labels = [rule.label for rule in self.attributes]
        if len(set(labels)) < len(labels) or "CN" not in labels:
            raise ProfileError("Each attribute has one rule, and CN has one in any case.")
        if not self.key_types or not set(self.key_types) <= set(KEY_TYPES):
            raise ProfileError(f"Allow at least one type of key: {', '.join(KEY_TYPES)}.")
        name = self.company_name
        if not name.strip() or len(name) > UPPER_BOUNDS["O"] or any(map(is_control, name)):
            raise ProfileError(f"A company's name is 1 to {UPPER_BOUNDS['O']} characters without control characters.")
        if not re.fullmatch("[A-Z]{1,8}", self.environment_code) or not re.fullmatch("[0-9]{6,10}", self.cid):
            raise ProfileError("An environment is written in capital letters, and a CID has 6 to 10 digits.")
        if not re.fullmatch("([A-Z]{2})?", self.country):
            raise ProfileError("A country is written in two capital letters.")

    @cached_property
    def wanted(self) -> tuple[WantedValue, ...]:
        """What each attribute with a rule must be, in the order in which our certificates write them."""
        values = {"name": self.company_name, "country": self.country, "cid": self.cid}
        values["environment"] = self.environment_code
        ordered = sorted(self.attributes, key=lambda rule: SUBJECT_LABELS.index(rule.label))
        return tuple(rule.wanted_of(values) for rule in ordered)

    @property
    def file_stem(self) -> str:
        """The application and the environment."""
        return f"{self.stem or 'client'}-{self.environment_code}"

    def wanted_of(self, label: str) -> WantedValue | None:
        """The same for one attribute; None where no rule allows it."""
        return next((wanted for wanted in self.wanted if wanted.rule.label == label), None)

    def requirement_text(self, label: str) -> str:
        """The requirement for one attribute in words, with the company's own values."""
        wanted = self.wanted_of(label)
        return wanted.text if wanted else f"no {shown(label)}"

    def judge(self, name: DistinguishedName) -> tuple[Verdict, ...]:
        """Every rule about this company's subjects, kept or broken."""
        with_rule = [wanted.rule.label for wanted in self.wanted]
        allowed = [wanted.rule.label for wanted in self.wanted if wanted.form != "absent"]
        return (
            *(_judge_value(wanted, name.get(wanted.rule.label)) for wanted in self.wanted),
            *((judge_url(name),) if self._may_choose_common_name else ()),
            judge_other_attributes(name, allowed=with_rule, wanted=f"only {', '.join(allowed)}"),
            judge_repeated(name),
        )

    @property
    def _may_choose_common_name(self) -> bool:
        wanted = self.wanted_of("CN")
        return wanted is not None and wanted.form in {"unique", "free"}

    def judge_key_type(self, key: PublicKeyFacts) -> tuple[Verdict, ...]:
        """Whether the key is of a type that the application takes; nothing for a key that nobody may have."""
        if key.description not in KEY_TYPES:
            return ()
        ok, wanted = key.description in self.key_types, " or ".join(self.key_types)
        title = "Type of key for this application"
        return (Verdict("key.application", title, ok, key.description, wanted, "house rule"),)

    def fits_common_name(self, common_name: str) -> bool:
        """Whether this common name may stay as it is."""
        wanted = self.wanted_of("CN")
        return wanted is not None and wanted.fits(common_name)

    def example_common_name(self, unique: str) -> str:
        """A common name that fits, if the unique part does (advised: seconds since 1970)."""
        return dict(self.example_subject(unique))["CN"]

    def example_subject(self, unique: str, like: DistinguishedName | None = None) -> tuple[tuple[str, str], ...]:
        """A subject that fits, as (label, value) pairs, CN last; where there is a choice, as in ``like``."""
        pairs = ((wanted.rule.label, _example(wanted, unique, like)) for wanted in self.wanted)
        return tuple((label, value) for label, value in pairs if value)


def _example(wanted: WantedValue, unique: str, like: DistinguishedName | None) -> str:
    if like is None:
        return wanted.example(unique)
    values = like.get(wanted.rule.label)
    if wanted.rule.is_optional and not values:
        return ""
    return values[0] if wanted.form == "free" and wanted.accepts(values) else wanted.example(unique)


def _judge_value(wanted: WantedValue, values: Sequence[str]) -> Verdict:
    label = wanted.rule.label
    found = shown(", ".join(values)) or f"no {label}"
    return Verdict(f"{_RULE}{label.lower()}", TITLES[label], wanted.accepts(values), found, wanted.text, "house rule")


class Comparison(StrEnum):
    """What a comparison of one attribute comes to."""

    MATCH = "match"
    MAY_DIFFER = "may-differ"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class AttributeComparison:
    """One attribute of an expiring certificate and of the request that is to renew it.

    ``expiring`` and ``requested`` are empty where the attribute is absent; ``hint`` says what to do, or why a
    difference is fine; ``mark`` is the part of ``requested`` to set off. All of them may hold anything that was sent.
    """

    label: str
    expiring: str
    requested: str
    requirement: str
    verdict: Comparison
    hint: str = ""
    mark: str = ""


def compare(
    expiring: DistinguishedName, requested: DistinguishedName, rules: DnRules
) -> tuple[AttributeComparison, ...]:
    """Every attribute of the rules and of both names, in the order in which our certificates write them.

    A match, unless the rules mark a part as unique (then it may differ) or the requirement is broken.
    """
    found = dict.fromkeys(attribute.label for name in (expiring, requested) for attribute in name.attributes)
    labels = [label for label in SUBJECT_LABELS if label in found or _is_wanted(rules, label)]
    labels += [label for label in found if label not in SUBJECT_LABELS]
    return tuple(_compared(label, expiring.get(label), requested.get(label), rules) for label in labels)


def _is_wanted(rules: DnRules, label: str) -> bool:
    wanted = rules.wanted_of(label)
    return wanted is not None and wanted.form != "absent" and not wanted.rule.is_optional


def _compared(label: str, expiring: Sequence[str], requested: Sequence[str], rules: DnRules) -> AttributeComparison:
    wanted = rules.wanted_of(label)
    is_kept = _prepared(expiring) == _prepared(requested)
    is_right = wanted.accepts(requested) if wanted else not requested
    could_be_kept = wanted.could_have_been(expiring) if wanted else not expiring
    verdict, hint, mark = Comparison.CHANGE, "", ""
    if is_right and is_kept:
        verdict = Comparison.MATCH
    elif is_right and could_be_kept and wanted is not None and wanted.form == "unique":
        verdict, hint = Comparison.MAY_DIFFER, "The unique part may differ"
    elif not could_be_kept:
        hint = "The expiring certificate has what is not allowed any more: request a new certificate instead"
    else:
        hint = instruction(label, _expected(wanted, expiring), requested)
        mark = surplus(_expected(wanted, expiring), requested)
    text = rules.requirement_text(label)
    if wanted is not None and wanted.form == "free":
        text = f"as in the expiring certificate, at most {wanted.rule.max_length} characters"
    return AttributeComparison(label, ", ".join(expiring), ", ".join(requested), text, verdict, hint, mark)


def _prepared(values: Sequence[str]) -> list[str]:
    """For comparison; what is far longer than any name may be stays as it is, since preparing it takes long."""
    return sorted(prepare(value) if len(value) <= _MAX_PREPARED else value for value in values)


def _expected(wanted: WantedValue | None, expiring: Sequence[str]) -> str:
    """What the request should have had: the requirement's own writing of it where there is one."""
    if wanted is None or not expiring:
        return ""
    return expiring[0] if wanted.form == "free" else wanted.shape


@dataclass(frozen=True, slots=True)
class RenewalRules:
    """The rules for the renewal of one certificate: those of the application, and the name that is to be kept."""

    rules: DnRules
    expiring: DistinguishedName

    @property
    def key_types(self) -> tuple[KeyType, ...]:
        """Those of the application."""
        return self.rules.key_types

    @property
    def file_stem(self) -> str:
        """That of the application."""
        return self.rules.file_stem

    @property
    def can_be_kept(self) -> bool:
        """Whether any request could keep this name: the requirement, or the company, may have changed meanwhile."""
        return not self._changed(self.expiring)

    def judge(self, name: DistinguishedName) -> tuple[Verdict, ...]:
        """The application's rules, and whether the name is that of the expiring certificate."""
        judged = self.rules.judge(name)
        changed = self._changed(name)
        kept = Verdict(
            "dn.renewal",
            "The name of the expiring certificate",
            not changed,
            f"another {shown(', '.join(changed))}" if changed else "the same, but for what may differ",
            shown(self.expiring.text),
            "house rule",
        )
        return (*judged, kept)

    def _changed(self, name: DistinguishedName) -> list[str]:
        rows = compare(self.expiring, name, self.rules)
        return [row.label for row in rows if row.verdict == Comparison.CHANGE]

    def judge_key_type(self, key: PublicKeyFacts) -> tuple[Verdict, ...]:
        """As for a new certificate."""
        return self.rules.judge_key_type(key)

    def fits_common_name(self, common_name: str) -> bool:
        """Whether this common name fits, and is the expiring one's but for a unique part."""
        wanted = self.rules.wanted_of("CN")
        is_kept = prepare(common_name) == prepare(self.expiring.common_name)
        return wanted is not None and wanted.fits(common_name) and (is_kept or wanted.form == "unique")

    def example_common_name(self, unique: str) -> str:
        """The expiring one's, with a new unique part if it has one."""
        return dict(self.example_subject(unique))["CN"]

    def example_subject(self, unique: str) -> tuple[tuple[str, str], ...]:
        """The expiring certificate's name as the rules write it."""
        return self.rules.example_subject(unique, like=self.expiring)
