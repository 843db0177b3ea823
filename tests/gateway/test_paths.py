"""The endpoint's paths: which methods they take, `/status/`, and what is nowhere."""

from __future__ import annotations

import pytest

from gateway.calls import Call
from portal.models import Project
from tests.gateway import cases
from tests.gateway.asking import ask, call_with

PATHS = ("/", "/whoami", "/echo", "/status/204", "/nowhere")


@pytest.fixture
def call(project: Project) -> Call:
    """One that is accepted."""
    return cases.accepted(project)


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_is_stored_or_guessed_at(call: Call, path: str) -> None:
    for reply in (ask(call, path), ask(call_with(), path)):
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "Connection" not in reply.headers


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/", "GET, HEAD"),
        ("DELETE", "/whoami", "GET, HEAD"),
        ("GET", "/echo", "POST"),
        ("HEAD", "/echo", "POST"),
        ("PUT", "/echo", "POST"),
    ],
)
def test_another_method_is_told_which_ones_there_are(call: Call, method: str, path: str, allow: str) -> None:
    reply = ask(call, path, method)

    assert reply.status == 405
    assert reply.headers["Allow"] == allow
    assert method == "HEAD" or reply.errors[0]["ReasonCode"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("path", ["/nowhere", "/whoami/", "/echo/more", "//", "/statuses", "/\xff"])
def test_any_other_path_is_not_found(call: Call, path: str) -> None:
    reply = ask(call, path)

    assert reply.status == 404
    assert reply.errors[0]["ReasonCode"] == "NOT_FOUND"
    assert "/whoami" in reply.errors[0]["Details"]


@pytest.mark.parametrize("status", [200, 201, 202, 299, 302, 400, 401, 404, 418, 429, 499, 500, 503, 599])
def test_a_status_can_be_asked_for(call: Call, status: int) -> None:
    reply = ask(call, f"/status/{status}", "POST", b"{}")

    assert reply.status == status
    if status < 400:
        assert reply.json["status"] == status
    else:
        (error,) = reply.errors
        assert error["ReasonCode"] == "REQUESTED_STATUS"
        assert error["Description"].startswith(f"{status} ")
        assert error["Recoverable"] is (status in (429, 500, 503))
    assert ("WWW-Authenticate" in reply.headers) is (status == 401)


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_status_without_a_body_has_none(call: Call, status: int) -> None:
    reply = ask(call, f"/status/{status}")

    assert (reply.status, reply.body) == (status, b"")
    assert ("Content-Type" in reply.headers) is (status == 205)
    assert reply.headers.get("Content-Length", "0") == "0"


@pytest.mark.parametrize("asked", ["", "199", "600", "100", "20", "2000", "abc", "-200", "200/1", "٢٠٠"])
def test_a_status_that_is_none_is_refused_with_a_sentence(call: Call, asked: str) -> None:
    reply = ask(call, f"/status/{asked}".encode().decode("latin-1"))

    assert reply.status == 400
    assert "200 to 599" in reply.errors[0]["Details"]
