"""What one attribute of a name has to be: the rule as it is kept, and the same with one company's values in it.

A pattern is literal text with placeholders. Nothing that people write is ever read as a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from .errors import ProfileError
from .name_rules import UPPER_BOUNDS, is_url, same_text, shown
from .string_preparation import prepare

# The attributes that our subjects may have, in the order in which they are written.
SUBJECT_LABELS = ("C", "ST", "L", "O", "OU", "CN")
# What they are called in words.
TITLES = {
    "C": "Country",
    "ST": "State or province",
    "L": "Locality",
    "O": "Organisation",
    "OU": "Organisational unit",
    "CN": "Common name",
}
UNIQUE = "unique"
UNIQUE_IN_WORDS = "letters, digits, “.”, “_” and “-”"
PLACEHOLDERS = (UNIQUE, "cid", "environment")
# What a company can fill in, and how long that may be (a name of 64, a CID of 10 digits).
_COMPANY_VALUES = {"name": 64, "country": 2, "cid": 10}
_LONGEST = {UNIQUE: "9" * 10, "cid": "9" * 10, "environment": "X" * 8}
_MAX_VALUE = 120
_UNIQUE_PART = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*")
_TOKEN = re.compile("(<[^<>]*>)")
_LITERAL = re.compile("[A-Za-z0-9 ._&'/:-]*")
_COUNTRY = re.compile("[A-Z]{2}")


class AttributeKind(StrEnum):
    """How a value is decided: it is always the same, follows a pattern, is the company's own, anything, or nothing."""

    FIXED = "fixed"
    PATTERN = "pattern"
    COMPANY = "company"
    FREE = "free"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """The rule for one attribute, for every company.

    ``value`` is the text of FIXED, the pattern of PATTERN with ``<unique>``, ``<cid>`` and ``<environment>``; ``name``,
    ``country`` or ``cid`` of COMPANY; an example of FREE, which may be empty where the attribute is optional; nothing
    of FORBIDDEN. ``max_length`` counts characters. Raises ProfileError for what no subject could meet, and for what
    looks like a slip of the pen, with a sentence for who wrote it.
    """

    label: str
    kind: AttributeKind
    value: str
    is_optional: bool
    max_length: int

    def __post_init__(self) -> None:
        bound = UPPER_BOUNDS[self.label] if self.label in SUBJECT_LABELS else 0
        if not bound:
            raise ProfileError(f"“{shown(self.label)}” is no attribute of a subject here. Use C, ST, L, O, OU or CN.")
        if not 1 <= self.max_length <= bound or (self.label == "C" and self.max_length != bound):
            allowed = "2" if self.label == "C" else f"1 to {bound}"
            raise ProfileError(f"The maximum length of {self.label} is {allowed} (RFC 5280, appendix A.1).")
        if self.label == "CN" and (self.is_optional or self.kind == AttributeKind.FORBIDDEN):
            raise ProfileError("Every certificate has a common name: CN is neither optional nor forbidden.")
        if len(self.value) > _MAX_VALUE:
            raise ProfileError(f"The value of {self.label} is at most {_MAX_VALUE} characters long.")
        _CHECKS[self.kind](self)

    def wanted_of(self, values: Mapping[str, str]) -> WantedValue:
        """The rule with these values for ``name``, ``country``, ``cid`` and ``environment``."""
        if self.kind == AttributeKind.PATTERN:
            parts = [values.get(token[1:-1], token) if token[:1] == "<" else token for token in _tokens(self.value)]
            before, unique, after = "".join(parts).partition(f"<{UNIQUE}>")
            return WantedValue(self, "unique" if unique else "exact", before, after)
        if self.kind == AttributeKind.COMPANY:
            return WantedValue(self, "exact" if values[self.value] else "absent", values[self.value])
        form: Literal["exact", "free", "absent"] = "exact" if self.kind == AttributeKind.FIXED else "absent"
        return WantedValue(self, "free" if self.kind == AttributeKind.FREE else form, self.value)


@dataclass(frozen=True, slots=True)
class WantedValue:
    """What one company's attribute must be.

    ``before`` is the whole of an exact value and the example of a free one; a unique one stands between ``before`` and
    ``after``.
    """

    rule: AttributeRule
    form: Literal["exact", "unique", "free", "absent"]
    before: str
    after: str = ""

    def accepts(self, values: Sequence[str]) -> bool:
        """Whether these are the values that a name may have for this attribute: one that fits, or none if optional."""
        if not values:
            return self.form == "absent" or self.rule.is_optional
        return len(values) == 1 and self.fits(values[0])

    def could_have_been(self, values: Sequence[str]) -> bool:
        """The same, with exact values compared as names are (RFC 5280, 7.1): what an issued certificate may have."""
        if self.form != "exact" or len(values) != 1 or len(values[0]) > _MAX_VALUE:
            return self.accepts(values)
        return prepare(values[0]) == prepare(self.before)

    def fits(self, value: str) -> bool:
        """Whether this value is right, letter for letter but for the composition of accents."""
        if self.form == "absent" or len(value) > 4 * self.rule.max_length:
            return False
        if self.form == "exact":
            return same_text(value, self.before)
        if not value.strip() or len(value) > self.rule.max_length:
            return False
        if self.form == "free":
            return self.rule.label != "C" or bool(_COUNTRY.fullmatch(value))
        if not value.startswith(self.before) or not value.endswith(self.after):
            return False
        return bool(_UNIQUE_PART.fullmatch(value[len(self.before) : len(value) - len(self.after)]))

    def example(self, unique: str) -> str:
        """A value that fits, or nothing where there must be, or may be, none."""
        if self.form == "absent":
            return ""
        return f"{self.before}{unique if self.form == 'unique' else ''}{self.after}"

    @property
    def shape(self) -> str:
        """The value, or its pattern with ``<unique>`` in it."""
        return self.example(f"<{UNIQUE}>")

    @property
    def text(self) -> str:
        """The requirement in words, such as ``Acme Payments Ltd (the company’s name)``."""
        label, absent = self.rule.label, self.form == "absent"
        if absent and self.rule.kind == AttributeKind.COMPANY:
            return f"no {label}, as the company has no {self.rule.value} here"
        return f"no {label}" if absent else f"{self._value_text}{f', or no {label}' if self.rule.is_optional else ''}"

    @property
    def _value_text(self) -> str:
        longest = f"at most {self.rule.max_length} characters"
        if self.form == "unique":
            return f"{self.shape}, where <unique> is made of {UNIQUE_IN_WORDS}; {longest}"
        if self.form == "free":
            such_as = f", such as {self.before}" if self.before else ""
            return f"two capital letters{such_as}" if self.rule.label == "C" else f"any text of {longest}{such_as}"
        if self.rule.kind == AttributeKind.COMPANY:
            return f"{self.before} (the company’s {'CID' if self.rule.value == 'cid' else self.rule.value})"
        return self.before


