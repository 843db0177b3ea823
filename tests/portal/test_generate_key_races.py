"""`Generate a new private key`: one request sent twice at the same moment, over two connections."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from audit.models import AuditEvent
from certauthority.models import Authority, Certificate
from portal.models import Credential
from tests.portal.credential_pages import credential_url, made_in_browser, page_url
from tests.whole_site import WholeSite, make_whole_site

pytestmark = pytest.mark.postgresql
ROUNDS = 5


@pytest.fixture
def site(transactional_db: None, authorities: dict[str, Authority]) -> WholeSite:
    return make_whole_site()


def at_once(clients: list[Client], url: str, forms: list[dict[str, Any]]) -> list[Any]:
    """The answers to all forms, sent at the same moment; in the order of their status."""
    barrier, responses = threading.Barrier(len(clients)), []

    def send(client: Client, form: dict[str, Any]) -> None:
        try:
            barrier.wait(10)
            responses.append(client.post(url, form))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=pair) for pair in zip(clients, forms, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(responses) == len(clients), "all were answered"
    return sorted(responses, key=lambda response: int(response.status_code))


def test_one_submission_sent_twice_makes_one_certificate_and_two_equal_answers(site: WholeSite) -> None:
    clients = [site.client("admin"), site.client("admin")]
    for number in range(ROUNDS):
        form = made_in_browser(site.project, alias=f"twice-{number}")
        answers = at_once(clients, page_url("generate_key", site.project), [form, form])
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
    assert Credential.objects.filter(alias__startswith="twice").count() == ROUNDS
    assert Certificate.objects.filter(credentials__alias__startswith="twice").count() == ROUNDS
    assert AuditEvent.objects.filter(action="credential.added", object_label__startswith="twice").count() == ROUNDS


def test_one_submission_with_two_keys_makes_one_certificate_and_refuses_the_other(site: WholeSite) -> None:
    clients = [site.client("admin"), site.client("admin")]
    for number in range(ROUNDS):
        first = made_in_browser(site.project, alias=f"keys-{number}")
        second = {**made_in_browser(site.project, alias=f"keys-{number}"), "submission": first["submission"]}
        answers = at_once(clients, page_url("generate_key", site.project), [first, second])
        assert [answer.status_code for answer in answers] == [200, 409]
    assert Credential.objects.filter(alias__startswith="keys").count() == ROUNDS


def test_a_keystore_is_noted_once(site: WholeSite) -> None:
    clients = [site.client("admin"), site.client("admin")]
    answers = at_once(clients, credential_url("keystore_saved", site.credential), [{}, {}])
    assert [answer.status_code for answer in answers] == [302, 302]
    assert AuditEvent.objects.filter(action="credential.keystore-saved").count() == 1
