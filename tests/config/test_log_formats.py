"""What a log line looks like, and what it never holds."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from django.conf import settings

from config import log_formats
from config.log_formats import JsonFormatter, LineFormatter
from connect import request_ids
from tests.hostile.secrets_made import SECRETS

FORMATTERS = [JsonFormatter(), LineFormatter()]
IDS = ["json", "line"]
HOSTILE = "name\r\n2026-01-01 ERROR root forged\x00\x1b[31m\u2028again\u202e"


def record(message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    told = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("portal.enrolment", logging.WARNING, __file__, 1, message, arguments, told)


def test_a_line_of_json_says_when_what_and_for_which_request() -> None:
    with request_ids.working_on("request-0001"):
        line = json.loads(JsonFormatter().format(record("Refused %s.", "a name")))
    assert line.pop("time").endswith("+00:00")
    assert line.pop("pid") > 0
    assert line == {
        "level": "WARNING",
        "logger": "portal.enrolment",
        "message": "Refused a name.",
        "request_id": "request-0001",
    }


def test_outside_of_requests_no_id_is_claimed() -> None:
    assert "request_id" not in json.loads(JsonFormatter().format(record("Started.")))
    assert LineFormatter().format(record("Started.")).endswith("WARNING portal.enrolment Started.")


def test_a_line_of_text_names_the_request() -> None:
    with request_ids.working_on("request-0001"):
        assert "WARNING portal.enrolment [request-0001] Refused." in LineFormatter().format(record("Refused."))


@pytest.mark.parametrize("formatter", FORMATTERS, ids=IDS)
def test_no_value_pretends_to_be_another_line(formatter: logging.Formatter) -> None:
    line = formatter.format(record("The name %s.", HOSTILE))
    assert line.splitlines() == [line]
    assert line.isprintable()
    assert "forged" in line


@pytest.mark.parametrize("formatter", FORMATTERS, ids=IDS)
def test_nor_does_the_text_of_an_error(formatter: logging.Formatter) -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        lines = formatter.format(record("It failed.", error=error)).splitlines()
    assert all(line.startswith("  | ") for line in lines[1:])
    assert "ValueError" in "".join(lines)
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("formatter", FORMATTERS, ids=IDS)
@pytest.mark.parametrize("name", ["SECRET_KEY", "CA_KEY_PASSPHRASE"])
def test_the_sites_secrets_are_left_out(formatter: logging.Formatter, name: str) -> None:
    secret = str(getattr(settings, name))
    try:
        raise ValueError(f"cannot open with {secret}")
    except ValueError as error:
        text = formatter.format(record("It failed with %s.", secret, error=error))
    assert secret not in text
    assert "cannot open with" in text


@pytest.mark.parametrize("formatter", FORMATTERS, ids=IDS)
def test_a_private_key_is_left_out_even_when_it_is_cut_off(formatter: logging.Formatter) -> None:
    pem = SECRETS[0].content.decode()
    for text in (pem, pem[:-40]):
        line = formatter.format(record("Got %s", text))
        assert not any(trace.decode() in line for trace in SECRETS[0].traces[:-1])
        assert "PRIVATE" not in line


def test_the_status_of_an_answer_is_a_field() -> None:
    failed = record("Internal Server Error: %s", "/nowhere")
    failed.status_code = 500
    assert json.loads(JsonFormatter().format(failed))["status"] == 500


def test_an_error_without_traceback_is_written_too() -> None:
    plain = record("It failed.")
    plain.exc_info = sys.exc_info()
    assert "It failed." in log_formats.LineFormatter().format(plain)
