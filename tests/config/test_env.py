"""What the site reads from its environment, and what it refuses to start with."""

from __future__ import annotations

import json
import os
import secrets
import stat
import subprocess
from pathlib import Path

import pytest

from certauthority import signers
from config import env
from tests.config.conftest import clean_environment, run_python

PRINT = """
import json
from config import env
names = "DEMO SITE_URL PORT REDIS_URL EMBEDDED_REDIS DATABASE_URL SECRET_KEY CA_KEY_PASSPHRASE ALLOWED_HOSTS"
names += " SIGNER PKCS11_MODULE PKCS11_TOKEN PKCS11_PIN"
print(json.dumps({name: getattr(env, name) for name in names.split()}))
"""

MAIL = """
import json
from config import settings
names = "HOST PORT HOST_USER HOST_PASSWORD USE_TLS USE_SSL"
print(json.dumps([getattr(settings, f"EMAIL_{name}") for name in names.split()]))
"""


def production(**changes: str) -> dict[str, str]:
    """A complete production environment, with changes; a variable changed to nothing counts as not set."""
    return {
        "MODE": "production",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "CA_KEY_PASSPHRASE": secrets.token_urlsafe(24),
        "SITE_URL": "https://portal.bank.test",
        "DATABASE_URL": "postgresql://site@database/site",
        "REDIS_URL": "redis://redis/0",
        "EMAIL_URL": "submission://site:p%40ss@mail.bank.test",
    } | changes


def read(state: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return run_python("-c", PRINT, environment=clean_environment(STATE_DIR=str(state), **variables))


def test_demo_mode_needs_no_variable(tmp_path: Path) -> None:
    values = json.loads(read(tmp_path / "state").stdout)
    assert values["DEMO"] is True
    assert values["SITE_URL"] == "http://localhost:8000"
    assert values["EMBEDDED_REDIS"] is True
    assert values["DATABASE_URL"] == ""


def test_demo_secrets_are_made_once_and_are_the_owners_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first, second = json.loads(read(state).stdout), json.loads(read(state).stdout)
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert first["SECRET_KEY"] != first["CA_KEY_PASSPHRASE"]
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "secrets" / "secret_key").stat().st_mode) == 0o600
    assert sorted(os.listdir(state / "secrets")) == ["ca_key_passphrase", "secret_key"]


def test_a_secret_may_come_from_a_file_and_its_line_end_is_no_part_of_it(tmp_path: Path) -> None:
    secret = secrets.token_urlsafe(50)
    (tmp_path / "key").write_text(f"{secret}\n")
    values = json.loads(read(tmp_path, **production(SECRET_KEY="", SECRET_KEY_FILE=str(tmp_path / "key"))).stdout)
    assert values["SECRET_KEY"] == secret


def test_production_takes_its_host_from_its_address(tmp_path: Path) -> None:
    values = json.loads(read(tmp_path, **production()).stdout)
    assert values["ALLOWED_HOSTS"] == ["portal.bank.test"]
    assert values["EMBEDDED_REDIS"] is False


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "CA_KEY_PASSPHRASE", "SITE_URL", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"]
)
def test_production_refuses_to_start_without(name: str, tmp_path: Path) -> None:
    done = read(tmp_path, **production(**{name: ""}))
    assert done.returncode != 0
    assert f"{name} is not set." in done.stderr


def test_production_refuses_a_directory_for_keys_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("in the way")
    done = read(tmp_path, **production())
    assert done.returncode != 0
    assert f"{tmp_path / 'ca'} cannot be written" in done.stderr
    assert "it holds the keys of the CAs. Make it writable" in done.stderr
    assert read(tmp_path, **production(CA_KEY_PASSPHRASE="", SIGNS="false")).returncode == 0, "it has no key"


def test_production_makes_that_directory_for_its_owner_alone(tmp_path: Path) -> None:
    assert read(tmp_path, **production()).returncode == 0
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700
    assert os.listdir(tmp_path / "ca") == []


