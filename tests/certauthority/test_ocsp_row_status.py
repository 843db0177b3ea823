"""The query behind a response: the quick way through libpq and Django's own say the same."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.test.utils import CaptureQueriesContext

from certauthority.models import Authority, RevocationReason
from certauthority.ocsp import row_status
from certauthority.x509.ocsp_response import Revocation
from tests.certauthority.ocsp_client import issue, revoke

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the quick way found, each time that it was taken."""
    found: list[Any] = []
    way = row_status._one_status

    def noted(*arguments: Any) -> Any:
        found.append(way(*arguments))
        return found[-1]

    monkeypatch.setattr(row_status, "_one_status", noted)
    return found


def test_both_ways_say_the_same(authorities: dict[str, Authority], quick: list[Any]) -> None:
    good, revoked = issue("1"), issue("2")
    revoke(revoked, RevocationReason.SUPERSEDED)
    revoked.refresh_from_db()
    pk, absent = authorities["developers"].pk, uuid.uuid4().hex
    assert revoked.revoked_at is not None
    wanted = {good.serial: True, revoked.serial: Revocation(revoked.revoked_at, "superseded")}
    assert row_status.statuses(pk, [good.serial, revoked.serial, absent]) == wanted
    assert quick == []
    alone = [row_status.statuses(pk, [serial]) for serial in (good.serial, revoked.serial, absent)]
    assert alone == [{good.serial: True}, {revoked.serial: wanted[revoked.serial]}, {}]
    assert quick == (alone if connections["default"].vendor == "postgresql" else [])
    assert row_status.statuses(authorities["kmp"].pk, [good.serial]) == {}


def test_who_counts_queries_sees_this_one(authorities: dict[str, Authority], quick: list[Any]) -> None:
    good = issue()
    with CaptureQueriesContext(connections["default"]) as captured:
        assert row_status.statuses(authorities["developers"].pk, [good.serial]) == {good.serial: True}
    assert len(captured) == 1
    assert quick == []


@pytest.mark.postgresql
def test_a_lost_statement_is_prepared_again(authorities: dict[str, Authority], quick: list[Any]) -> None:
    good, pk = issue(), authorities["developers"].pk
    expected = {good.serial: True}
    assert row_status.statuses(pk, [good.serial]) == expected
    with connections["default"].cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    assert row_status.statuses(pk, [good.serial]) == expected
    assert row_status.statuses(pk, [good.serial]) == expected
    assert quick == [expected, None, expected]


@pytest.mark.postgresql
def test_a_lost_connection_is_an_error_of_the_database(authorities: dict[str, Authority]) -> None:
    good, pk = issue(), authorities["developers"].pk
    database = connections["default"]
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    other = database.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    other.close()
    with pytest.raises(DatabaseError):
        row_status.statuses(pk, [good.serial])
    database.close()
    assert row_status.statuses(pk, [good.serial]) == {good.serial: True}