def _tokens(pattern: str) -> list[str]:
    return [token for token in _TOKEN.split(pattern) if token]


def _check_text(rule: AttributeRule) -> None:
    label, value = rule.label, rule.value
    if value != value.strip():
        raise ProfileError(f"The value of {label} begins or ends with a space. Take it away.")
    for character in value:
        if not character.isprintable():
            raise ProfileError(
                f"The value of {label} has the character U+{ord(character):04X}, which cannot be seen. Take it away."
            )
    if len(value) > rule.max_length:
        raise ProfileError(f"The value of {label} has {len(value)} characters, at most {rule.max_length} are allowed.")
    if label == "C" and value and not _COUNTRY.fullmatch(value):
        raise ProfileError("C is two capital letters of ISO 3166, such as GB.")


def _check_fixed(rule: AttributeRule) -> None:
    if not rule.value:
        raise ProfileError(f"{rule.label} is fixed: give the value that it always has.")
    if found := _TOKEN.search(rule.value):
        raise ProfileError(
            f"{rule.label} is fixed, and {shown(found[0])} would stand there as it is. Choose a pattern."
        )
    _check_text(rule)
    if rule.label == "CN" and is_url(rule.value):
        raise ProfileError("A common name is a name, not an address on the web. Choose another value of CN.")


def _check_company(rule: AttributeRule) -> None:
    allowed = ("country",) if rule.label == "C" else ("name", "cid")
    if rule.value not in allowed:
        raise ProfileError(f"{rule.label} is the company’s: the value says {' or '.join(allowed)}.")
    if rule.max_length < _COMPANY_VALUES[rule.value]:
        raise ProfileError(
            f"{rule.label} is the company’s {rule.value}, which has up to {_COMPANY_VALUES[rule.value]} characters. "
            f"Allow as many."
        )


def _check_free(rule: AttributeRule) -> None:
    if not rule.value and not rule.is_optional:
        raise ProfileError(f"{rule.label} is free: give an example, which the ready commands show.")
    _check_text(rule)


def _check_forbidden(rule: AttributeRule) -> None:
    if rule.value:
        raise ProfileError(f"{rule.label} is forbidden, so it has no value. Empty it, or choose another kind.")


def _check_pattern(rule: AttributeRule) -> None:
    label = rule.label
    if not rule.value or label == "C":
        raise ProfileError(
            f"{label} needs a pattern, such as <unique>-Client-<environment>-<cid>."
            if label != "C"
            else "C is two letters and has no pattern. Let it be the company’s, or fixed."
        )
    if rule.value != rule.value.strip():
        raise ProfileError(f"The pattern of {label} begins or ends with a space. Take it away.")
    for token in _tokens(rule.value):
        if token[:1] != "<" and not _LITERAL.fullmatch(token):
            odd = next(character for character in token if not _LITERAL.fullmatch(character))
            raise ProfileError(
                f"The pattern of {label} has “{shown(odd)}” (U+{ord(odd):04X}). Beside <unique>, <cid> and "
                "<environment> it is made of the letters A to Z, digits, spaces and . _ - & ' / :"
            )
        if token[:1] == "<" and token[1:-1] not in PLACEHOLDERS:
            raise ProfileError(
                f"“{shown(token)}” is no placeholder. Use <unique>, <cid> and <environment>, exactly so."
            )
    if rule.value.count(f"<{UNIQUE}>") > 1:
        raise ProfileError(f"The pattern of {label} has <unique> more than once. Keep one of them.")
    longest = rule.wanted_of(_LONGEST | {UNIQUE: f"<{UNIQUE}>"}).example(_LONGEST[UNIQUE])
    if len(longest) > rule.max_length:
        raise ProfileError(
            f"By the pattern of {label} a value can have {len(longest)} characters (with an epoch time of 10 digits), "
            f"and at most {rule.max_length} are allowed. Shorten the pattern."
        )
    if label == "CN" and is_url(longest):
        raise ProfileError("A common name is a name, not an address on the web. Choose another pattern of CN.")


_CHECKS = {
    AttributeKind.FIXED: _check_fixed,
    AttributeKind.PATTERN: _check_pattern,
    AttributeKind.COMPANY: _check_company,
    AttributeKind.FREE: _check_free,
    AttributeKind.FORBIDDEN: _check_forbidden,
}
