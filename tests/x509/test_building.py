from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from certauthority.lint import lint_certificate
from certauthority.x509 import der
from certauthority.x509.building import build_certificate, verify_certificate
from certauthority.x509.certificates import read_certificate
from certauthority.x509.errors import ProfileError
from certauthority.x509.names import encode_subject
from certauthority.x509.profile import add_months
from certauthority.x509.signing import SigningKey
from tests.x509.certificates_made import (
    BEGIN,
    CLIENT,
    ISSUING,
    NOW,
    ROOT,
    SERVER,
    authority,
    client,
    developers,
    ec_key,
    p384_key,
    root,
    rsa_key,
    spki,
)

SUBJECT = encode_subject([("C", "GB"), ("O", "Acme Payments Ltd"), ("CN", "1700000000-Client-MTF-123456")])


def asked(**changes: Any) -> dict[str, Any]:
    """What is asked of build_certificate and of verify_certificate alike."""
    return {
        "profile": CLIENT,
        "subject": SUBJECT,
        "public_key": spki(ec_key()),
        "issuer": developers().facts,
        "serial": 2**158 + 1,
        "not_before": NOW,
        "not_after": add_months(NOW, 13),
        **changes,
    }


def build(**changes: Any) -> bytes:
    return build_certificate(issuer_key=developers().key, **asked(**changes))


@pytest.mark.parametrize("ca_key", [ec_key(1), p384_key(), rsa_key()], ids=["P-256", "P-384", "RSA"])
@pytest.mark.parametrize("key", [ec_key(), p384_key(), rsa_key()], ids=["P-256", "P-384", "RSA"])
def test_every_kind_of_key_makes_a_certificate_that_passes_the_lint(ca_key: SigningKey, key: SigningKey) -> None:
    ca = authority("CA", ca_key)
    wanted = asked(issuer=ca.facts, public_key=spki(key))

    certificate = build_certificate(issuer_key=ca.key, **wanted)

    verify_certificate(certificate, **wanted)
    assert lint_certificate(certificate) == []
    facts = read_certificate(certificate)
    assert (
        facts.signature_algorithm
        == {
            "EC P-256": "ecdsa-with-SHA256",
            "EC P-384": "ecdsa-with-SHA384",
            "RSA 2048": "sha256WithRSAEncryption",
        }[ca.facts.public_key.description]
    )
    rsa_usage = ("digitalSignature", "keyEncipherment")
    assert facts.key_usage == (rsa_usage if key is rsa_key() else ("digitalSignature",))


def test_a_client_certificate_has_what_the_profile_says_and_nothing_else() -> None:
    certificate = x509.load_der_x509_certificate(build())

    assert {extension.oid._name: extension.critical for extension in certificate.extensions} == {
        "basicConstraints": True,
        "keyUsage": True,
        "extendedKeyUsage": False,
        "cRLDistributionPoints": False,
        "authorityInfoAccess": False,
        "subjectKeyIdentifier": False,
        "authorityKeyIdentifier": False,
    }
    facts = read_certificate(build())
    assert (facts.is_ca, facts.extended_key_usage, facts.subject_alternative_names) == (False, ("clientAuth",), ())
    assert facts.crl_urls == (CLIENT.crl_url,)
    assert facts.ca_issuer_urls == (CLIENT.ca_issuer_url,)
    assert facts.ocsp_urls == (CLIENT.ocsp_url,)
    assert facts.authority_key_identifier == developers().facts.subject_key_identifier
    assert facts.subject_key_identifier == x509.SubjectKeyIdentifier.from_public_key(ec_key().public_key()).digest.hex()
    assert (facts.not_before, facts.not_after, facts.serial) == (NOW, add_months(NOW, 13), 2**158 + 1)


def test_roots_and_issuing_authorities_pass_the_lint() -> None:
    assert lint_certificate(root().der) == []
    assert lint_certificate(developers().der) == []
    assert root().facts.is_self_signed
    assert root().facts.authority_key_identifier == root().facts.subject_key_identifier


