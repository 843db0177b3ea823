"""The menus of the inventory's filter, whose markup is kept from one page to the next."""

from __future__ import annotations

import re

import pytest
from django import forms

from kmp.forms.inventory import InventoryForm
from kmp.models import Application, Environment

pytestmark = pytest.mark.django_db


def options(form: InventoryForm, name: str) -> list[str]:
    return re.findall(r"<option[^>]*>([^<]*)</option>", str(form[name]))


@pytest.mark.parametrize("given", [{}, {"environment": "mtf"}, {"environment": "nowhere"}, {"environment": ""}])
def test_a_menu_is_the_one_that_django_renders(given: dict[str, str]) -> None:
    plain = InventoryForm(given)
    plain.fields["environment"].widget = forms.Select(choices=[("", "Both"), *Environment.choices])
    expected = str(plain["environment"])
    for _ in range(2):
        assert str(InventoryForm(given)["environment"]) == expected


def test_a_menu_follows_what_is_chosen_and_what_there_is_to_choose() -> None:
    application = Application.objects.create(code="new-api", name="New <API>")
    assert "New &lt;API&gt;" in options(InventoryForm({}), "application")
    assert "selected" in str(InventoryForm({"application": "new-api"})["application"]).partition("new-api")[2]
    assert 'value="new-api" selected' not in str(InventoryForm({})["application"])
    application.name = "Newer API"
    application.save()
    assert "Newer API" in options(InventoryForm({}), "application")
    application.delete()
    assert "Newer API" not in options(InventoryForm({}), "application")
