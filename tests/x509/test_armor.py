from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from certauthority.x509.armor import PRIVATE_KEY_MESSAGE, Kind, certificate_ders, csr_der, pem_blocks, recognise
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.limits import MAX_CHAIN_BYTES, MAX_CSR_BYTES
from tests.x509.requests_made import csr, ec_key, pem, rsa_key, spki

# Far more than it takes: it tells a hang from a busy machine, and claims no speed.
HANG_SECONDS = 10

Reader = Callable[[bytes], object]
_NOTHING = serialization.NoEncryption()
_SECRET = serialization.BestAvailableEncryption(b"secret")
_FORMAT = serialization.PrivateFormat
_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER


def certificate() -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(ec_key().public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(ec_key(), hashes.SHA256())
    )


def revocation_list() -> bytes:
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(certificate().subject)
        .last_update(datetime(2026, 1, 1, tzinfo=UTC))
        .next_update(datetime(2026, 1, 2, tzinfo=UTC))
        .sign(ec_key(), hashes.SHA256())
        .public_bytes(_DER)
    )


@cache
def private_keys() -> dict[str, bytes]:
    """A private key in every form that people have."""
    rsa, ec, ed = rsa_key(), ec_key(), ed25519.Ed25519PrivateKey.generate()
    keys = {
        "PKCS #8 PEM": rsa.private_bytes(_PEM, _FORMAT.PKCS8, _NOTHING),
        "encrypted PKCS #8 PEM": ec.private_bytes(_PEM, _FORMAT.PKCS8, _SECRET),
        "PKCS #1 PEM": rsa.private_bytes(_PEM, _FORMAT.TraditionalOpenSSL, _NOTHING),
        "encrypted PKCS #1 PEM": rsa.private_bytes(_PEM, _FORMAT.TraditionalOpenSSL, _SECRET),
        "SEC1 PEM": ec.private_bytes(_PEM, _FORMAT.TraditionalOpenSSL, _NOTHING),
        "OpenSSH": ed.private_bytes(_PEM, _FORMAT.OpenSSH, _NOTHING),
        "Ed25519 PEM": ed.private_bytes(_PEM, _FORMAT.PKCS8, _NOTHING),
        "PKCS #8 DER": rsa.private_bytes(_DER, _FORMAT.PKCS8, _NOTHING),
        "encrypted PKCS #8 DER": rsa.private_bytes(_DER, _FORMAT.PKCS8, _SECRET),
        "PKCS #1 DER": rsa.private_bytes(_DER, _FORMAT.TraditionalOpenSSL, _NOTHING),
        "SEC1 DER": ec.private_bytes(_DER, _FORMAT.TraditionalOpenSSL, _NOTHING),
        "Ed25519 DER": ed.private_bytes(_DER, _FORMAT.PKCS8, _NOTHING),
        "PuTTY": b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n",
        "JSON Web Key": json.dumps({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}).encode(),
        ".NET XML": b"<RSAKeyValue><Modulus>AA</Modulus><P>AA</P><D>AA</D></RSAKeyValue>",
        "Microsoft PVK": b"\x1e\xf1\xb5\xb0" + bytes(40),
        "openssl -text": b"Private-Key: (256 bit)\npriv:\n    3a:5c\n",
        "PGP": b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ==\n-----END PGP PRIVATE KEY BLOCK-----\n",
    }
    keys["base64 alone"] = base64.encodebytes(keys["PKCS #8 DER"])
    keys["under a wrong label"] = pem(keys["SEC1 DER"])
    keys["under a certificate's label"] = pem(keys["PKCS #8 DER"], "CERTIFICATE")
    keys["with its first line damaged"] = keys["PKCS #8 PEM"].replace(b"-----BEGIN", b"--BEGIN")
    keys["cut off"] = keys["PKCS #8 PEM"][:300]
    keys["UTF-16"] = keys["PKCS #8 PEM"].decode().encode("utf-16")
    keys["UTF-16, base64 alone"] = keys["base64 alone"].decode().encode("utf-16")
    return keys


