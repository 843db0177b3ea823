"""The id of a request: who may choose it, and where it stands."""

from __future__ import annotations

import logging
import re

import pytest
from django.test import Client
from pytest_django import Settings

from config.celery import app, leave_request_id, take_request_id
from connect import request_ids

MADE = re.compile(r"[0-9a-f]{32}")


def test_each_answer_names_an_id_of_its_own(client: Client) -> None:
    first, second = (client.get("/healthz")[request_ids.HEADER] for _ in range(2))
    assert MADE.fullmatch(first)
    assert MADE.fullmatch(second)
    assert first != second
    assert request_ids.current() == ""


def test_only_a_proxy_of_ours_gives_an_id(client: Client, settings: Settings) -> None:
    given = {"X-Request-Id": "from-the-proxy.1"}
    assert MADE.fullmatch(client.get("/healthz", headers=given)[request_ids.HEADER])
    settings.BEHIND_PROXY = True
    assert client.get("/healthz", headers=given)[request_ids.HEADER] == "from-the-proxy.1"


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space", "new\nline-here", "ümlaut-ümlaut", "", "a;b=c,d e"])
def test_an_id_that_is_not_well_formed_is_replaced(given: str) -> None:
    with request_ids.working_on(given) as chosen:
        assert MADE.fullmatch(chosen)
        assert request_ids.current() == chosen
    assert request_ids.current() == ""


def test_the_lines_of_a_request_carry_its_id(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    ids = []

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            ids.append(request_ids.current())

    handler = Noting()
    logging.getLogger("django.request").addHandler(handler)
    try:
        answer = client.post("/healthz")
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    assert ids == [answer[request_ids.HEADER]]


def test_a_task_without_an_id_gets_one_for_its_own_time() -> None:
    task = app.tasks["connect.tasks.deliver_due_notices"]
    take_request_id(task_id="one", task=task)
    try:
        assert MADE.fullmatch(request_ids.current())
    finally:
        leave_request_id(task_id="one")
    assert request_ids.current() == ""
