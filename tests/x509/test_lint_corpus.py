"""Negative controls for the linter: documents of others with the findings that it must give."""

from __future__ import annotations

import csv
from base64 import b64decode
from pathlib import Path

import pytest

from certauthority.lint import Finding, lint_certificate, lint_crl
from tests import corpus

COUNTED = frozenset({"WARNING", "ERROR", "FATAL"})
CERTIFICATES = sorted((corpus.ROOT / "lint/pkilint-cert/pkix").glob("*.crttest"))
REVOCATION_LISTS = sorted((corpus.ROOT / "lint/pkilint-crl/pkix/crl").glob("*.crltest"))
# Boulder keeps a CRL for each of its own lints: these break RFC 5280, the others only rules of browsers.
BOULDER: dict[str, set[str]] = {
    "crl_good": set(),
    "crl_none_revoked": set(),
    "crl_no_number": {"pkix.crl_number_missing"},
    "crl_long_number": {"pkix.crl_number_out_of_range"},
    "crl_critical_number": {"pkix.crl_number_extension_critical"},
    "crl_no_aki": {"pkix.authority_key_identifier_missing"},
    "crl_no_issuer_name": {"pkix.name_empty"},
    "crl_empty_revoked": {"pkix.crl_revoked_certificates_empty"},
    "crl_gentime_revoked_2049": {"pkix.wrong_time_useful_type"},
    "crl_utctime_no_seconds": {"pkix.invalid_time_syntax", "pkix.utctime_incorrect_syntax"},
}


def contents(path: Path) -> tuple[bytes, list[dict[str, str]]]:
    """The DER of the one PEM block in the file, and the table that follows it, if any."""
    head, _, rest = path.read_text(encoding="utf-8").partition("-----\n")
    body, _, table = rest.partition("-----END")
    rows = csv.DictReader(table.partition("-----\n")[2].strip().splitlines())
    assert "BEGIN" in head
    return b64decode(body), list(rows)


def counted(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(finding.severity, finding.code) for finding in findings}


def expected(rows: list[dict[str, str]]) -> set[tuple[str, str]]:
    return {(row["severity"], row["code"]) for row in rows if row["severity"] in COUNTED}


def test_there_are_as_many_cases_as_the_manifest_says() -> None:
    assert len(CERTIFICATES) >= 47
    assert len(REVOCATION_LISTS) >= 2


@pytest.mark.parametrize("path", CERTIFICATES, ids=lambda path: path.stem)
def test_a_certificate_gets_exactly_its_findings(path: Path) -> None:
    data, rows = contents(path)

    assert counted(lint_certificate(data)) == expected(rows)


@pytest.mark.parametrize("path", REVOCATION_LISTS, ids=lambda path: path.stem)
def test_a_revocation_list_gets_exactly_its_findings(path: Path) -> None:
    data, rows = contents(path)

    assert counted(lint_crl(data)) == expected(rows)


@pytest.mark.parametrize("name", ["two_basic_constraints", "bad_country", "post2000utctime"])
def test_odd_certificates_have_findings(name: str) -> None:
    data, _ = contents(corpus.ROOT / f"certs/pyca/custom/{name}.pem")

    assert lint_certificate(data)


@pytest.mark.parametrize(("name", "codes"), BOULDER.items())
def test_a_revocation_list_with_one_fault_has_its_finding(name: str, codes: set[str]) -> None:
    data, _ = contents(corpus.ROOT / f"crl/boulder/rfc/testdata/{name}.pem")

    assert {finding.code for finding in lint_crl(data)} == codes
