"""A database that does not answer: 503 and a sentence on every page, and the same error's other kinds stay 500."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import Error as DjangoError
from django.db import InterfaceError, OperationalError, connection
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import reverse

from connect.away import Service, missing_service
from connect.views.errors import failed
from portal.models import Project
from tests.factories import make_user

SENTENCE = "The site’s database does not answer at the moment. What you sent was most likely not stored."
HTMX = {"HX-Request": "true"}


def error_of(cause: Exception) -> DjangoError:
    """Django's error for one of psycopg."""
    with pytest.raises(DjangoError) as raised, connection.wrap_database_errors:
        raise cause
    return raised.value


@pytest.fixture
def alice_signed_in(transactional_db: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make_user(email="alice@acme.example"))
    return client


@pytest.fixture
def other(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A connection beside the one of the pages."""
    place = connection.get_connection_params()
    keys = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{key: place[key] for key in keys if place.get(key)}) as beside:
        yield beside


class Outage:
    """PostgreSQL is at no address while it lasts; ``attempts`` counts the connections that were tried."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.attempts = 0
        self._connect = connection.get_new_connection

    def begin(self) -> None:
        connection.close()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        self._patch.setattr(connection, "get_new_connection", lambda params: self._try(params, port))

    def _try(self, params: dict[str, object], port: int) -> object:
        self.attempts += 1
        return self._connect({**params, "host": "127.0.0.1", "port": port})

    def end(self) -> None:
        self._patch.undo()


@pytest.fixture
def outage(transactional_db: None) -> Iterator[Outage]:
    with pytest.MonkeyPatch.context() as patch:
        found = Outage(patch)
        yield found
        found.end()
        connection.close()


def _is_away(response: HttpResponseBase) -> bool:
    assert response.headers["Retry-After"] == "10"
    assert "no-store" in response.headers["Cache-Control"]
    return response.status_code == 503


@pytest.mark.postgresql
def test_a_page_says_what_is_missing_and_works_again_afterwards(alice_signed_in: Client, outage: Outage) -> None:
    outage.begin()
    response = alice_signed_in.get(reverse("portal:projects"))
    page = response.content.decode()
    assert _is_away(response)
    assert SENTENCE in page
    assert "Try again in a minute" in page
    assert "its PostgreSQL does not answer" in page
    assert outage.attempts == 1, "each attempt may take seconds"
    assert settings.SESSION_COOKIE_NAME not in response.cookies, "the session is not ended"
    outage.end()
    assert alice_signed_in.get(reverse("portal:projects")).status_code == 200


@pytest.mark.postgresql
def test_a_form_stores_nothing(alice_signed_in: Client, outage: Outage) -> None:
    outage.begin()
    assert _is_away(alice_signed_in.post(reverse("portal:project_create"), {"name": "Checkout"}))
    outage.end()
    assert not Project.objects.exists()


@pytest.mark.postgresql
def test_htmx_gets_the_sentence_alone(alice_signed_in: Client, outage: Outage) -> None:
    outage.begin()
    response = alice_signed_in.get(reverse("kmp:inventory"), headers=HTMX)
    assert _is_away(response)
    assert (response.headers["Content-Type"], response.content.decode()) == ("text/plain; charset=utf-8", SENTENCE)
    restored = alice_signed_in.get(reverse("kmp:inventory"), headers={**HTMX, "HX-History-Restore-Request": "true"})
    assert "<h1>" in restored.content.decode(), "the browser asks for a whole page"


@pytest.mark.postgresql
def test_a_script_gets_json(alice_signed_in: Client, outage: Outage) -> None:
    outage.begin()
    address = reverse("portal:generate_key", args=[uuid4(), "sandbox"])
    response = alice_signed_in.post(address, headers={"Accept": "application/json"})
    assert _is_away(response)
    assert response.json() == {"errors": {"": [f"{SENTENCE} Try again in a minute."]}}


@pytest.mark.postgresql
def test_public_addresses_say_so_as_well(outage: Outage) -> None:
    outage.begin()
    client = Client(raise_request_exception=False)
    assert _is_away(client.get("/ca/developers.crl"))
    assert _is_away(client.get(reverse("account_login")))


@pytest.mark.postgresql
def test_a_connection_that_is_cut_off_costs_one_page(alice_signed_in: Client, other: psycopg.Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)
    assert _is_away(alice_signed_in.get(reverse("portal:projects")))
    connection.close_if_unusable_or_obsolete()
    assert alice_signed_in.get(reverse("portal:projects")).status_code == 200


@pytest.mark.postgresql
def test_a_statement_that_takes_too_long_is_an_error(
    alice_signed_in: Client, other: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    other.execute("LOCK TABLE portal_project IN ACCESS EXCLUSIVE MODE")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 200")
    response = alice_signed_in.get(reverse("portal:projects"))
    assert response.status_code == 500
    assert "That was our mistake" in response.content.decode()
    assert "QueryCanceled" in caplog.text
    connection.close()


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "name",
    [
        "DeadlockDetected",
        "LockNotAvailable",
        "SerializationFailure",
        "QueryCanceled",
        "DiskFull",
        "OutOfMemory",
        "IoError",
        "UniqueViolation",
    ],
)
def test_a_database_that_answers_is_not_away(name: str) -> None:
    error = error_of(getattr(psycopg.errors, name)("no"))
    assert missing_service(error) is None


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "name",
    [
        "AdminShutdown",
        "CrashShutdown",
        "CannotConnectNow",
        "ConnectionFailure",
        "IdleSessionTimeout",
        "TooManyConnections",
        "ConnectionTimeout",
    ],
)
def test_a_connection_that_is_gone_is_a_database_that_is_away(name: str) -> None:
    error = error_of(getattr(psycopg.errors, name)("gone"))
    assert isinstance(error, OperationalError)
    assert missing_service(error) is Service.DATABASE


