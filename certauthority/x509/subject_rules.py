"""Rules about a subject that depend on the company, the project and the environment it is for."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from .errors import ProfileError
from .name_rules import UPPER_BOUNDS, is_control, shown
from .names import DistinguishedName
from .verdicts import Verdict

_ALLOWED = ("CN", "O", "OU", "C")
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}://|www\.|https?[:.]", re.IGNORECASE)
# A name of the domain name system, with or without a path: an address that lost its scheme.
_HOST = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}(?:[/:?#].*)?", re.IGNORECASE)
_UNIQUE = "[A-Za-z0-9][A-Za-z0-9._-]*"


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
    def common_name_pattern(self) -> str:
        """The pattern for people: ``<unique>-Client-MTF-123456``."""
        return f"<unique>{self._common_name_end}"

    @property
    def _common_name_end(self) -> str:
        return f"-Client-{self.environment_code}-{self.cid}"

    def fits_common_name(self, common_name: str) -> bool:
        """Whether a common name follows the pattern, whatever its length."""
        end = self._common_name_end
        return common_name.endswith(end) and bool(re.fullmatch(_UNIQUE, common_name.removesuffix(end)))


def judge_subject(name: DistinguishedName, requirement: SubjectRequirement) -> tuple[Verdict, ...]:
    """Every rule about this company's subjects, kept or broken."""
    return (
        _judge_pattern(name, requirement),
        _judge_url(name),
        _judge_value("dn.organisation", "Organisation", "O", name, requirement.organisation),
        _judge_value("dn.organisational-unit", "Organisational unit", "OU", name, requirement.organisational_unit),
        _judge_company_country(name, requirement),
        _judge_other_attributes(name),
        _judge_repeated(name),
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


def _judge_url(name: DistinguishedName) -> Verdict:
    common_name = name.common_name.strip()
    is_url = bool(_URL.match(common_name) or _HOST.fullmatch(common_name)) or "://" in common_name
    return Verdict(
        "dn.cn-url",
        "The common name is not a URL",
        not is_url,
        shown(name.common_name) or "no CN",
        "a name, not an address on the web",
        "house rule",
    )


def _same(one: str, other: str) -> bool:
    """Letter for letter, as the certificate shows what the request has; only composition of accents may differ."""
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def _judge_value(rule: str, title: str, label: str, name: DistinguishedName, wanted: str) -> Verdict:
    values = name.get(label)
    ok = len(values) == 1 and _same(values[0], wanted)
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


def _judge_other_attributes(name: DistinguishedName) -> Verdict:
    others = [attribute.label for attribute in name.attributes if attribute.label not in _ALLOWED]
    return Verdict(
        "dn.other-attributes",
        "Nothing else in the subject",
        not others,
        shown(", ".join(others)) or "nothing else",
        "only CN, O and OU, and C if you like",
        "house rule",
    )


def _judge_repeated(name: DistinguishedName) -> Verdict:
    counts = Counter(attribute.label for attribute in name.attributes)
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
