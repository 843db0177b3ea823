"""Alternative names as people type them: domain names, in any language, separated by commas.

A name is certified in the form that programs compare: A-labels (RFC 5890, 2.3.2.1) in lower case. Nothing but case and
the composition of accents is changed on the way, so that no name turns into another one that nobody typed.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass

import idna

from .name_rules import shown

MAX_ALTERNATIVE_NAMES = 50
# RFC 1034, 3.1: 255 octets as they go over the wire, which are 253 characters as people write it.
_MAX_NAME = 253
_MAX_LABEL = 63
# What is not looked at any more: no name of 253 characters was ever typed with so many.
_MAX_TYPED = 1000
_SEPARATORS = re.compile("[,\r\n]")
_PLAIN_LABEL = re.compile("[a-z0-9-]+")
_NUMBER = re.compile("[0-9]+|0x[0-9a-f]*")
# RFC 3490, 3.1: what ends a label in scripts without our full stop.
_FULL_STOPS = str.maketrans("。．｡", "...")


@dataclass(frozen=True, slots=True)
class AlternativeNames:
    """The names that were understood, each once and as they were typed in order, and a sentence for each bad one."""

    names: tuple[str, ...]
    problems: tuple[str, ...]


def read_alternative_names(text: str) -> AlternativeNames:
    """The domain names in a text, where commas and line ends separate them. Never raises, whatever the text."""
    typed = [part for part in map(str.strip, _SEPARATORS.split(text)) if part]
    names: dict[str, None] = {}
    problems: dict[str, None] = {}
    for part in typed[: 4 * MAX_ALTERNATIVE_NAMES]:
        try:
            names[_read(part)] = None
        except _BadNameError as error:
            problems[f"“{shown(part)}” {error}"] = None
    too_many = max(len(names), len(typed) if len(typed) > 4 * MAX_ALTERNATIVE_NAMES else 0)
    if too_many > MAX_ALTERNATIVE_NAMES:
        problems[f"There are {too_many:,} names. A certificate has at most {MAX_ALTERNATIVE_NAMES}."] = None
    return AlternativeNames(tuple(names)[:MAX_ALTERNATIVE_NAMES], tuple(problems))


class _BadNameError(Exception):
    """What is wrong with a name, as the rest of a sentence that begins with it."""


def _read(typed: str) -> str:
    """The name in A-labels and lower case. Raises _BadNameError."""
    if len(typed) > _MAX_TYPED:
        raise _BadNameError(f"is too long for a domain name, which has at most {_MAX_NAME} characters.")
    name = unicodedata.normalize("NFC", typed.lower()).translate(_FULL_STOPS)
    _check_form(name)
    labels = name.split(".")
    if "" in labels:
        at_end = labels[-1] == "" and "" not in labels[:-1]
        raise _BadNameError(
            "ends with a dot. Leave it out." if at_end else "has two dots in a row, or one at its start."
        )
    if len(labels) == 1:
        raise _BadNameError("is not a full domain name: it has no dot.")
    if _NUMBER.fullmatch(labels[-1]):
        raise _BadNameError("is an IP address, or ends like one. Only domain names are certified.")
    name = ".".join(_encode(label) for label in labels)
    if len(name) > _MAX_NAME:
        raise _BadNameError(f"has {len(name)} characters, and a domain name at most {_MAX_NAME} (RFC 1034, 3.1).")
    return name


def _check_form(name: str) -> None:
    """Name what is something else altogether. Raises _BadNameError."""
    if "*" in name:
        raise _BadNameError("has a wildcard. Name each domain by itself.")
    if _is_address(name):
        raise _BadNameError("is an IP address. Only domain names are certified.")
    if "://" in name or "/" in name:
        raise _BadNameError("is an address on the web. Give only the domain name in it.")
    if "@" in name:
        raise _BadNameError("is an e-mail address. Only domain names are certified.")
    if ":" in name:
        raise _BadNameError("has a colon. Give the domain name without a port.")
    if any(character.isspace() for character in name):
        raise _BadNameError("has a space in it. Separate names by commas.")
    if ";" in name:
        raise _BadNameError("has a semicolon. Separate names by commas.")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]").partition("/")[0])
    except ValueError:
        return False
    return True


def _encode(label: str) -> str:
    """One label as IDNA 2008 has it (RFC 5891, 4); a label of letters, digits and hyphens stays as it is."""
    if _PLAIN_LABEL.fullmatch(label) and label[2:4] != "--":
        if label[0] == "-" or label[-1] == "-":
            raise _BadNameError(f"has the part “{shown(label)}”, which begins or ends with a hyphen.")
        encoded = label
    else:
        encoded = _encode_international(label)
    if len(encoded) > _MAX_LABEL:
        raise _BadNameError(
            f"has a part of {len(encoded)} characters between two dots, and at most {_MAX_LABEL} are allowed "
            "(RFC 1034, 3.1)."
        )
    return encoded


def _encode_international(label: str) -> str:
    if len(label) > _MAX_LABEL:  # Its A-label is longer still.
        raise _BadNameError(
            f"has a part of {len(label)} characters between two dots, at most {_MAX_LABEL} are allowed."
        )
    if label[2:4] == "--" and not label.startswith("xn--"):
        raise _BadNameError(f"has the part “{shown(label)}”, whose two hyphens are reserved (RFC 5890, 2.3.1).")
    try:
        return idna.alabel(label).decode("ascii")
    except idna.InvalidCodepoint as error:
        raise _BadNameError(f"has {_named(error.codepoint)}, which no domain name has (RFC 5892).") from error
    except (idna.IDNAError, UnicodeError) as error:
        raise _BadNameError(f"has the part “{shown(label)}”, which no domain name can have (RFC 5891, 4).") from error


def _named(codepoint: int | None) -> str:
    if codepoint is None:
        return "a character"
    character = chr(codepoint)
    return f"the character U+{codepoint:04X}" + (f" “{character}”" if character.isprintable() else "")
