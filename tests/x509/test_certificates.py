from __future__ import annotations

import hashlib
import subprocess
from datetime import timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from certauthority.x509 import der
from certauthority.x509.certificates import read_certificate
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.names import encode_subject
from tests.x509.certificates_made import (
    CA_TRUE,
    CLIENT,
    NOW,
    client,
    developers,
    ec_key,
    kmp,
    name,
    odd,
    odd_authority,
    root,
    rsa_key,
)

GOOD = client(developers())


def test_every_field_is_read() -> None:
    begin, end = NOW - timedelta(hours=1), NOW + timedelta(days=5)
    certificate = client(kmp(), key=rsa_key(), begin=begin, end=end, dns_names=["a.example"])

    facts = read_certificate(certificate)

    assert facts.der == certificate
    assert facts.fingerprint == hashlib.sha256(certificate).hexdigest()
    assert facts.subject.text == "CN=1700000000-Client-MTF-123456,OU=Checkout API,O=Acme Payments Ltd,C=GB"
    assert facts.issuer.text == "CN=Test KMP CA,O=Test CAs"
    assert facts.issuer.der == encode_subject([("O", "Test CAs"), ("CN", "Test KMP CA")])
    assert (facts.not_before, facts.not_after) == (begin, end)
    assert facts.public_key.description == "RSA 2048"
    assert facts.signature_algorithm == "ecdsa-with-SHA256"
    assert not facts.is_ca
    assert not facts.is_self_signed
    assert facts.key_usage == ("digitalSignature", "keyEncipherment")
    assert facts.extended_key_usage == ("clientAuth",)
    assert facts.subject_alternative_names == ("DNS:a.example",)
    assert facts.authority_key_identifier == kmp().facts.subject_key_identifier
    assert facts.crl_urls == (CLIENT.crl_url,)
    assert facts.ca_issuer_urls == (CLIENT.ca_issuer_url,)
    assert facts.ocsp_urls == (CLIENT.ocsp_url,)
    assert facts.path_length is None


def test_openssl_agrees_about_serial_fingerprint_and_names() -> None:
    facts = read_certificate(GOOD)
    command = ["openssl", "x509", "-noout", "-serial", "-fingerprint", "-sha256", "-subject", "-nameopt", "RFC2253"]

    printed = subprocess.run(command, input=facts.pem, capture_output=True, check=True, text=True).stdout

    lines = dict(line.split("=", 1) for line in printed.splitlines())
    assert lines["serial"].lower().lstrip("0") == facts.serial_hex
    assert lines["sha256 Fingerprint"].replace(":", "").lower() == facts.fingerprint
    assert lines["subject"] == facts.subject.text


def test_a_root_is_a_self_signed_ca() -> None:
    facts = root().facts

    assert (facts.is_ca, facts.is_self_signed, facts.path_length) == (True, True, 1)
    assert facts.key_usage == ("keyCertSign", "cRLSign")
    assert (facts.crl_urls, facts.ca_issuer_urls, facts.ocsp_urls) == ((), (), ())


def test_a_name_of_its_own_issuer_alone_is_no_self_signature() -> None:
    forged = odd(root(), [CA_TRUE], subject=x509.Name.from_bytes(root().facts.subject.der), key=ec_key(5))

    assert not read_certificate(forged).is_self_signed


def test_absent_extensions_are_empty() -> None:
    facts = read_certificate(odd(root(), []))

    assert (facts.is_ca, facts.path_length, facts.has_key_usage) == (False, None, False)
    assert facts.key_usage == facts.extended_key_usage == facts.subject_alternative_names == ()
    assert facts.subject_key_identifier == facts.authority_key_identifier == ""


