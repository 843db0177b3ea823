"""Rules of structure about a subject: what every name must keep to, whoever asks for it."""

from __future__ import annotations

import re
import unicodedata

from .look_alikes import look_alikes
from .names import DistinguishedName, NameAttribute
from .verdicts import Verdict

# RFC 5280, appendix A.1. An attribute that is not listed has no bound there.
UPPER_BOUNDS = {
    "CN": 64,
    "O": 64,
    "OU": 64,
    "L": 128,
    "ST": 128,
    "C": 2,
    "title": 64,
    "serialNumber": 64,
    "pseudonym": 128,
    "emailAddress": 255,
    "SN": 32768,
    "GN": 32768,
    "name": 32768,
    "initials": 32768,
    "generationQualifier": 32768,
}
# Marks and overrides of direction, and the separators that end a line.
_DIRECTION_AND_LINES = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}://|www\.|https?[:.]", re.IGNORECASE)
# A name of the domain name system, with or without a path: an address that lost its scheme.
_HOST = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}(?:[/:?#].*)?", re.IGNORECASE)
_COUNTRY = re.compile("[A-Za-z]{2}")
_MAX_LISTED = 5
_MAX_SHOWN = 120


def judge_name(name: DistinguishedName) -> tuple[Verdict, ...]:
    """Every rule of structure about the subject, kept or broken, and a note about look-alike letters if any."""
    verdicts = [
        _judge_empty(name),
        _judge_common_name(name),
        _judge_control_characters(name),
        _judge_string_types(name),
        _judge_upper_bounds(name),
        _judge_country(name),
    ]
    return (*verdicts, *_note_look_alikes(name))


def is_control(character: str) -> bool:
    """Whether it is NUL, another C0 or C1 control, a control of direction, or a line or paragraph separator."""
    return unicodedata.category(character) == "Cc" or character in _DIRECTION_AND_LINES


def is_url(common_name: str) -> bool:
    """Whether it is an address on the web, or a host's name."""
    text = common_name.strip()
    return bool(_URL.match(text) or _HOST.fullmatch(text)) or "://" in text


def same_text(one: str, other: str) -> bool:
    """Letter for letter, as the certificate shows what the request has; only composition of accents may differ."""
    return one == other or unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def shown(value: str) -> str:
    """A value from the input for a message: at most 120 characters, with what cannot be seen written as U+…"""
    cut = value if len(value) <= _MAX_SHOWN else value[:_MAX_SHOWN] + "…"
    return cut if cut.isprintable() else "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in cut)


def listed(findings: list[str]) -> str:
    """The findings in one line: the first few, and how many more there are."""
    more = len(findings) - _MAX_LISTED
    return "; ".join(findings[:_MAX_LISTED]) + (f"; and {more} more" if more > 0 else "")


def _judge_empty(name: DistinguishedName) -> Verdict:
    found = f"{len(name.attributes)} attributes" if name.attributes else "an empty subject"
    return Verdict(
        "dn.empty",
        "A subject",
        bool(name.attributes),
        found,
        "a subject with CN, O and OU",
        "RFC 5280, 4.1.2.6; house rule",
    )


def _judge_common_name(name: DistinguishedName) -> Verdict:
    return Verdict(
        "dn.common-name",
        "A common name",
        bool(name.common_name.strip()),
        shown(name.common_name) or "no CN",
        "a CN",
        "house rule",
    )


def _judge_control_characters(name: DistinguishedName) -> Verdict:
    findings = [
        f"{attribute.label} has U+{ord(character):04X} at position {position}"
        for attribute in name.attributes
        if not (attribute.value.isascii() and attribute.value.isprintable())
        for position, character in enumerate(attribute.value, start=1)
        if is_control(character)
    ]
    return Verdict(
        "dn.control-characters",
        "No control characters in the subject",
        not findings,
        listed(findings) or "none found",
        "letters, digits, spaces and signs that can be seen",
        "RFC 4518, 2.4; Unicode Technical Report 36, 2.5; house rule",
    )


def _judge_string_types(name: DistinguishedName) -> Verdict:
    findings = [f"{attribute.label} is not text" for attribute in name.attributes if not attribute.is_text]
    return Verdict(
        "dn.string-types",
        "Every value in the subject is text",
        not findings,
        listed(findings) or "text only",
        "UTF8String or PrintableString",
        "RFC 5280, 4.1.2.4",
    )


def _judge_upper_bounds(name: DistinguishedName) -> Verdict:
    findings = [finding for attribute in name.attributes if (finding := _length_problem(attribute))]
    longest = ", ".join(f"{attribute.label} {len(attribute.value)}" for attribute in name.attributes[:_MAX_LISTED])
    return Verdict(
        "dn.upper-bounds",
        "Length of every value in the subject",
        not findings,
        listed(findings) or (f"characters: {longest}" if longest else "no values"),
        "at least 1 character; CN, O and OU at most 64, L and ST at most 128, C exactly 2",
        "RFC 5280, appendix A.1",
    )


def _length_problem(attribute: NameAttribute) -> str:
    if not attribute.value:
        return f"{attribute.label} is empty"
    length, bound = len(attribute.value), UPPER_BOUNDS.get(attribute.label)
    if attribute.is_text and bound and length > bound:
        return f"{attribute.label} has {length} characters, at most {bound} are allowed"
    return ""


def _judge_country(name: DistinguishedName) -> Verdict:
    countries = name.get("C")
    return Verdict(
        "dn.country",
        "Form of the country",
        all(_COUNTRY.fullmatch(country) for country in countries),
        shown(", ".join(countries)) or "no C",
        "two letters of ISO 3166, or no C",
        "RFC 5280, appendix A.1; X.520, 6.3.1",
    )


def _note_look_alikes(name: DistinguishedName) -> list[Verdict]:
    findings = [
        f"{attribute.label}: {finding}"
        for attribute in name.attributes
        if attribute.is_text
        for finding in look_alikes(attribute.value)
    ]
    if not findings:
        return []
    return [
        Verdict(
            "dn.lookalike",
            "Letters that look like others",
            True,
            listed(findings),
            "please check that these letters are meant",
            "Unicode Technical Standard 39, 4 and 5",
            "note",
        )
    ]