def test_a_server_certificate_names_its_hosts() -> None:
    certificate = client(developers(), profile=SERVER, dns_names=["host.example", "portal.example"])

    assert read_certificate(certificate).subject_alternative_names == ("DNS:host.example", "DNS:portal.example")
    assert lint_certificate(certificate) == []


def test_a_server_certificate_may_have_addresses_alone_or_beside_names() -> None:
    addresses = [ip_address("192.0.2.1"), ip_address("2001:db8::1")]
    wanted = asked(profile=SERVER, dns_names=["host.example"], ip_addresses=addresses)
    certificate = build_certificate(issuer_key=developers().key, **wanted)

    verify_certificate(certificate, **wanted)
    assert read_certificate(certificate).subject_alternative_names == (
        "DNS:host.example",
        "IP:192.0.2.1",
        "IP:2001:db8::1",
    )
    assert lint_certificate(certificate) == []
    alone = read_certificate(build(profile=SERVER, ip_addresses=addresses))
    assert alone.subject_alternative_names == ("IP:192.0.2.1", "IP:2001:db8::1")


def test_the_subject_stands_in_the_certificate_octet_for_octet() -> None:
    def attribute(oid: str, tag: int, value: bytes) -> bytes:
        return der.write(der.SET, der.write(der.SEQUENCE, der.write_oid(oid) + der.write(tag, value)))

    subject = der.write(
        der.SEQUENCE,
        attribute("2.5.4.3", 0x13, b"Printable")
        + attribute("2.5.4.10", 0x1E, "Acmé".encode("utf-16-be"))
        + attribute("2.5.4.11", 0x0C, "Überweisung".encode()),
    )

    certificate = build(subject=subject)

    verify_certificate(certificate, **asked(subject=subject))
    assert read_certificate(certificate).subject.der == subject


def test_fractions_of_a_second_are_cut_off() -> None:
    not_before = NOW.replace(microsecond=999_999)

    certificate = build(not_before=not_before)

    verify_certificate(certificate, **asked(not_before=not_before))
    assert read_certificate(certificate).not_before == NOW


def test_dates_from_2050_on_are_written_as_the_standard_asks() -> None:
    ca = authority("CA", ec_key(1), begin=datetime(2049, 1, 1, tzinfo=UTC))
    wanted = asked(
        issuer=ca.facts,
        not_before=datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC),
        not_after=datetime(2050, 1, 1, tzinfo=UTC),
    )

    certificate = build_certificate(issuer_key=ca.key, **wanted)

    verify_certificate(certificate, **wanted)
    assert b"\x17\x0d491231235959Z\x18\x0f20500101000000Z" in certificate
    assert lint_certificate(certificate) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"not_after": root().facts.not_after + timedelta(seconds=1)}, "after its CA"),
        ({"not_before": BEGIN - timedelta(seconds=1)}, "before its CA"),
        ({"not_after": NOW}, "end before it begins"),
        ({"serial": 0}, "serial number"),
        ({"serial": -5}, "serial number"),
        ({"serial": 2**159}, "serial number"),
        ({"subject": b"\x30\x00"}, "subject"),
        ({"subject": developers().facts.subject.der}, "own name"),
        ({"public_key": b"\x30\x00"}, "public key"),
        ({"profile": ISSUING}, "path length is 0"),
        ({"issuer": None}, "a CA must sign it"),
        ({"profile": SERVER}, "at least one DNS name"),
        ({"dns_names": ["*.example.org"]}, "not a DNS name"),
        ({"dns_names": ["a..b"]}, "not a DNS name"),
        ({"dns_names": ["-a.example"]}, "not a DNS name"),
        ({"dns_names": ["a" * 64]}, "not a DNS name"),
        ({"dns_names": ["x\n"]}, "not a DNS name"),
        ({"dns_names": ["a.example", "A.example"]}, "each of them once"),
        ({"ip_addresses": [ip_address("192.0.2.1")]}, "Only a server certificate"),
        ({"profile": SERVER, "ip_addresses": [ip_address("192.0.2.1")] * 2}, "each of them once"),
        ({"profile": SERVER, "ip_addresses": list(map(ip_address, range(11)))}, "at most 10 IP addresses"),
    ],
)
def test_what_the_profile_or_the_issuer_does_not_allow_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProfileError, match=reason):
        build(**changes)


