"""The facts of a certificate as mails list them: by what people call it, and by what machines tell it apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from connect.templatetags.look import colon_hex
from connect.text import one_line

_VALUE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: what it is, and its value. ``is_code`` is for what is compared digit by digit."""

    label: str
    value: str
    is_code: bool = False


def fact(label: str, value: str, *, is_code: bool = False) -> Fact:
    """A fact whose value others chose, such as a name in a certificate: it makes no line of its own in a mail."""
    return Fact(label, one_line(value, at_most=_VALUE_LENGTH), is_code)


def identity(*, common_name: str, serial: str, fingerprint: str, issuer: str) -> Iterator[Fact]:
    """What a certificate is known by."""
    yield fact("Common name", common_name, is_code=True)
    yield fact("Serial number", colon_hex(serial), is_code=True)
    yield fact("Certificate SHA-256", colon_hex(fingerprint), is_code=True)
    yield fact("Issuer", issuer)


def in_words(moment: datetime) -> str:
    """A moment as mails write it: ``2 March 2027, 09:04 UTC``."""
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def day_in_words(moment: datetime) -> str:
    """Its day: ``2 March 2027``."""
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%B %Y}"
