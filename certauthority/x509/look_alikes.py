"""Letters that look like others: mixed scripts, whole words in look-alike letters, invisible and styled ones.

A small part of Unicode Technical Standard 39, enough to make a person look twice. It never refuses anything.
"""

from __future__ import annotations

import unicodedata

# Cyrillic and Greek letters that are drawn like Latin ones in common typefaces.
_LIKE_LATIN = frozenset("АВЕЅІЈКМНОРСТУХаеіјорсухѕԁԛԝһΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορυι")
# Scripts that are properly written together.
_WRITTEN_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)


def look_alikes(text: str) -> list[str]:
    """What a reader should look at twice, in words; nothing for ordinary text."""
    if text.isascii():
        return []
    return [finding for check in (_mixed_scripts, _whole_word, _styled, _invisible) if (finding := check(text))]


def _script(letter: str) -> str:
    """The first word of a letter's Unicode name is its script, for all that matters here."""
    return unicodedata.name(letter, "UNNAMED").split()[0]


def _named(characters: list[str]) -> str:
    distinct = list(dict.fromkeys(characters))[:5]
    return ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, 'without a name')}" for c in distinct)


def _plain_letters(text: str) -> list[str]:
    """The letters, without the styled forms that are reported on their own."""
    return [c for c in text if c.isalpha() and unicodedata.normalize("NFKC", c) == c]


def _mixed_scripts(text: str) -> str:
    letters = _plain_letters(text)
    scripts = {_script(letter) for letter in letters}
    if len(scripts) < 2 or any(scripts <= together for together in _WRITTEN_TOGETHER):
        return ""
    foreign = [letter for letter in letters if not letter.isascii() and _script(letter) != "LATIN"]
    return f"letters of several scripts ({', '.join(sorted(scripts))}), among them {_named(foreign)}"


def _whole_word(text: str) -> str:
    letters = _plain_letters(text)
    if letters and all(letter in _LIKE_LATIN for letter in letters):
        return f"every letter looks like a Latin one but is not: {_named(letters)}"
    return ""


def _styled(text: str) -> str:
    styled = [c for c in text if c.isalnum() and unicodedata.normalize("NFKC", c) != c]
    return f"letters or digits in a special form: {_named(styled)}" if styled else ""


def _invisible(text: str) -> str:
    invisible = [c for c in text if unicodedata.category(c) == "Cf"]
    return f"characters that cannot be seen: {_named(invisible)}" if invisible else ""