@pytest.mark.parametrize("url", ["sqlite:////state/site.sqlite3", "mysql://database/site", ""])
def test_production_keeps_its_data_where_many_processes_can(url: str, tmp_path: Path) -> None:
    done = read(tmp_path, **production(DATABASE_URL=url))
    assert done.returncode != 0
    assert "Production keeps its data in PostgreSQL." in done.stderr


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, "line"), ({"LOG_FORMAT": "json"}, "json"), (production(), "json"), (production(LOG_FORMAT="line"), "line")],
    ids=["demo", "demo, for machines", "production", "production, for people"],
)
def test_production_logs_for_machines(variables: dict[str, str], expected: str, tmp_path: Path) -> None:
    program = "from config import env; print(env.LOG_FORMAT)"
    done = run_python("-c", program, environment=clean_environment(STATE_DIR=str(tmp_path), **variables))
    assert done.stdout.strip() == expected, done.stderr


def test_a_production_process_that_never_signs_needs_no_passphrase(tmp_path: Path) -> None:
    values = json.loads(read(tmp_path, **production(CA_KEY_PASSPHRASE="", SIGNS="false")).stdout)
    assert values["CA_KEY_PASSPHRASE"] == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": "django-insecure-" + "x" * 60}, "SECRET_KEY is too short or was copied"),
        ({"SECRET_KEY": "x7" * 20}, "SECRET_KEY is too short or was copied"),
        ({"CA_KEY_PASSPHRASE": "rehearsal"}, "CA_KEY_PASSPHRASE is too short or was copied"),
        ({"DEBUG": "true"}, "DEBUG is on"),
        ({"SITE_URL": "http://portal.bank.test"}, "begin it with https://"),
        ({"DATABASE_URL": "sqlite:///site.sqlite3"}, "does not begin with postgresql://"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS is '*'"),
        ({"SECRET_KEY_FILE": "/no/such/file"}, "SECRET_KEY_FILE does not name a file that can be read"),
    ],
)
def test_production_refuses_what_is_not_safe(changes: dict[str, str], sentence: str, tmp_path: Path) -> None:
    done = read(tmp_path, **production(**changes))
    assert done.returncode != 0
    assert sentence in done.stderr


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("submission://site:p%40ss@mail.bank.test", ["mail.bank.test", 587, "site", "p@ss", True, False]),
        ("smtps://mail.bank.test:4465", ["mail.bank.test", 4465, "", "", False, True]),
        ("smtp://127.0.0.1:1025", ["127.0.0.1", 1025, "", "", False, False]),
    ],
)
def test_mail_goes_to_the_server_that_is_named(url: str, expected: list[object], tmp_path: Path) -> None:
    done = run_python("-c", MAIL, environment=clean_environment(STATE_DIR=str(tmp_path), **production(EMAIL_URL=url)))
    assert json.loads(done.stdout) == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "False"),
        ({"TWO_FACTOR_REQUIRED": "true"}, "True"),
        (production(), "True"),
        (production(TWO_FACTOR_REQUIRED="false"), "False"),
    ],
    ids=["demo", "demo, switched on", "production", "production, switched off"],
)
def test_production_asks_for_second_factors_and_the_demo_does_not(
    variables: dict[str, str], expected: str, tmp_path: Path
) -> None:
    program = "from config import settings; print(settings.TWO_FACTOR_REQUIRED)"
    done = run_python("-c", program, environment=clean_environment(STATE_DIR=str(tmp_path), **variables))
    assert done.stdout.strip() == expected, done.stderr


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, "False"), ({"WEBHOOK_ALLOW_PRIVATE": "true"}, "True"), (production(), "False")],
    ids=["demo", "switched on", "production"],
)
def test_webhooks_reach_no_private_address_unless_told_to(
    variables: dict[str, str], expected: str, tmp_path: Path
) -> None:
    program = "from config import settings; print(settings.WEBHOOK_ALLOW_PRIVATE)"
    done = run_python("-c", program, environment=clean_environment(STATE_DIR=str(tmp_path), **variables))
    assert done.stdout.strip() == expected, done.stderr


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, "1"), ({"CRL_SHARDS": "128"}, "128"), (production(), "1")],
    ids=["demo", "most", "production"],
)
def test_there_is_one_crl_of_each_authority_unless_more_are_asked_for(
    variables: dict[str, str], expected: str, tmp_path: Path
) -> None:
    program = "from config import settings; print(settings.CRL_SHARDS)"
    done = run_python("-c", program, environment=clean_environment(STATE_DIR=str(tmp_path), **variables))
    assert done.stdout.strip() == expected, done.stderr


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, "3600"), ({"SESSION_IDLE_MINUTES": "15"}, "900"), (production(), "3600")],
    ids=["demo", "shorter", "production"],
)
def test_a_session_ends_after_an_hour_without_activity_unless_told_otherwise(
    variables: dict[str, str], expected: str, tmp_path: Path
) -> None:
    program = "from config import settings; print(settings.SESSION_IDLE_SECONDS)"
    done = run_python("-c", program, environment=clean_environment(STATE_DIR=str(tmp_path), **variables))
    assert done.stdout.strip() == expected, done.stderr


