"""OCSP responses as DER: read back by the library, linted, and verified by openssl."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.x509 import ocsp

from certauthority.lint import lint_certificate, lint_ocsp_response
from certauthority.x509.certificates import CertificateFacts, read_certificate
from certauthority.x509.errors import ProfileError
from certauthority.x509.export import pem
from certauthority.x509.ocsp_request import CertId
from certauthority.x509.ocsp_response import (
    HASHES,
    Failure,
    Revocation,
    build_ocsp_response,
    cert_id,
    failure,
    good,
    hashes_of,
    revoked,
    unknown,
)
from certauthority.x509.profile import Profile
from certauthority.x509.revocation_list import REASONS
from certauthority.x509.signing import SigningKey
from tests.x509.certificates_made import NOW, client, developers, ec_key, p384_key, rsa_key

RESPONDER = Profile("responder", False, None, ("digitalSignature",), ("OCSPSigning",), 0, days=30, ocsp_no_check=True)
TIMES = {"this_update": NOW, "next_update": NOW + timedelta(days=1)}
SHA1 = next(iter(HASHES))


def responder(key: SigningKey) -> CertificateFacts:
    der = client(developers(), key=key, profile=RESPONDER, common_name="Responder", end=NOW + timedelta(days=30))
    return read_certificate(der)


def asked(serial: int = 5, algorithm: bytes = SHA1) -> CertId:
    return cert_id(hashes_of(developers().facts, HASHES[algorithm]), algorithm, serial)


def response(*singles: bytes, key: SigningKey | None = None, **changes: Any) -> bytes:
    key = key or ec_key(7)
    wanted = {"responder": responder(key), "responder_key": key, "produced_at": NOW, **changes}
    return build_ocsp_response(singles or [good(asked(), **TIMES)], **wanted)


@pytest.mark.parametrize("key", [ec_key(7), p384_key(), rsa_key()], ids=["P-256", "P-384", "RSA"])
def test_every_kind_of_key_signs_what_the_library_and_the_lint_accept(key: SigningKey) -> None:
    der = response(key=key, nonce=b"n" * 16)

    read = ocsp.load_der_ocsp_response(der)

    assert lint_ocsp_response(der) == []
    public = key.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        algorithm = SHA384() if public.curve.name == "secp384r1" else SHA256()
        public.verify(read.signature, read.tbs_response_bytes, ec.ECDSA(algorithm))
    else:
        public.verify(read.signature, read.tbs_response_bytes, padding.PKCS1v15(), SHA256())


def test_the_library_reads_back_what_was_written() -> None:
    certificate = x509.load_der_x509_certificate(client(developers()))
    read = ocsp.load_der_ocsp_response(response(good(asked(certificate.serial_number), **TIMES), nonce=b"nonce"))
    issuer = x509.load_der_x509_certificate(developers().der)
    wanted = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, read.hash_algorithm).build()

    assert read.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL
    assert read.certificate_status == ocsp.OCSPCertStatus.GOOD
    assert read.serial_number == certificate.serial_number
    assert (read.issuer_name_hash, read.issuer_key_hash) == (wanted.issuer_name_hash, wanted.issuer_key_hash)
    assert (read.this_update_utc, read.next_update_utc, read.produced_at_utc) == (NOW, NOW + timedelta(days=1), NOW)
    assert read.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"nonce"
    assert len(read.certificates) == 1
    identifier = read.certificates[0].extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert read.responder_key_hash == identifier


@pytest.mark.parametrize("reason", REASONS)
def test_a_revocation_says_when_and_why(reason: str) -> None:
    single = revoked(asked(), Revocation(NOW - timedelta(days=3), reason), **TIMES)
    read = ocsp.load_der_ocsp_response(response(single))
    assert read.certificate_status == ocsp.OCSPCertStatus.REVOKED
    assert read.revocation_time_utc == NOW - timedelta(days=3)
    said = read.revocation_reason
    assert (said.value if said else "unspecified") == reason
    assert lint_ocsp_response(response(single)) == []


def test_unknown_is_neither_good_nor_revoked() -> None:
    read = ocsp.load_der_ocsp_response(response(unknown(asked(), **TIMES)))
    assert read.certificate_status == ocsp.OCSPCertStatus.UNKNOWN
    assert read.revocation_time_utc is None


def test_several_certificates_are_answered_in_one_response() -> None:
    singles = [good(asked(1), **TIMES), unknown(asked(2), **TIMES)]
    found = [
        (one.serial_number, one.certificate_status.name)
        for one in ocsp.load_der_ocsp_response(response(*singles)).responses
    ]
    assert found == [(1, "GOOD"), (2, "UNKNOWN")]


@pytest.mark.parametrize("status", Failure)
def test_a_failure_has_a_status_and_nothing_else(status: Failure) -> None:
    read = ocsp.load_der_ocsp_response(failure(status))
    assert read.response_status.name == status.name
    assert len(failure(status)) == 5


@pytest.mark.parametrize("algorithm", HASHES, ids=[f"{name}-{len(der)}" for der, name in HASHES.items()])
def test_an_issuer_is_named_as_the_client_named_it(algorithm: bytes) -> None:
    one = asked(algorithm=algorithm)
    assert one.raw in response(good(one, **TIMES))
    assert (
        len(one.name_hash)
        == len(one.key_hash)
        == {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}[HASHES[algorithm]]
    )


def test_openssl_verifies_the_delegated_responder(tmp_path: Path) -> None:
    leaf = client(developers())
    serial = read_certificate(leaf).serial
    (tmp_path / "leaf.pem").write_text(pem(leaf))
    (tmp_path / "ca.pem").write_text(pem(developers().der))
    (tmp_path / "response.der").write_bytes(response(good(asked(serial), **TIMES)))
    (tmp_path / "root.pem").write_bytes((tmp_path / "ca.pem").read_bytes())
    command = ["openssl", "ocsp", "-issuer", "ca.pem", "-cert", "leaf.pem", "-respin", "response.der", "-partial_chain"]
    checked = subprocess.run(
        [*command, "-CAfile", "root.pem", "-attime", str(int(NOW.timestamp()) + 60), "-validity_period", "999999999"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Response verify OK" in checked.stderr
    assert "leaf.pem: good" in checked.stdout


def test_the_responders_certificate_passes_the_lint() -> None:
    facts = responder(ec_key(7))
    assert lint_certificate(facts.der) == []
    assert facts.extended_key_usage == ("OCSPSigning",)
    read = x509.load_der_x509_certificate(facts.der)
    assert not read.extensions.get_extension_for_class(x509.OCSPNoCheck).critical
    assert responder(rsa_key()).key_usage == ("digitalSignature",)


def test_a_certificate_of_another_purpose_signs_no_response() -> None:
    with pytest.raises(ProfileError, match="lacks OCSPSigning"):
        response(responder=read_certificate(client(developers())))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"next_update": NOW}, "comes after"),
        ({"this_update": NOW.replace(tzinfo=None), "next_update": (NOW + timedelta(1)).replace(tzinfo=None)}, "zone"),
    ],
    ids=["order", "zone"],
)
def test_odd_times_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProfileError, match=reason):
        good(asked(), **{**TIMES, **changes})


def test_an_unknown_reason_is_refused() -> None:
    with pytest.raises(ProfileError, match="no reason"):
        revoked(asked(), Revocation(NOW, "removeFromCRL"), **TIMES)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"days": 0}, "0 months"),
        ({"days": 366}, "366 days"),
        ({"days": -1}, "-1 days"),
        ({"months": 1}, "no months"),
        ({"ocsp_no_check": False}, "ocsp-nocheck"),
        ({"extended_key_usage": ("OCSPSigning", "clientAuth")}, "one purpose"),
        ({"extended_key_usage": ("clientAuth",)}, "one purpose"),
    ],
)
def test_a_responders_profile_refuses_what_makes_no_sense(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProfileError, match=reason):
        replace(RESPONDER, **changes)