def test_unusual_extensions_are_shown_as_openssl_shows_them() -> None:
    names = x509.SubjectAlternativeName(
        [
            x509.RFC822Name("a@b.example"),
            x509.IPAddress(ip_address("10.0.0.1")),
            x509.UniformResourceIdentifier("urn:x"),
            x509.DirectoryName(name("Somebody")),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
            x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"),
        ]
    )
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, x509.ObjectIdentifier("1.2.3.4")])
    usage = x509.KeyUsage(False, False, False, False, True, False, False, True, False)

    facts = read_certificate(odd(root(), [(names, False), (purposes, False), (usage, True)]))

    assert facts.subject_alternative_names == (
        "email:a@b.example",
        "IP:10.0.0.1",
        "URI:urn:x",
        "DirName:CN=Somebody",
        "RID:1.2.3",
        "other name",
    )
    assert facts.extended_key_usage == ("anyExtendedKeyUsage", "1.2.3.4")
    assert facts.key_usage == ("keyAgreement", "encipherOnly")


def test_an_unknown_extension_is_no_obstacle_to_reading() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")

    assert read_certificate(odd(root(), [(unknown, True)])).subject.text == "CN=Odd"


def test_thousands_of_names_or_constraints_are_refused() -> None:
    names = [x509.DNSName(f"host{number}.example") for number in range(501)]
    most = read_certificate(odd(root(), [(x509.SubjectAlternativeName(names[:500]), False)]))
    assert len(most.subject_alternative_names) == 500

    for extension in (x509.SubjectAlternativeName(names), x509.NameConstraints(names[:250], names[250:])):
        with pytest.raises(UnreadableInput, match="501") as refusal:
            read_certificate(odd(root(), [(extension, False)]))
        assert refusal.value.code == "input.too-many-names"


def replaced(old: bytes, new: bytes) -> bytes:
    assert GOOD.count(old) == 1
    changed = GOOD.replace(old, new)
    assert len(changed) == len(GOOD)
    return changed


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "input.certificate"),
        (b"\x30\x00", "input.certificate"),
        (GOOD[:-1], "input.certificate"),
        (GOOD + b"\x00", "input.certificate"),
        (b"not a certificate", "input.certificate"),
        (replaced(b"Checkout API", b"Checkout\xffAPI"), "input.name"),
        (replaced(b"\x0c\x0cCheckout API", b"\x14\x0cCheckout API"), "input.name"),
    ],
    ids=["nothing", "empty", "cut", "longer", "text", "bad UTF-8", "T61String"],
)
def test_what_is_no_readable_certificate_is_refused_with_a_sentence(data: bytes, code: str) -> None:
    with pytest.raises(UnreadableInput) as refusal:
        read_certificate(data)

    assert refusal.value.code == code
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("serial", [b"\x00", b"\xff", b"\x01" * 21])
def test_a_serial_number_outside_the_standard_is_refused(serial: bytes) -> None:
    to_be_signed, algorithm, signature = der.read_one(GOOD).children()
    version, _, *rest = to_be_signed.children()
    fields = version.raw + der.write(der.INTEGER, serial) + b"".join(field.raw for field in rest)
    changed = der.write(der.SEQUENCE, der.write(der.SEQUENCE, fields) + algorithm.raw + signature.raw)

    with pytest.raises(UnreadableInput) as refusal:
        read_certificate(changed)

    assert refusal.value.code == "input.serial"


def test_nothing_of_a_broken_certificate_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    with pytest.raises(UnreadableInput):
        read_certificate(replaced(b"\x17\x0d", b"\x17\x0e"[:2]) if GOOD.count(b"\x17\x0d") == 1 else GOOD[:-1])

    assert "Acme" not in caplog.text
    assert caplog.messages == ["A certificate could not be read: DerError"]


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_mutated_certificates_are_read_or_refused(data: st.DataObject) -> None:
    base = bytearray(data.draw(st.sampled_from([GOOD, root().der, odd_authority("Odd", ec_key(6), [CA_TRUE]).der])))
    for _ in range(data.draw(st.integers(1, 4))):
        base[data.draw(st.integers(0, 5000)) % len(base)] = data.draw(st.integers(0, 255))

    try:
        facts = read_certificate(bytes(base))
    except UnreadableInput:
        return
    assert facts.der == bytes(base)


@given(st.binary(max_size=300))
def test_arbitrary_octets_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableInput):
        read_certificate(data)
