"""Silence about one certificate until a day, and the signed links that ask for it."""

from __future__ import annotations

import pytest

from connect.expiry.snooze import read_token, snooze_url
from connect.expiry.sources import lifetime_of
from tests.factories import make_credential, make_project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("authorities")]


def test_a_link_says_what_it_was_made_for() -> None:
    credential = make_credential(make_project(), alias="payouts")
    lifetime = lifetime_of(f"portal:{credential.pk}")
    assert lifetime is not None
    url = snooze_url(lifetime, "Alice@acme.example")
    link = read_token(url.rstrip("/").rpartition("/")[2])
    assert (link.watched, link.address) == (f"portal:{credential.pk}", "alice@acme.example")
