"""The linter finds what is wrong: without that, its silence about our certificates would say nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable

import pytest

from certauthority.lint import Finding, lint_certificate, lint_crl
from tests.x509.certificates_made import CA_TRUE, client, developers, ec_key, odd, odd_authority, root


def codes(findings: Iterable[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def test_a_good_certificate_has_no_findings() -> None:
    assert lint_certificate(client(developers())) == []


def test_a_missing_key_identifier_is_found() -> None:
    assert "pkix.authority_key_identifier_extension_absent" in codes(lint_certificate(odd(root(), [])))


def test_a_ca_without_key_identifier_and_key_usage_is_found() -> None:
    ca = odd_authority("CA", ec_key(4), [CA_TRUE])

    findings = lint_certificate(ca.der)

    assert codes(findings) == {"pkix.certificate_skid_ca_missing", "pkix.ca_certificate_no_ku_extension"}
    assert all(finding.severity in ("WARNING", "ERROR", "FATAL") for finding in findings)


@pytest.mark.parametrize("lint", [lint_certificate, lint_crl])
@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"text", client(developers())[:-3]])
def test_what_cannot_be_parsed_is_a_finding(lint: Callable[[bytes], list[Finding]], data: bytes) -> None:
    (finding,) = lint(data)

    assert (finding.severity, finding.code) == ("FATAL", "document.unreadable")


def test_it_is_imported_only_when_asked() -> None:
    command = "import certauthority.lint, sys; sys.exit(any(name.startswith('pkilint') for name in sys.modules))"

    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