@pytest.mark.postgresql
def test_so_is_one_that_was_closed_before() -> None:
    error = error_of(psycopg.InterfaceError("the connection is closed"))
    assert isinstance(error, InterfaceError)
    assert missing_service(error) is Service.DATABASE


def test_a_file_of_sqlite_that_cannot_be_opened_is_away_and_one_that_is_locked_is_not(tmp_path: Path) -> None:
    found = []
    with pytest.raises(sqlite3.OperationalError) as missing:
        sqlite3.connect(tmp_path / "nowhere" / "site.sqlite3")
    with (
        closing(sqlite3.connect(tmp_path / "site.sqlite3")) as first,
        closing(sqlite3.connect(tmp_path / "site.sqlite3", timeout=0)) as second,
    ):
        first.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked") as locked:
            second.execute("BEGIN EXCLUSIVE")
    for cause in (missing.value, locked.value, sqlite3.OperationalError("without a code")):
        error = OperationalError()
        error.__cause__ = cause
        found.append(missing_service(error))
    assert found == [Service.DATABASE, None, None]


def test_errors_of_our_own_are_not_away() -> None:
    for error in (None, ValueError("x"), OperationalError("raised by nobody"), ConnectionError("another server")):
        assert missing_service(error) is None


def test_an_error_that_redis_caused_names_redis() -> None:
    client = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=2)
    with pytest.raises(redis.RedisError) as raised:
        client.ping()
    caused = RuntimeError("not queued")
    caused.__cause__ = raised.value
    assert missing_service(caused) is Service.REDIS
    assert missing_service(redis.ResponseError("wrong type")) is None


def test_a_page_that_needs_redis_says_so() -> None:
    request = RequestFactory().get("/")
    try:
        raise redis.ConnectionError("refused")
    except redis.ConnectionError:
        response = failed(request)
    assert _is_away(response)
    assert "its Redis does not answer" in response.content.decode()
    assert SENTENCE not in response.content.decode()


def test_a_page_that_needs_the_database_names_the_one_that_the_site_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "display_name", "SQLite")
    try:
        raise InterfaceError from psycopg.InterfaceError("the connection is closed")
    except InterfaceError:
        response = failed(RequestFactory().get("/"))
    assert _is_away(response)
    assert "its SQLite does not answer" in response.content.decode()


def test_an_unknown_error_stays_one() -> None:
    request = RequestFactory().get("/")
    try:
        raise ValueError("something else")
    except ValueError:
        response = failed(request)
    assert response.status_code == 500
    assert "That was our mistake" in response.content.decode()
