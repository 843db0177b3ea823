"""How the site speaks to PostgreSQL: nothing of it waits for ever."""

from __future__ import annotations

import pytest
from django.db import connection


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("name", "at_most"),
    [
        ("connect_timeout", 5),
        ("tcp_user_timeout", 15_000),
        ("keepalives_idle", 15),
        ("keepalives_interval", 5),
        ("keepalives_count", 3),
    ],
)
def test_a_server_that_answers_nothing_is_given_up(db: None, name: str, at_most: int) -> None:
    """libpq got each of these: without them a machine that is gone is waited for for two hours (tcp(7))."""
    connection.ensure_connection()
    given = connection.connection.info.get_parameters()
    assert 0 < int(given[name]) <= at_most
    assert given.get("keepalives", "1") == "1"


@pytest.mark.postgresql
def test_a_statement_that_takes_too_long_is_ended(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("30s",)
