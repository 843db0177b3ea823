"""One cursor for each thread: every statement is run, counted and rolled back as with a cursor of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from audit.statements import ask, meanwhile, tell

ONE = "SELECT %s"
LOCK, HANG_SECONDS = 715_517, 60


@pytest.fixture
def words(db: None) -> Iterator[str]:
    """A table for this test alone."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE words (word TEXT UNIQUE)")
    yield "words"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE words")


def test_it_gives_all_rows(words: str) -> None:
    tell("INSERT INTO words (word) VALUES (%s), (%s)", ["one", "two"])
    assert ask("SELECT word FROM words WHERE word <> %s ORDER BY word", ["none"]) == [("one",), ("two",)]
    assert ask("SELECT word FROM words WHERE word = %s", ["none"]) == []
    assert ask("INSERT INTO words (word) VALUES (%s) RETURNING word", ["three"]) == [("three",)]


@transaction.atomic
def insert_twice(word: str) -> None:
    tell("INSERT INTO words (word) VALUES (%s)", [word])
    tell("INSERT INTO words (word) VALUES (%s)", [word])


def test_it_is_part_of_the_transaction_that_is_open(words: str) -> None:
    with pytest.raises(IntegrityError):
        insert_twice("kept?")
    assert ask("SELECT word FROM words WHERE word <> %s", [""]) == []


def test_queries_are_counted_when_somebody_counts_them(db: None) -> None:
    ask(ONE, ["before"])
    with CaptureQueriesContext(connection) as captured:
        ask(ONE, ["counted"])
        ask(ONE, ["counted as well"])
    ask(ONE, ["not counted"])
    assert len(captured) == 2


def test_who_wraps_the_execution_of_queries_sees_every_one(db: None) -> None:
    seen: list[str] = []

    def see(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, parameters, many, context)

    ask(ONE, ["before"])
    with connection.execute_wrapper(see):
        ask(ONE, ["seen"])
        ask(ONE, ["seen as well"])
    ask(ONE, ["not seen"])
    assert seen == [ONE, ONE]


def test_nothing_is_asked_in_a_transaction_that_is_broken(db: None) -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            ask(ONE, ["x"])
        with pytest.raises(TransactionManagementError):
            tell(ONE, ["x"])


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_closed_is_replaced() -> None:
    assert ask(ONE, ["first"]) == [("first",)]
    connection.close()
    assert ask(ONE, ["second"]) == [("second",)]


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_over_its_own_connection() -> None:
    found: list[list[tuple[str]]] = []

    def other() -> None:
        found.append(ask(ONE, ["other"]))
        connection.close()

    ask(ONE, ["first"])
    thread = threading.Thread(target=other)
    thread.start()
    thread.join(60)
    assert found == [[("other",)]]
    assert ask(ONE, ["still there"]) == [("still there",)]


def test_what_the_database_refuses_is_raised_as_django_does(db: None) -> None:
    with pytest.raises(DatabaseError, match="there_is_no_such_table"), transaction.atomic():
        ask("SELECT %s FROM there_is_no_such_table", ["x"])


def test_what_is_told_meanwhile_is_done_at_the_end_of_the_block(words: str) -> None:
    with meanwhile():
        tell("INSERT INTO words (word) VALUES (%s)", ["one"])
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO words (word) VALUES (%s)", ["two"])
    assert ask("SELECT word FROM words WHERE word <> %s ORDER BY word", [""]) == [("one",), ("two",)]


@transaction.atomic
def insert_twice_meanwhile(word: str) -> None:
    with meanwhile():
        for _ in range(2):
            tell("INSERT INTO words (word) VALUES (%s)", [word])


def test_what_fails_meanwhile_fails_with_its_transaction(words: str) -> None:
    tell("INSERT INTO words (word) VALUES (%s)", ["one"])
    with pytest.raises(IntegrityError):
        insert_twice_meanwhile("two")
    assert ask("SELECT word FROM words WHERE word <> %s", [""]) == [("one",)]


@transaction.atomic
def divide_meanwhile(word: str) -> float:
    with meanwhile():
        tell("INSERT INTO words (word) VALUES (%s)", [word])
        return 1 / 0


def test_what_fails_beside_it_leaves_nothing(words: str) -> None:
    with pytest.raises(ZeroDivisionError):
        divide_meanwhile("one")
    assert ask("SELECT word FROM words WHERE word <> %s", [""]) == []


@pytest.mark.postgresql
def test_the_database_works_while_the_block_goes_on(db: None) -> None:
    """The statement waits for a lock that is let go within the block, once the server is seen to wait for it."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
    place = connection.get_connection_params()
    keys = ("host", "port", "dbname", "user", "password")
    with psycopg.connect(**{key: place[key] for key in keys if place.get(key)}, autocommit=True) as beside:
        beside.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        with meanwhile():
            tell("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            seen = False
            last_moment = time.monotonic() + HANG_SECONDS
            while not seen and time.monotonic() < last_moment:
                seen = beside.execute(waiting, [LOCK]).fetchone() == (1,)
            beside.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    assert seen