@pytest.mark.parametrize("form", sorted(private_keys()))
@pytest.mark.parametrize("reader", [csr_der, certificate_ders])
class TestPrivateKeys:
    def test_it_is_refused_and_named(self, form: str, reader: Reader) -> None:
        with pytest.raises(UnreadableInput) as refusal:
            reader(private_keys()[form])
        assert refusal.value.code == "input.private-key"
        assert str(refusal.value) == PRIVATE_KEY_MESSAGE
        assert recognise(private_keys()[form]) is Kind.PRIVATE_KEY

    @pytest.mark.parametrize("order", [1, -1], ids=["after", "before"])
    def test_it_is_found_beside_what_was_asked_for(self, form: str, reader: Reader, order: int) -> None:
        asked_for = pem(csr()) if reader is csr_der else certificate().public_bytes(_PEM)
        key = private_keys()[form]
        data = b"\n".join([asked_for, key][::order])
        with pytest.raises(UnreadableInput, match="private key"):
            reader(data)


def test_a_private_key_in_der_after_a_csr_in_der_is_found() -> None:
    with pytest.raises(UnreadableInput, match="private key"):
        csr_der(csr() + private_keys()["PKCS #8 DER"])


def test_the_message_about_private_keys_is_exactly_the_promised_one() -> None:
    assert PRIVATE_KEY_MESSAGE == "This file holds a private key. Never send it to anyone. It was not stored."


def _dressed_up() -> dict[str, bytes]:
    text = pem(csr())
    return {
        "PEM": text,
        "DER": csr(),
        "base64 alone": base64.encodebytes(csr()),
        "CRLF": text.replace(b"\n", b"\r\n"),
        "CR alone": text.replace(b"\n", b"\r"),
        "byte order mark": b"\xef\xbb\xbf" + text,
        "UTF-16 of PowerShell": text.decode().encode("utf-16"),
        "big-endian UTF-16": b"\xfe\xff" + text.decode().encode("utf-16-be"),
        "text around it": b"Certificate Request:\n    Data:\n        Version: 1 (0x0)\n" + text + b"Thank you!\n",
        "NEW label": pem(csr(), "NEW CERTIFICATE REQUEST"),
        "one long line": text.replace(b"\n", b""),
        "blank lines and indents": text.replace(b"\n", b"\n\n   \t"),
    }


@pytest.mark.parametrize("dress", sorted(_dressed_up()))
def test_a_csr_is_read_however_it_is_dressed(dress: str) -> None:
    data = _dressed_up()[dress]
    read = csr_der(data)
    assert read[:2] == b"\x30\x82" or read[:2] == b"\x30\x81"
    assert recognise(data) is Kind.CSR


def test_what_is_read_is_the_csr_itself() -> None:
    request = csr()
    assert csr_der(pem(request)) == request
    assert csr_der(request) == request


def _wrong_things() -> dict[str, bytes]:
    both = certificate().public_bytes(_PEM)
    store = pkcs12.serialize_key_and_certificates(b"x", ec_key(), certificate(), None, _SECRET)
    ssh = ec_key().public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return {
        "certificate": both,
        "certificate in DER": certificate().public_bytes(_DER),
        "csr": pem(csr()),
        "csr in DER": csr(),
        "pkcs12": store,
        "java-keystore": b"\xfe\xed\xfe\xed\x00\x00\x00\x02" + bytes(40),
        "pkcs7": pkcs7.serialize_certificates([certificate()], _PEM),
        "pkcs7 in DER": pkcs7.serialize_certificates([certificate()], _DER),
        "crl": pem(revocation_list(), "X509 CRL"),
        "crl in DER": revocation_list(),
        "public-key": pem(spki(ec_key()), "PUBLIC KEY"),
        "public-key in DER": spki(rsa_key()),
        "public-key of SSH": ssh,
        "empty": b"",
        "empty but for spaces": b" \r\n\t",
        "unknown": b"hello",
        "unknown page": b"<html><body>Sign in</body></html>",
        "bad-pem": b"-----BEGIN CERTIFICATE REQUEST-----\nM!!!\n-----END CERTIFICATE REQUEST-----\n",
        "bad-pem without an end": pem(csr())[:200],
    }


