"""`Revoke` in KMP of a certificate that is in use: the last hour before the word, and one more tick."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from certauthority.models import ReasonCode
from certauthority.use_records import record_calls
from connect.models import Company
from kmp.models import InventoryEntry
from tests.certauthority.seen_calls import seen
from tests.kmp.factories import make_chain, make_entry
from tests.page_text import text_of

RIGHT = {"reason": "superseded", "confirmation": "REVOKE"}


@pytest.fixture
def entry(acme: Company) -> InventoryEntry:
    return make_entry(acme)


def url_of(entry: InventoryEntry) -> str:
    return reverse("kmp:entry_revoke", args=[entry.reference])


def called(entry: InventoryEntry, *minutes_ago: float, reason: ReasonCode = ReasonCode.ACCEPTED) -> None:
    now = timezone.now()
    moments = [now - timedelta(minutes=ago) for ago in minutes_ago]
    record_calls([seen(entry.certificate, at, reason=reason, address="10.0.0.5") for at in moments])


def is_revoked(entry: InventoryEntry) -> bool:
    entry.certificate.refresh_from_db()
    return entry.certificate.revoked_at is not None


def test_use_in_the_last_hour_is_told_and_asks_for_a_tick(as_olga: Client, entry: InventoryEntry) -> None:
    assert "In the last hour No call accepted" in text_of(as_olga.get(url_of(entry)))
    called(entry, 5, 10)
    text = text_of(as_olga.get(url_of(entry)))
    assert "In the last hour 2 calls accepted, from 10.0.0.5" in text
    assert "I know that it was used 2 times in the last hour, last at " in text
    answer = as_olga.post(url_of(entry), RIGHT)
    assert not is_revoked(entry)
    assert "Tick that you know, or keep it. Nothing was revoked." in text_of(answer)
    assert 'value="REVOKE"' in answer.content.decode()
    as_olga.post(url_of(entry), {**RIGHT, "knows_of_use": "on"})
    assert is_revoked(entry)


def test_use_that_began_after_the_page_was_opened_asks_as_well(as_olga: Client, entry: InventoryEntry) -> None:
    assert "I know that it was used" not in text_of(as_olga.get(url_of(entry)))
    called(entry, 0.1)
    assert "I know that it was used once" in text_of(as_olga.post(url_of(entry), RIGHT))
    assert not is_revoked(entry)


def test_older_use_and_refused_calls_ask_for_nothing(as_olga: Client, entry: InventoryEntry) -> None:
    called(entry, 61)
    called(entry, 5, reason=ReasonCode.NOT_ON_PROJECT)
    text = text_of(as_olga.get(url_of(entry)))
    assert "No call accepted; 1 refused, from 10.0.0.5" in text
    assert "I know that it was used" not in text
    as_olga.post(url_of(entry), RIGHT)
    assert is_revoked(entry)


def test_the_use_of_the_newer_version_is_told(as_olga: Client, acme: Company) -> None:
    first, second = make_chain(acme, 2)
    assert "not used yet" in text_of(as_olga.get(url_of(first)))
    called(second, 90, 3)
    text = text_of(as_olga.get(url_of(first)))
    assert f"first used on {timezone.now() - timedelta(minutes=90):%-d %b %Y, %H:}" in text
    assert "not used yet" not in text
