"""What counts as a secret that anybody can guess."""

from __future__ import annotations

import secrets

import pytest

from certauthority.chosen_secrets import is_easily_guessed


@pytest.mark.parametrize(
    "secret",
    ["x7c4q9", "a" * 64, "1234" * 16, "django-insecure-x7c4q9k2", "Correct-Rehearsal-77", "ChangeMe-x7c4q9k2"],
    ids=["short", "one character", "four characters", "Django’s", "the demo’s", "an example’s"],
)
def test_it_is_easily_guessed(secret: str) -> None:
    assert is_easily_guessed(secret, characters=16)


def test_what_was_drawn_is_not() -> None:
    assert not is_easily_guessed(secrets.token_urlsafe(24), characters=16)
    assert not is_easily_guessed("abcde" * 4, characters=16)
