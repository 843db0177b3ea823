"""Keystore passwords: which are refused, what is said about their strength, and those that are suggested."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.keystores.browser_code import BrowserCode

EVERY_PRINTABLE_CHARACTER = "".join(map(chr, range(0x20, 0x7F)))
LOOK_ALIKES = set("0Oo1lI")
WORDS = ["Checkout API", "Acme Payments Ltd", "sandbox-client"]


@pytest.mark.parametrize(
    "password",
    ["x" * 12, "x" * 1000, " " * 12, EVERY_PRINTABLE_CHARACTER, "  at both ends  ", "\"quotes\" '$\\'"],
)
def test_a_password_within_the_rules_has_no_problem(browser_code: BrowserCode, password: str) -> None:
    assert browser_code.ask("problem", password=password) == ""


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "Choose a keystore password."),
        ("x", "Use at least 12 characters; this password has 1."),
        ("x" * 11, "Use at least 12 characters; this password has 11."),
        ("x" * 1001, "Use at most 1,000 characters; this password has 1,001."),
        *[
            (f"long enough {character}", "Java cannot open a keystore whose password holds anything else.")
            for character in ("é", "ß", "密", "🔑", "\t", "\n", "\r", "\x00", "\x7f", "\xa0", "“", "e\u0301", "\ud800")
        ],
    ],
)
def test_what_is_wrong_with_a_password_is_said(browser_code: BrowserCode, password: str, sentence: str) -> None:
    assert browser_code.ask("problem", password=password).endswith(sentence)


@pytest.mark.parametrize(
    ("password", "label", "hint"),
    [
        ("aaaaaaaaaaaa", "Very weak", "repeat"),
        ("abcdefghijkl", "Very weak", "row"),
        ("lkjihgfedcba", "Very weak", "row"),
        ("qwertyuiop[]", "Very weak", "row"),
        ("            ", "Very weak", "repeat"),
        ("Password1234", "Very weak", "tried first"),
        ("passwordpassword", "Very weak", "tried first"),
        ("Summer2026!!", "Very weak", "tried first"),
        ("Acme-Checkout", "Very weak", "on this page"),
        ("ACMEpayments2026", "Very weak", "on this page"),
        ("extraordinary", "Very weak", "longer"),
        ("xkqjzpwmvbnt", "Fair", "longer"),
        ("gT7#kQ9!zR2$", "Good", ""),
        ("correct horse battery staple", "Good", ""),
        ("mK3vTq9ZwX4bHs7RfDn2", "Strong", ""),
        ("x" * 1000, "Strong", ""),
    ],
)
def test_strength_is_judged_by_what_guessing_takes(
    browser_code: BrowserCode, password: str, label: str, hint: str
) -> None:
    judged = browser_code.ask("strength", password=password, words=WORDS)
    assert judged["label"] == label
    assert hint in judged["hint"]
    assert (judged["hint"] == "") == (hint == "")
    assert ["Very weak", "Weak", "Fair", "Good", "Strong"][judged["score"]] == label


def test_every_suggested_password_is_strong(browser_code: BrowserCode) -> None:
    for password in browser_code.ask("suggest", count=2000):
        assert browser_code.ask("strength", password=password, words=[])["label"] == "Strong"


def test_a_longer_password_of_the_same_kind_is_stronger(browser_code: BrowserCode) -> None:
    password = "gT7#kQ9!zR2$vX5%wM3&"
    scores = [
        browser_code.ask("strength", password=password[:length], words=WORDS)["score"]
        for length in range(1, len(password) + 1)
    ]
    assert scores == sorted(scores)
    assert set(scores) == {0, 1, 2, 3, 4}


def test_no_word_of_the_page_breaks_the_judgement(browser_code: BrowserCode) -> None:
    for words in ([], [""], ["(((", "[a-", "\\", "*+?"], ["密" * 20, "a" * 5000]):
        assert browser_code.ask("strength", password="gT7#kQ9!zR2$", words=words)["label"] == "Good"


def test_suggested_passwords_are_long_and_easy_to_read_and_to_quote(browser_code: BrowserCode) -> None:
    drawn = browser_code.ask("suggest", count=2000)
    assert {len(password) for password in drawn} == {24}
    assert len(set(drawn)) == len(drawn)
    used = Counter("".join(drawn))
    assert all(character.isascii() and character.isalnum() for character in used)
    assert not LOOK_ALIKES & set(used)
    assert len(used) == 56


def test_every_character_is_as_likely_as_any_other(browser_code: BrowserCode) -> None:
    """48,000 draws of 56 characters: 857 of each, and 29 is the standard deviation. Drawn by remainder alone, without
    leaving out the last bytes, the first 32 would come 25 % more often than the others."""
    used = Counter("".join(browser_code.ask("suggest", count=2000)))
    assert all(abs(count - 857) < 7 * 29 for count in used.values())
    assert all(
        browser_code.ask("problem", password=password) == "" for password in browser_code.ask("suggest", count=9)
    )