def test_a_mail_server_never_shows_its_password() -> None:
    assert "secret" not in repr(env.MailServer("smtp", "host", 25, "user", "secret"))


def test_production_refuses_the_secret_of_the_demo(tmp_path: Path) -> None:
    demo = json.loads(read(tmp_path).stdout)
    done = read(tmp_path, **production(SECRET_KEY=demo["SECRET_KEY"]))
    assert done.returncode != 0
    assert "SECRET_KEY is the secret of the demo" in done.stderr


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"PORT": "http"}, "PORT is 'http'. It must be a whole number from 1 to 65535."),
        ({"PORT": "65536"}, "PORT is '65536'."),
        ({"PORT": "0"}, "PORT is '0'."),
        ({"PORT": "８０００"}, "PORT is '８０００'."),
        ({"MODE": "test"}, "MODE is 'test'. It must be one of: demo, production."),
        ({"DEBUG": "perhaps"}, "DEBUG is 'perhaps'. It must be true or false."),
        ({"SESSION_IDLE_MINUTES": "0"}, "SESSION_IDLE_MINUTES is '0'. It must be a whole number from 1 to 720."),
        ({"SESSION_IDLE_MINUTES": "721"}, "SESSION_IDLE_MINUTES is '721'. It must be a whole number"),
        ({"CRL_SHARDS": "0"}, "CRL_SHARDS is '0'. It must be a whole number from 1 to 128."),
        ({"CRL_SHARDS": "129"}, "CRL_SHARDS is '129'. It must be a whole number from 1 to 128."),
        ({"CRL_SHARDS": "many"}, "CRL_SHARDS is 'many'. It must be a whole number"),
        ({"CA_KEY_ALGORITHM": "RSA 1024"}, "CA_KEY_ALGORITHM is 'RSA 1024'. It must be one of: EC P-256,"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'loud'."),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT is 'xml'. It must be one of: line, json."),
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN is too short"),
        ({"METRICS_ADDRESSES": "somewhere"}, "METRICS_ADDRESSES names 'somewhere'"),
        ({"GATEWAY_PORT": "https"}, "GATEWAY_PORT is 'https'. It must be a whole number from 1 to 65535."),
        ({"GATEWAY_BIND": "everywhere"}, "GATEWAY_BIND is 'everywhere'. It must be an IP address such as 127.0.0.1."),
        ({"GATEWAY_TLS12": "maybe"}, "GATEWAY_TLS12 is 'maybe'. It must be true or false."),
        ({"GATEWAY_URL": "http://mtls.bank.test"}, "GATEWAY_URL is 'http://mtls.bank.test'. It must look like"),
        ({"GATEWAY_FRONT_SECRET": "short"}, "GATEWAY_FRONT_SECRET is too short"),
        ({"EMAIL_URL": "mail.bank.test:587"}, "EMAIL_URL does not name a mail server."),
        ({"EMAIL_URL": "http://mail.bank.test"}, "EMAIL_URL does not name a mail server."),
        ({"SITE_URL": "localhost:8000"}, "SITE_URL is 'localhost:8000'. It must look like"),
        ({"SITE_URL": "https://bank.test/portal"}, "SITE_URL is 'https://bank.test/portal'. It must look like"),
    ],
)
def test_a_value_that_cannot_be_read_stops_the_start(changes: dict[str, str], sentence: str, tmp_path: Path) -> None:
    done = read(tmp_path, **changes)
    assert done.returncode != 0
    assert sentence in done.stderr


def test_the_algorithms_of_the_settings_are_those_that_can_be_made() -> None:
    assert env.CA_KEY_ALGORITHMS == signers.KEY_ALGORITHMS


def test_djangos_deployment_checks_find_nothing_in_production(tmp_path: Path) -> None:
    environment = clean_environment(STATE_DIR=str(tmp_path), **production())
    done = run_python("manage.py", "check", "--deploy", "--fail-level", "WARNING", environment=environment)
    assert done.returncode == 0, done.stderr
    assert "System check identified no issues" in done.stdout
