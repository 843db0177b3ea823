"""A call's id in its answer and in its log lines, and the count of what was said to it."""

from __future__ import annotations

import logging
import re

import pytest
import redis

from certauthority import counters
from connect import request_ids
from portal.models import Environment
from tests.gateway.asking import ask, call_with

pytestmark = pytest.mark.django_db


def test_each_answer_names_an_id_and_the_log_line_carries_it() -> None:
    ids = []

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            ids.append(request_ids.current())

    handler = Noting()
    logging.getLogger("gateway").addHandler(handler)
    logging.getLogger("gateway").setLevel(logging.INFO)
    try:
        first, second = ask(call_with(b"no certificate")), ask(call_with())
    finally:
        logging.getLogger("gateway").removeHandler(handler)
        logging.getLogger("gateway").setLevel(logging.NOTSET)
    told = [reply.headers[request_ids.HEADER] for reply in (first, second)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in told)
    assert len(set(told)) == 2
    assert ids == told


def test_a_client_does_not_choose_it_but_a_front_does() -> None:
    assert (
        ask(call_with(), HTTP_X_REQUEST_ID="chosen-by-the-client").headers[request_ids.HEADER] != "chosen-by-the-client"
    )
    with request_ids.working_on("chosen-by-the-front"):
        assert ask(call_with()).headers[request_ids.HEADER] == "chosen-by-the-front"


def test_every_call_is_counted_by_what_was_said(redis_client: redis.Redis) -> None:
    counters.flush()
    redis_client.delete(counters.KEY)
    for _ in range(2):
        ask(call_with(environment=Environment.PRODUCTION))
    ask(call_with(b"no certificate"))
    counters.flush()
    counted = {tuple(dict(labels).values()): count for labels, count in counters.read()["endpoint_calls"].items()}
    assert counted == {("production", "CLIENT_CERT_MISSING"): 2, ("sandbox", "INVALID_CLIENT_CERT"): 1}
