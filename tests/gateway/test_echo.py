"""`/echo`: what it returns, and how much it takes."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from gateway.calls import CALL_KEY, Call
from gateway.echo import MAX_BODY_BYTES
from portal.models import Project
from tests.gateway import cases
from tests.gateway.asking import Reply, ask, send


@pytest.fixture
def call(project: Project) -> Call:
    return cases.accepted(project)


def post(call: Call, body: BytesIO, **extra: Any) -> Reply:
    """A request whose framing is the test's own."""
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/echo", CALL_KEY: call}
    setup_testing_defaults(environ)
    return send(environ | {"wsgi.input": body} | extra, is_valid=False)


class Unread(BytesIO):
    """A body that must not be touched."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")


class Endless(BytesIO):
    """A body without an end."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert 0 < size <= MAX_BODY_BYTES
        self.taken += size
        return bytes(size)


def test_it_returns_the_request_as_it_came(call: Call) -> None:
    body = '{"amount": "10 €"}'.encode()

    reply = ask(
        call,
        "/echo",
        "POST",
        body,
        QUERY_STRING="a=1&b=%20",
        CONTENT_TYPE="application/json",
        HTTP_X_TRACE="t-1",
        HTTP_HOST="sandbox.example",
    )

    told = reply.json
    assert reply.status == 200
    assert told["headers"] == {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Host": "sandbox.example",
        "X-Trace": "t-1",
    }
    del told["headers"]
    assert told == {
        "method": "POST",
        "path": "/echo",
        "query": "a=1&b=%20",
        "body": body.decode(),
        "bodyEncoding": "utf-8",
        "bodyBytes": len(body),
    }


def test_octets_that_are_no_text_come_back_in_base64(call: Call) -> None:
    body = bytes(range(256))

    told = ask(call, "/echo", "POST", body).json

    assert told["bodyEncoding"] == "base64"
    assert base64.b64decode(told["body"]) == body


def test_no_body_is_an_empty_one(call: Call) -> None:
    assert ask(call, "/echo", "POST").json["body"] == ""


def test_what_a_front_added_is_left_out(call: Call) -> None:
    added = {
        "HTTP_X_REHEARSAL_FRONT_SECRET": "secret",
        "HTTP_X_REHEARSAL_CLIENT_CERT": "pem",
        "HTTP_X_FORWARDED_FOR": "192.0.2.1",
        "HTTP_X_REAL_IP": "192.0.2.1",
        "HTTP_X_REQUEST_ID": "1",
    }

    told = ask(call, "/echo", "POST", b"", HTTP_X_REHEARSED="mine", **added).json

    assert set(told["headers"]) == {"Host", "X-Rehearsed", "Content-Length"}


def test_the_largest_body_is_taken(call: Call) -> None:
    assert ask(call, "/echo", "POST", b"x" * MAX_BODY_BYTES).json["bodyBytes"] == MAX_BODY_BYTES


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "9" * 30])
def test_a_larger_body_is_refused_unread(call: Call, length: str) -> None:
    reply = post(call, Unread(), CONTENT_LENGTH=length)

    assert reply.status == 413
    assert reply.errors[0]["ReasonCode"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize("length", ["-1", "ten", "1,1", "٣", "0x10", "+5"])
def test_a_length_that_is_no_number_is_refused_unread(call: Call, length: str) -> None:
    assert post(call, Unread(), CONTENT_LENGTH=length).status == 400


def test_two_ways_to_tell_the_length_are_one_too_many(call: Call) -> None:
    reply = post(call, Unread(), CONTENT_LENGTH="3", HTTP_TRANSFER_ENCODING="chunked")

    assert reply.status == 400
    assert "RFC 9112" in reply.errors[0]["Details"]


def test_a_chunked_body_is_taken(call: Call) -> None:
    reply = post(call, BytesIO(b"hello"), HTTP_TRANSFER_ENCODING="chunked")

    assert (reply.status, reply.json["body"]) == (200, "hello")


def test_a_chunked_body_is_counted_while_it_comes(call: Call) -> None:
    endless = Endless()

    reply = post(call, endless, HTTP_TRANSFER_ENCODING="chunked")

    assert reply.status == 413
    assert endless.taken == MAX_BODY_BYTES + 1


def test_a_body_shorter_than_announced_is_echoed_as_far_as_it_came(call: Call) -> None:
    assert post(call, BytesIO(b"abc"), CONTENT_LENGTH="10").json["bodyBytes"] == 3
