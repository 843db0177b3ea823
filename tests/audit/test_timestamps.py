"""Moments as PostgreSQL says them: the same as by psycopg and Django, whoever takes them apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, connection
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from django.utils import timezone
from psycopg import DataError as PsycopgError

from tests.factories import make_company

MOMENTS = (
    "2026-11-21 23:51:48+00",
    "2026-11-21 23:51:48.1+00",
    "2026-11-21 23:51:48.000012+00",
    "0001-01-01 00:00:00+00",
    "9999-12-31 23:59:59.999999+00",
    "2026-11-21 23:51:48.5+05:30",
)
NO_MOMENTS = ("infinity", "-infinity", "0044-03-15 00:00:00+00 BC", "10000-01-01 00:00:00+00")


def by_django(text: str) -> datetime:
    """As Django's own loader reads it, of a connection of its own."""
    with connection.cursor() as cursor:
        loader = type("Loader", (BaseTzLoader,), {"timezone": UTC})(0, cursor.cursor)
        found: datetime = loader.load(text.encode())
    return found


def asked(sql: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", values)
        return cursor.fetchone()[0]


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("text", MOMENTS)
def test_a_moment_is_what_django_reads(text: str) -> None:
    found = asked("%s::text::timestamptz", text)
    assert found == datetime.fromisoformat(text)
    assert found.tzinfo is UTC
    assert found == by_django(asked("%s::text::timestamptz::text", text))


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("text", NO_MOMENTS)
def test_what_python_has_no_moment_for_is_refused_as_before(text: str) -> None:
    with pytest.raises(DataError) as ours:
        asked("%s::text::timestamptz", text)
    with pytest.raises(PsycopgError) as by_psycopg:
        by_django(text)
    assert str(ours.value) == str(by_psycopg.value)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_in_another_time_zone_and_in_another_style_django_reads() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        (moment,) = cursor.fetchone()
        cursor.execute("SET LOCAL timezone = 'Asia/Kolkata'")
        cursor.execute("SELECT '2026-11-21 12:00+00'::timestamptz")
        (elsewhere,) = cursor.fetchone()
    assert moment.tzinfo is UTC
    # Django takes the clock as it was said, and calls it the time zone that it expects.
    assert elsewhere == datetime(2026, 11, 21, 17, 30, tzinfo=UTC)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_the_connection_of_the_site_reads_this_way() -> None:
    adapters = connection.connection.adapters
    loader = adapters.get_loader(adapters.types["timestamptz"].oid, 0)
    assert (loader.__name__, loader.timezone) == ("Quicker", UTC)


@pytest.mark.django_db
def test_a_moment_that_is_stored_is_read_again() -> None:
    now = timezone.now()
    for moment in (now, now.replace(microsecond=0), now + timedelta(days=9000), None):
        company = make_company(verified_at=moment)
        company.refresh_from_db()
        assert company.verified_at == moment