@pytest.mark.parametrize("thing", sorted(set(_wrong_things()) - {"csr", "csr in DER"}))
def test_every_other_thing_in_the_csr_box_is_named(thing: str) -> None:
    with pytest.raises(UnreadableInput) as refusal:
        csr_der(_wrong_things()[thing])
    assert refusal.value.code == f"input.{thing.split(maxsplit=1)[0]}"
    assert str(refusal.value).endswith(".")
    assert "CSR" in str(refusal.value)


@pytest.mark.parametrize("thing", sorted(t for t in _wrong_things() if not t.startswith(("certificate", "bad-pem"))))
def test_every_other_thing_in_the_certificate_box_is_named(thing: str) -> None:
    with pytest.raises(UnreadableInput) as refusal:
        certificate_ders(_wrong_things()[thing])
    assert refusal.value.code == f"input.{thing.split(maxsplit=1)[0]}"
    assert "certificate" in str(refusal.value)


def test_a_certificate_and_a_csr_in_each_others_box_get_the_promised_words() -> None:
    with pytest.raises(UnreadableInput, match=r"^This is a certificate, and a CSR is needed here\. "):
        csr_der(_wrong_things()["certificate"])
    with pytest.raises(UnreadableInput, match=r"^This is a CSR, and a certificate is needed here\. "):
        certificate_ders(_wrong_things()["csr"])


def test_two_csrs_are_refused() -> None:
    with pytest.raises(UnreadableInput, match="2 CSRs") as refusal:
        csr_der(pem(csr()) + pem(csr()))
    assert refusal.value.code == "csr.single"


def test_a_csr_and_a_certificate_in_one_file_are_refused() -> None:
    data = pem(csr()) + certificate().public_bytes(_PEM)
    for reader in (csr_der, certificate_ders):
        with pytest.raises(UnreadableInput) as refusal:
            reader(data)
        assert refusal.value.code == "input.mixed"


def test_sizes_are_bounded_before_anything_is_looked_at() -> None:
    request = pem(csr())
    for reader, limit in ((csr_der, MAX_CSR_BYTES), (certificate_ders, MAX_CHAIN_BYTES)):
        with pytest.raises(UnreadableInput) as refusal:
            reader(b" " * (limit - len(request) + 1) + request)
        assert refusal.value.code == "input.too-large"
    assert csr_der(b" " * (MAX_CSR_BYTES - len(request)) + request)


def test_certificates_come_in_their_order_and_at_most_ten() -> None:
    chain = b"text\n".join([certificate().public_bytes(_PEM) for _ in range(10)])
    assert [pem(read, "CERTIFICATE") for read in certificate_ders(chain)] == [
        pem(block.der or b"", "CERTIFICATE") for block in pem_blocks(chain)
    ]
    with pytest.raises(UnreadableInput, match="at most 10"):
        certificate_ders(chain + certificate().public_bytes(_PEM))


def test_a_block_that_another_ones_end_closes_is_damaged() -> None:
    blocks = pem_blocks(b"-----BEGIN A-----\nAAAA\n-----END B-----\n-----BEGIN C-----\nAAAA\n-----END C-----\n")
    assert [(block.label, block.der) for block in blocks] == [("A", None), ("C", b"\x00\x00\x00")]


@pytest.mark.parametrize(
    "unit",
    [
        b"-----BEGIN A-----\n",
        b"-----BEGIN ",
        b"-----",
        b"0\x80",
        b"M",
        b"MIIA ",
        b"MIIA\nMIIA ",
        b"<RSAKeyValue>",
        b'"kty":',
    ],
    ids=repr,
)
def test_hostile_repetition_costs_no_more_than_its_length(unit: bytes) -> None:
    data = (unit * (MAX_CHAIN_BYTES // len(unit)))[:MAX_CHAIN_BYTES]
    started = time.perf_counter()
    with pytest.raises(UnreadableInput):
        certificate_ders(data)
    assert time.perf_counter() - started < HANG_SECONDS
