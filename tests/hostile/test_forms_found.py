"""The forms that these tests fill are all that the site has, also where fewer pages are read for them."""

from __future__ import annotations

import pytest

from tests.hostile import forms_found
from tests.hostile.forms_found import FoundForm, forms_of
from tests.whole_site import WholeSite


def described(forms: list[FoundForm]) -> list[tuple[object, ...]]:
    """All but the values, of which some are drawn for each page."""
    fields = [(sorted(form.values), form.boxes, form.files, form.choices, form.buttons) for form in forms]
    return [(form.person, form.page, form.action, *found) for form, found in zip(forms, fields, strict=True)]


def test_the_second_look_finds_what_the_first_did(site: WholeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms_found, "_without_forms", {})
    first = described(forms_of(site))
    assert len(first) > 40
    assert len(forms_found._without_forms) > 3 * 40
    assert described(forms_of(site)) == first
