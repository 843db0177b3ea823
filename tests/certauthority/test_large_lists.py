"""A large CRL: sent in pieces, marked in portions, and no more of them kept than there is room for."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from cryptography import x509
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certauthority import background, crl_entries, readiness, revocation_lists, tasks
from certauthority.models import Authority, Certificate, RevocationList
from tests.certauthority.ocsp_client import issue, revoke

GUARD_SECONDS = 30
URL = "/ca/developers.crl"


def newest(authority: Authority) -> RevocationList:
    crl = revocation_lists.current(authority)
    assert crl is not None
    return crl


@pytest.fixture
def large(authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The DER of a list that has several pieces, and does not end with a whole one."""
    revoke(issue())
    revocation_lists.publish(authorities["developers"], now=timezone.now())
    der = bytes(newest(authorities["developers"]).der)
    monkeypatch.setattr(revocation_lists, "PIECE", len(der) // 3 - 1)
    return der


@pytest.mark.django_db
def test_a_large_list_is_sent_in_pieces(client: Client, large: bytes) -> None:
    response = client.get(URL)
    assert response.streaming
    sent = list(response)
    assert b"".join(sent) == large
    assert max(map(len, sent)) == revocation_lists.PIECE
    assert len(sent) == 4
    assert response["Content-Length"] == str(len(large))
    assert response["Content-Type"] == "application/pkix-crl"
    assert response["Cache-Control"].startswith("public, max-age=")


@pytest.mark.django_db
def test_its_length_is_told_without_it(client: Client, large: bytes) -> None:
    response = client.head(URL)
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Length"] == str(len(large))
    assert response["Content-Type"] == "application/pkix-crl"


@pytest.mark.django_db
def test_who_has_it_is_told_so_until_there_is_another(client: Client, authorities: dict[str, Authority]) -> None:
    tag = client.get(URL)["ETag"]
    unchanged = client.get(URL, headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged["Cache-Control"].startswith("public, max-age=")
    revocation_lists.publish(authorities["developers"], now=timezone.now())
    changed = client.get(URL, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed["ETag"] != tag


@pytest.mark.django_db
def test_many_revocations_are_listed_at_once_and_marked_in_portions(
    authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation_lists, "MARKED_AT_ONCE", 2)
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(background, "enqueue", lambda *message: sent.append(message))
    developers, revoked = authorities["developers"], [issue(str(number)) for number in range(5)]
    for certificate in revoked:
        revoke(certificate)
    for left in (3, 1, 0):
        sent.clear()
        tasks.publish_revocation_list(developers.pk)
        listed = x509.load_der_x509_crl(bytes(newest(developers).der))
        assert {entry.serial_number for entry in listed} == {int(each.serial, 16) for each in revoked}
        assert revocation_lists.pending(developers).count() == left
        assert sent == ([(tasks.publish_revocation_list, developers.pk, 0)] if left else [])


@pytest.mark.django_db
def test_of_large_lists_the_one_before_is_kept_and_no_more_than_there_is_room_for(
    authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    developers = authorities["developers"]
    size = len(bytes(newest(developers).der))
    monkeypatch.setattr(revocation_lists, "KEPT_BYTES", 3 * size + size // 2)
    for _ in range(6):
        revocation_lists.publish(developers, now=timezone.now())
    numbers = list(developers.revocation_lists.order_by("number").values_list("number", flat=True))
    assert numbers == [4, 5, 6, 7]
    monkeypatch.setattr(revocation_lists, "KEPT_BYTES", 1)
    revocation_lists.publish(developers, now=timezone.now())
    assert list(developers.revocation_lists.order_by("number").values_list("number", flat=True)) == [7, 8]


@pytest.mark.django_db
def test_nobody_who_only_asks_how_lists_are_reads_them(authorities: dict[str, Authority]) -> None:
    now = timezone.now()
    with CaptureQueriesContext(connection) as queries:
        revocation_lists.due(now=now)
        readiness.problems(now=now)
        revocation_lists.publish(authorities["developers"], now=now, only_if_pending=True)
    read = [query["sql"] for query in queries if "certauthority_revocationlist" in query["sql"]]
    assert read
    assert not [sql for sql in read if '"der"' in sql]


def test_certificates_are_issued_while_a_list_is_being_made(
    transactional_db: None, authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite there is one writer at a time, whoever it is: there the issuing comes after the list."""
    reading, may_go_on = threading.Event(), threading.Event()
    read = crl_entries.read

    def read_slowly(*arguments: Any, **named: Any) -> crl_entries.Entries:
        reading.set()
        assert may_go_on.wait(GUARD_SECONDS)
        return read(*arguments, **named)

    monkeypatch.setattr(crl_entries, "read", read_slowly)

    def publish() -> None:
        try:
            revocation_lists.publish(authorities["developers"], now=timezone.now())
        finally:
            connection.close()

    before = newest(authorities["developers"]).number
    publisher = threading.Thread(target=publish, daemon=True)
    publisher.start()
    assert reading.wait(GUARD_SECONDS)
    if connection.vendor != "postgresql":
        may_go_on.set()
    certificate = issue()
    assert Certificate.objects.filter(pk=certificate.pk).exists()
    assert may_go_on.is_set() == (connection.vendor != "postgresql")
    may_go_on.set()
    publisher.join(GUARD_SECONDS)
    assert newest(authorities["developers"]).number == before + 1
