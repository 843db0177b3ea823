"""Rules about a subject that depend on the company, the project and the environment it is for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol

from .errors import ProfileError
from .keys import KEY_TYPES, KeyType, PublicKeyFacts
from .name_rules import UPPER_BOUNDS, is_control, is_url, same_text, shown
from .names import DistinguishedName
from .verdicts import Verdict

_ALLOWED = ("CN", "O", "OU", "C")
_UNIQUE = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*")


class SubjectRules(Protocol):
    """What a request must keep to beyond the rules for all: its subject, and perhaps its key.

    What judges a CSR and what shows commands for one ask nothing else of it.
    """

    @property
    def key_types(self) -> tuple[KeyType, ...]:
        """The types of key that may be certified, the one to advise first."""

    @property
    def file_stem(self) -> str:
        """What a file is named after when nobody has named it."""

    def judge(self, name: DistinguishedName) -> tuple[Verdict, ...]:
        """Every rule about the subject, kept or broken."""

    def judge_key_type(self, key: PublicKeyFacts) -> tuple[Verdict, ...]:
        """The rules about the type of key that not everybody has."""

    def fits_common_name(self, common_name: str) -> bool:
        """Whether this common name may stay as it is."""

    def example_common_name(self, unique: str) -> str:
        """A common name that fits, if the unique part does (advised: seconds since 1970)."""

    def example_subject(self, unique: str) -> tuple[tuple[str, str], ...]:
        """A subject that fits, as (label, value) pairs; CN is the last."""


@dataclass(frozen=True, slots=True)
class SubjectRequirement:
    """What the subject of a request has to be.

    ``environment_code`` is MTF or PROD, ``cid`` the company's number or 000000, ``country`` two letters or nothing.
    Raises ProfileError for values that no subject could meet: too long, empty, or with control characters.
    """

    environment_code: str
    cid: str
    organisation: str
    organisational_unit: str
    country: str = ""

    def __post_init__(self) -> None:
        for label, value in (("O", self.organisation), ("OU", self.organisational_unit)):
            if not value.strip() or len(value) > UPPER_BOUNDS[label] or any(map(is_control, value)):
                raise ProfileError(f"{label} is 1 to {UPPER_BOUNDS[label]} characters without control characters.")
        if not re.fullmatch("[A-Z]{1,8}", self.environment_code) or not re.fullmatch("[0-9]{6,10}", self.cid):
            raise ProfileError("An environment is written in capital letters, and a CID has 6 to 10 digits.")
        if not re.fullmatch("([A-Z]{2})?", self.country):
            raise ProfileError("A country is written in two capital letters.")

    def example_common_name(self, unique: str) -> str:
        """A common name that fits, with the given unique part (advised: seconds since 1970)."""
        return f"{unique}{self._common_name_end}"

    def example_subject(self, unique: str) -> tuple[tuple[str, str], ...]:
        """A subject that fits, as (label, value) pairs in the order C, O, OU, CN."""
        country = (("C", self.country),) if self.country else ()
        return (
            *country,
            ("O", self.organisation),
            ("OU", self.organisational_unit),
            ("CN", self.example_common_name(unique)),
        )

    @property
    def key_types(self) -> tuple[KeyType, ...]:
        """All that the site accepts."""
        return KEY_TYPES

    @property
    def file_stem(self) -> str:
        """The project and the environment."""
        return f"{self.organisational_unit}-{self.environment_code}"

    def judge(self, name: DistinguishedName) -> tuple[Verdict, ...]:
        """See ``judge_subject``."""
        return judge_subject(name, self)

    def judge_key_type(self, key: PublicKeyFacts) -> tuple[Verdict, ...]:
        """Nothing beyond the rules for all keys."""
        return ()

    @property
    def common_name_pattern(self) -> str:
        """The pattern for people: ``<unique>-Client-MTF-123456``."""
        return f"<unique>{self._common_name_end}"

    @property
    def _common_name_end(self) -> str:
        return f"-Client-{self.environment_code}-{self.cid}"

    def fits_common_name(self, common_name: str) -> bool:
        """Whether a common name follows the pattern, whatever its length."""
        end = self._common_name_end
        return common_name.endswith(end) and bool(_UNIQUE.fullmatch(common_name.removesuffix(end)))


def judge_subject(name: DistinguishedName, requirement: SubjectRequirement) -> tuple[Verdict, ...]:
    """Every rule about this company's subjects, kept or broken."""
    return (
        _judge_pattern(name, requirement),
        judge_url(name),
        _judge_value("dn.organisation", "Organisation", "O", name, requirement.organisation),
        _judge_value("dn.organisational-unit", "Organisational unit", "OU", name, requirement.organisational_unit),
        _judge_company_country(name, requirement),
        judge_other_attributes(name, allowed=_ALLOWED, wanted="only CN, O and OU, and C if you like"),
        judge_repeated(name),
    )


def _judge_pattern(name: DistinguishedName, requirement: SubjectRequirement) -> Verdict:
    return Verdict(
        "dn.cn-pattern",
        "Pattern of the common name",
        requirement.fits_common_name(name.common_name),
        shown(name.common_name) or "no CN",
        f"{requirement.common_name_pattern}, where <unique> is made of letters, digits, “.”, “_” and “-”",
        "house rule",
    )


def judge_url(name: DistinguishedName) -> Verdict:
    """The common name is a name."""
    return Verdict(
        "dn.cn-url",
        "The common name is not a URL",
        not is_url(name.common_name),
        shown(name.common_name) or "no CN",
        "a name, not an address on the web",
        "house rule",
    )


def _judge_value(rule: str, title: str, label: str, name: DistinguishedName, wanted: str) -> Verdict:
    values = name.get(label)
    ok = len(values) == 1 and same_text(values[0], wanted)
    return Verdict(rule, title, ok, shown(", ".join(values)) or f"no {label}", wanted, "house rule")


def _judge_company_country(name: DistinguishedName, requirement: SubjectRequirement) -> Verdict:
    countries = name.get("C")
    wanted = f"{requirement.country}, or no C" if requirement.country else "no C, as the company has no country here"
    return Verdict(
        "dn.company-country",
        "Country of the company",
        all(country == requirement.country for country in countries),
        shown(", ".join(countries)) or "no C",
        wanted,
        "house rule",
    )


def judge_other_attributes(name: DistinguishedName, *, allowed: Container[str], wanted: str) -> Verdict:
    """Nothing is in the name but these attributes."""
    others = [attribute.label for attribute in name.attributes if attribute.label not in allowed]
    return Verdict(
        "dn.other-attributes",
        "Nothing else in the subject",
        not others,
        shown(", ".join(others)) or "nothing else",
        wanted,
        "house rule",
    )


def judge_repeated(name: DistinguishedName) -> Verdict:
    """Nothing stands in the name twice, and no part has more than one attribute."""
    labels = [attribute.label for attribute in name.attributes]
    counts = Counter(labels) if len(set(labels)) < len(labels) else {}
    findings = [f"{label} {count} times" for label, count in counts.items() if count > 1]
    findings += ["+".join(attribute.label for attribute in rdn) + " in one part" for rdn in name.rdns if len(rdn) > 1]
    return Verdict(
        "dn.repeated",
        "Each attribute once, in a part of its own",
        not findings,
        shown("; ".join(findings)) or "each once",
        "each attribute once, in a part of its own",
        "X.501, 9.3; house rule",
    )