def test_a_certificate_may_end_and_begin_with_its_issuer_to_the_second() -> None:
    facts = developers().facts

    certificate = build(not_before=facts.not_before, not_after=facts.not_after)

    assert read_certificate(certificate).not_after == facts.not_after


def test_a_client_certificate_signs_no_other() -> None:
    leaf = read_certificate(client(developers()))

    with pytest.raises(ProfileError, match="may not sign certificates"):
        build_certificate(issuer_key=ec_key(), **asked(issuer=leaf))


def test_a_ca_key_of_another_curve_is_refused() -> None:
    with pytest.raises(ProfileError, match="P-256 or P-384"):
        build_certificate(issuer_key=ec.generate_private_key(ec.SECP521R1()), **asked())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"serial": 7}, "serial number"),
        ({"subject": encode_subject([("CN", "another")])}, "subject"),
        ({"public_key": spki(ec_key(7))}, "public key"),
        ({"not_before": NOW + timedelta(seconds=1)}, "start of validity"),
        ({"not_after": add_months(NOW, 13) + timedelta(seconds=1)}, "end of validity"),
        ({"issuer": root().facts}, "issuer"),
        ({"dns_names": ["localhost"]}, "extensions"),
        (
            {"profile": SERVER, "dns_names": ["a.example"], "ip_addresses": [ip_address("::1")]},
            "extensions",
        ),
        ({"profile": replace(CLIENT, crl_url="http://127.0.0.1/other.crl")}, "extensions"),
        ({"profile": replace(CLIENT, ocsp_url="")}, "extensions"),
        (
            {"profile": replace(CLIENT, extended_key_usage=("clientAuth", "serverAuth")), "dns_names": ["a"]},
            "extensions",
        ),
        ({"profile": replace(CLIENT, key_usage=("digitalSignature", "keyAgreement"))}, "extensions"),
    ],
)
def test_reading_back_finds_every_difference(changes: dict[str, Any], field: str) -> None:
    certificate = build()

    with pytest.raises(ProfileError, match=f"another {field}"):
        verify_certificate(certificate, **asked(**changes))


def test_reading_back_finds_a_signature_by_another_key() -> None:
    certificate = build_certificate(issuer_key=ec_key(9), **asked())

    with pytest.raises(ProfileError, match="another signature"):
        verify_certificate(certificate, **asked())


def test_reading_back_finds_a_signature_of_another_kind() -> None:
    certificate = build_certificate(issuer_key=rsa_key(), **asked())

    with pytest.raises(ProfileError, match="another signature algorithm"):
        verify_certificate(certificate, **asked())


def test_reading_back_refuses_a_root_with_changed_constraints() -> None:
    wanted = asked(profile=ROOT, issuer=None, subject=SUBJECT, public_key=spki(ec_key(1)))
    certificate = build_certificate(issuer_key=ec_key(1), **wanted)

    verify_certificate(certificate, **wanted)
    with pytest.raises(ProfileError, match="another extensions"):
        verify_certificate(certificate, **{**wanted, "profile": replace(ROOT, path_length=0)})


BUILT = build()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_single_changed_octet_is_found(data: st.DataObject) -> None:
    certificate = bytearray(BUILT)
    position = data.draw(st.integers(0, len(certificate) - 1))
    certificate[position] ^= data.draw(st.integers(1, 255))

    with pytest.raises(ProfileError):
        verify_certificate(bytes(certificate), **asked())
