"""Two at once: officers who renew the same certificate, and buttons pressed twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority
from kmp import requests, tasks
from kmp.entries import add_entry
from kmp.errors import CannotRenew, WrongState
from kmp.models import CertificateRequest, InventoryEntry, RequestState
from kmp.signing import sign
from tests.kmp.factories import make_entry
from tests.kmp.wizard import (
    browser,
    company_of,
    csr_for_renewal,
    details,
    make_draft,
    make_renewal,
    make_two_officers,
    review_form,
    url,
)
from tests.page_text import text_of

pytestmark = pytest.mark.postgresql
ROUNDS = 4


def both(*acts: Callable[[], Any]) -> list[Any]:
    """What each of them gave, done in threads with connections of their own, at the same moment."""
    barrier, results = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            results.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == len(acts), "each was answered"
    return results


def test_two_officers_renew_one_certificate_and_one_draft_results(
    transactional_db: None, authorities: dict[str, Authority]
) -> None:
    olga, piet = make_two_officers()
    for _ in range(ROUNDS):
        entry = make_entry(company_of(olga))
        form = {"csr": csr_for_renewal(entry).decode()}
        clients = [browser(olga), browser(piet)]
        address = url("entry_renew", entry.reference)
        answers = both(*(partial(client.post, address, form) for client in clients))
        assert sorted(answer.status_code for answer in answers) == [200, 302]
        draft = CertificateRequest.objects.get(expiring=entry)
        told = next(text_of(answer) for answer in answers if answer.status_code == 200)
        assert f"{draft.officer.name} is renewing this certificate with {draft.number}." in told


def test_one_successor_results_whatever_is_tried(transactional_db: None, authorities: dict[str, Authority]) -> None:
    olga, _ = make_two_officers()
    entry = make_entry(company_of(olga))
    actor = Actor("x")
    request = requests.submit(make_renewal(olga, entry), by=olga, actor=actor, now=timezone.now())
    signed = both(*[lambda: sign(request, decided_by="x", actor=actor, now=timezone.now())] * 2)
    assert signed[0] == signed[1]
    assert InventoryEntry.objects.filter(renews=entry).count() == 1
    other = make_entry(company_of(olga))
    with pytest.raises(CannotRenew), transaction.atomic():
        add_entry(
            company=entry.company,
            application=entry.application,
            environment=entry.environment,
            profile=entry.profile,
            certificate=other.certificate,
            renews=entry,
            now=timezone.now(),
        )


def test_submit_pressed_twice_at_once_submits_once(
    transactional_db: None, authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks.process_request, "delay", sent.append)
    olga, _ = make_two_officers()
    draft = make_draft(olga)
    form = review_form(draft, names="a.acme.example")
    clients = [browser(olga), browser(olga)]
    answers = both(*(partial(client.post, url("request_submit", draft.number), form) for client in clients))
    assert [answer.headers["Location"] for answer in answers] == [url("request", draft.number)] * 2
    draft.refresh_from_db()
    assert draft.state == RequestState.SUBMITTED
    assert AuditEvent.objects.filter(action="kmp.request-submitted").count() == 1
    assert sent == [str(draft.pk)]


def test_next_pressed_twice_at_once_begins_one_draft(transactional_db: None, authorities: dict[str, Authority]) -> None:
    olga, _ = make_two_officers()
    make_draft(olga)  # So that the applications are there.
    for _ in range(ROUNDS):
        before, form, clients = CertificateRequest.objects.count(), details(), [browser(olga), browser(olga)]
        answers = both(*(partial(client.post, url("request_new"), form) for client in clients))
        assert answers[0].headers["Location"] == answers[1].headers["Location"]
        assert CertificateRequest.objects.count() == before + 1


def test_a_cancel_and_a_signature_never_both_succeed(transactional_db: None, authorities: dict[str, Authority]) -> None:
    olga, _ = make_two_officers()
    for _ in range(ROUNDS):
        actor = Actor(olga.email)
        request = requests.submit(make_draft(olga), by=olga, actor=actor, now=timezone.now())

        cancelled = partial(requests.cancel, request, by=olga, actor=actor, now=timezone.now())
        signed = partial(sign, request, decided_by="x", actor=actor, now=timezone.now())
        assert sorted(both(partial(_outcome, cancelled), partial(_outcome, signed))) == ["WrongState", "done"]
        request.refresh_from_db()
        assert (request.state == RequestState.SIGNED) == (request.entry is not None)


def _outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except WrongState as refusal:
        return type(refusal).__name__
    return "done"
