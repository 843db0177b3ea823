"""Secrets of the database open with the right key for the right purpose, and in no other way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from certauthority.sealing import Unreadable, seal, unseal


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_again_and_shows_nothing(text: str) -> None:
    sealed = seal(text, purpose="test")
    assert unseal(sealed, purpose="test") == text
    assert len(text) < 8 or text not in sealed


def test_the_same_text_looks_different_each_time() -> None:
    assert seal("secret", purpose="test") != seal("secret", purpose="test")


def test_another_purpose_does_not_open_it() -> None:
    with pytest.raises(Unreadable, match="Was SECRET_KEY changed"):
        unseal(seal("secret", purpose="one"), purpose="another")


def test_another_key_does_not_open_it_unless_it_is_a_fallback(settings: Settings) -> None:
    sealed, before = seal("secret", purpose="test"), settings.SECRET_KEY
    settings.SECRET_KEY = "x" * 50
    with pytest.raises(Unreadable):
        unseal(sealed, purpose="test")
    settings.SECRET_KEY_FALLBACKS = [before]
    assert unseal(sealed, purpose="test") == "secret"


@pytest.mark.parametrize("place", [0, 10, 40, -2])
def test_a_changed_seal_does_not_open(place: int) -> None:
    sealed = seal("secret", purpose="test")
    other = "A" if sealed[place] != "A" else "B"
    characters = list(sealed)
    characters[place] = other
    with pytest.raises(Unreadable):
        unseal("".join(characters), purpose="test")


@pytest.mark.parametrize("text", ["", "x", "é", "\x00", "gAAAA", "=" * 100])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(Unreadable):
        unseal(text, purpose="test")
