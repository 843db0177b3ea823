"""Nothing that says good survives a revocation: not what is signed meanwhile, nor what a lost Redis brings back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from certauthority.models import Authority, Certificate
from certauthority.ocsp import answers, making, ready_made
from certauthority.ocsp.answers import Standing
from tests.certauthority.ocsp_client import get, issue, request_for, revoke, status

GUARD_SECONDS = 30
AWAY = "unix:///no/such/socket?db=0"


def standing() -> Standing:
    found = answers.standing_of("developers")
    assert found is not None
    return found


def stored(certificate: Certificate) -> bool:
    """Whether Redis holds anything for it."""
    return ready_made.find(standing().authority_id, certificate.serial, "sha1") is not None


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    """Another process would do; a thread has a database connection of its own, too."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def certificate(transactional_db: None, authorities: dict[str, Authority]) -> Certificate:
    return issue()


def test_what_was_signed_before_a_revocation_is_not_stored_after_it(certificate: Certificate) -> None:
    """A task reads good and signs; the revocation commits; then the task would store what it has signed."""
    signed = making.sign_all(standing(), [certificate], now=timezone.now())
    revoke(certificate)
    assert making.store(standing(), signed) == 0
    assert not stored(certificate)
    assert status(get(request_for(certificate))) == "REVOKED"


def test_a_revocation_waits_for_a_task_that_is_storing_and_takes_its_response_away(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task has looked at the row and is about to store good when the revocation begins."""
    signed = making.sign_all(standing(), [certificate], now=timezone.now())
    about_to_store, go_on, revoked = threading.Event(), threading.Event(), threading.Event()
    keep = ready_made.keep

    def slow_keep(*arguments: Any) -> bool:
        about_to_store.set()
        assert go_on.wait(GUARD_SECONDS)
        return keep(*arguments)

    monkeypatch.setattr(ready_made, "keep", slow_keep)

    def revoke_now() -> None:
        revoke(certificate)
        revoked.set()

    with ExitStack() as ends:
        storing = in_thread(lambda: making.store(standing(), signed))
        ends.callback(storing.join, GUARD_SECONDS)
        ends.callback(go_on.set)
        assert about_to_store.wait(GUARD_SECONDS)
        revoking = in_thread(revoke_now)
        assert not revoked.wait(0.5), "the row is locked for as long as the response is stored"
        go_on.set()
        storing.join(GUARD_SECONDS)
        revoking.join(GUARD_SECONDS)
    assert revoked.is_set()
    assert not stored(certificate)
    assert status(get(request_for(certificate))) == "REVOKED"


@pytest.mark.postgresql
def test_a_task_leaves_a_row_alone_that_is_being_revoked(certificate: Certificate) -> None:
    """The revocation has taken the old response away and has not committed yet; SQLite lets the task wait instead."""
    assert making.make(certificate, now=timezone.now())
    withdrawn, go_on = threading.Event(), threading.Event()

    def revoke_slowly() -> None:
        with transaction.atomic():
            revoke(certificate)
            withdrawn.set()
            assert go_on.wait(GUARD_SECONDS)

    with ExitStack() as ends:
        revoking = in_thread(revoke_slowly)
        ends.callback(revoking.join, GUARD_SECONDS)
        ends.callback(go_on.set)
        assert withdrawn.wait(GUARD_SECONDS)
        assert making.make_page(certificate.authority, after=None, now=timezone.now()) is not None  # type: ignore[arg-type]
        assert not stored(certificate)
        assert status(get(request_for(certificate))) == "GOOD", "nothing is committed yet"
        go_on.set()
        revoking.join(GUARD_SECONDS)
    assert status(get(request_for(certificate))) == "REVOKED"


def test_a_revocation_that_is_rolled_back_leaves_a_good_certificate(certificate: Certificate) -> None:
    making.make(certificate, now=timezone.now())
    with transaction.atomic():
        revoke(certificate)
        transaction.set_rollback(True)
    assert status(get(request_for(certificate))) == "GOOD"


def test_a_redis_that_was_away_during_a_revocation_is_not_believed_until_it_is_settled(
    certificate: Certificate, settings: Settings
) -> None:
    other = issue("2")
    for row in (certificate, other):
        assert making.make(row, now=timezone.now())
    assert status(get(request_for(certificate))) == "GOOD"
    redis_url = site_settings.REDIS_URL
    settings.REDIS_URL = AWAY
    revoke(certificate)
    assert status(get(request_for(certificate))) == "REVOKED", "signed on the spot"
    settings.REDIS_URL = redis_url
    ready_made.pause.end()
    assert stored(certificate), "Redis is back with what it held, and that says good"
    answers.forget()  # A process relies on what it read for one second.
    assert status(get(request_for(certificate))) == "REVOKED"
    assert not standing().trusts_ready_made
    assert making.settle() == 1
    answers.forget()
    assert standing().trusts_ready_made
    assert not stored(certificate)
    assert stored(other)
    assert status(get(request_for(certificate))) == "REVOKED"


def test_a_process_reads_again_after_a_second_whether_redis_is_to_be_believed(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "STANDING_SECONDS", 0.0)
    assert standing().trusts_ready_made
    Certificate.objects.filter(pk=certificate.pk).update(ocsp_unsettled=True)
    assert not standing().trusts_ready_made
    monkeypatch.setattr(answers, "STANDING_SECONDS", 3600.0)
    Certificate.objects.filter(pk=certificate.pk).update(ocsp_unsettled=False)
    assert not standing().trusts_ready_made, "what was read is relied on for so long"


def test_what_could_not_be_stored_for_sure_is_noted(certificate: Certificate, settings: Settings) -> None:
    signed = making.sign_all(standing(), [certificate], now=timezone.now())
    redis_url = site_settings.REDIS_URL
    settings.REDIS_URL = AWAY
    assert making.store(standing(), signed) == 0
    certificate.refresh_from_db()
    assert certificate.ocsp_unsettled
    assert making.settle() == 0, "Redis is still away"
    settings.REDIS_URL = redis_url
    ready_made.pause.end()
    assert making.settle() == 1
    certificate.refresh_from_db()
    assert not certificate.ocsp_unsettled
