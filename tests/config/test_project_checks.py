"""The other checks of `make check` that are ours: sources, pins, and what pip-audit's report means."""

from __future__ import annotations

from typing import Any

import pytest

from tools import audit_pins, check_pins, check_sources

PIN = "django==5.2.19 \\\n    --hash=sha256:00\n"
PROJECT: dict[str, Any] = {
    "project": {"dependencies": ["django>=5.2.19,<5.3"]},
    "dependency-groups": {"dev": ["pytest>=8"]},
}
DEVELOPMENT = PIN + "pytest==9.2.0 \\\n    --hash=sha256:00\n"


@pytest.mark.parametrize(
    "source",
    ["import os\nos.environ['A']", "import os\nos.getenv('A')", "from os import environ", "from os import getenv as g"],
)
def test_only_config_may_read_the_environment(source: str) -> None:
    assert len(list(check_sources.check_source(source, "portal/views.py"))) == 1
    assert list(check_sources.check_source(source, "config/env.py")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from cryptography.hazmat.primitives.serialization import load_pem_private_key",
        "serialization.load_der_private_key(data, None)",
        "pkcs12.load_key_and_certificates(data, None)",
    ],
)
def test_only_signers_may_open_private_keys(source: str) -> None:
    assert len(list(check_sources.check_source(source, "certauthority/uploads.py"))) == 1
    assert list(check_sources.check_source(source, "certauthority/signers/key_files.py")) == []


def test_our_own_sources_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_sources.main() == 0, capsys.readouterr().out


def test_pins_that_fit_pass() -> None:
    assert check_pins.check_project(PROJECT, PIN, DEVELOPMENT) == []


@pytest.mark.parametrize(
    ("site", "development", "sentence"),
    [
        (
            "django==5.1.0 \\\n    --hash=sha256:00\n",
            DEVELOPMENT,
            "requirements.txt pins django 5.1.0, but pyproject.toml",
        ),
        ("asgiref==3.13.0 \\\n    --hash=sha256:00\n", DEVELOPMENT, "requirements.txt has no pin for django."),
        ("django==5.2.19\n", DEVELOPMENT, "requirements.txt: django==5.2.19 has no hash."),
        ("--index-url https://packages.test/simple\n" + PIN, DEVELOPMENT, "requirements.txt names an address"),
        (
            "django @ https://packages.test/d.whl --hash=sha256:00\n" + PIN,
            DEVELOPMENT,
            "requirements.txt names an address",
        ),
        (PIN, PIN, "requirements-dev.txt has no pin for pytest."),
        (
            PIN,
            DEVELOPMENT.replace("5.2.19", "5.2.20"),
            "requirements.txt pins django 5.2.19, requirements-dev.txt 5.2.20.",
        ),
    ],
)
def test_pins_that_do_not_fit_are_named(site: str, development: str, sentence: str) -> None:
    problems = check_pins.check_project(PROJECT, site, development)
    assert any(problem.startswith(sentence) for problem in problems), problems


def test_our_own_pins_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_pins.main() == 0, capsys.readouterr().out


def test_an_audit_that_found_nothing_says_so() -> None:
    report = {"dependencies": [{"name": "django", "version": "5.2.19", "vulns": []}]}
    assert audit_pins.judge(report) == (0, ["audit: no known vulnerability in 1 libraries"])


def test_an_audit_that_could_not_look_does_not_claim_that_nothing_is_known() -> None:
    report = {"dependencies": [{"name": "django", "version": "5.2.19", "skip_reason": "not reached"}]}
    code, lines = audit_pins.judge(report)
    assert code == 0
    assert lines == ["audit: 1 of 1 libraries could not be looked up; nothing is known about those."]


def test_an_audit_that_found_something_fails() -> None:
    finding = {"id": "PYSEC-1", "fix_versions": ["5.2.20"]}
    code, lines = audit_pins.judge({"dependencies": [{"name": "django", "version": "5.2.19", "vulns": [finding]}]})
    assert code == 1
    assert lines[0] == "django 5.2.19: PYSEC-1, fixed in 5.2.20"
