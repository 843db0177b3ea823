"""What a name that people type may hold, and how one that others chose is told."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError

# Control and format characters (among them NUL and the bidirectional controls), line and paragraph separators,
# lone surrogates and private use: invisible, or able to make a name look like another.
_REFUSED = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co"})


def validate_plain_text(value: str) -> None:
    """Refuse characters that cannot be seen or that change the direction of the text.

    Raises:
        ValidationError: naming the first such character by its code point.
    """
    for character in value:
        if unicodedata.category(character) in _REFUSED:
            raise ValidationError(
                f"The character U+{ord(character):04X} cannot be used here: it is invisible or changes the direction "
                "of the text. Remove it and try again."
            )


def one_line(text: str, *, at_most: int) -> str:
    """A text that no header can be smuggled into (RFC 5322, 2.2) and that makes no line of its own, whatever it holds.

    What ``validate_plain_text`` refuses becomes a space; ``at_most`` is a number of characters.
    """
    return " ".join((text if text.isprintable() else "".join(map(_seen, text))).split())[:at_most]


def printable(text: str) -> str:
    """The text of a mail without what cannot be seen or changes its direction; each becomes a space. Lines stay."""
    lines = text.replace("\r", "").split("\n")
    return "\n".join(line if line.isprintable() else "".join(map(_seen, line)) for line in lines)


def _seen(character: str) -> str:
    return " " if unicodedata.category(character) in _REFUSED else character
