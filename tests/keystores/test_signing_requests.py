"""The CSR that the browser signs."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certauthority.x509 import der
from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.subject_rules import SubjectRequirement, judge_subject
from certauthority.x509.verdicts import broken
from tests.keystores.browser_code import KEY_TYPES, SUBJECT, BrowserCode, Failed

SIZES = {"rsa-2048": 2048, "rsa-3072": 3072, "rsa-4096": 4096, "ec-p256": 256, "ec-p384": 384}
SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")  # With NULL: RFC 4055, 5.
ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
ECDSA_WITH_SHA384 = bytes.fromhex("300a06082a8648ce3d040303")
ALGORITHMS = {"ec-p256": ECDSA_WITH_SHA256, "ec-p384": ECDSA_WITH_SHA384}
NO_ATTRIBUTES = b"\xa0\x00"
REQUIREMENT = SubjectRequirement("MTF", "123456", "Acme Payments Ltd", "Checkout API", "GB")


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_the_portal_accepts_it(browser_code: BrowserCode, key_type: str) -> None:
    made = browser_code.make(key_type)
    judgement = judge_csr(made.csr)
    assert broken(judgement.verdicts) == ()
    assert judgement.csr
    assert broken(judge_subject(judgement.csr.subject, REQUIREMENT)) == ()


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_its_key_is_of_the_type_asked_for_and_signed_it(browser_code: BrowserCode, key_type: str) -> None:
    made = browser_code.make(key_type)
    request = x509.load_der_x509_csr(made.csr)
    key = request.public_key()
    assert request.is_signature_valid
    assert isinstance(key, ec.EllipticCurvePublicKey if key_type in ALGORITHMS else rsa.RSAPublicKey)
    assert key.key_size == SIZES[key_type]
    assert key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == made.spki


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_it_holds_what_rfc_2986_asks_for_and_no_more(browser_code: BrowserCode, key_type: str) -> None:
    made = browser_code.make(key_type)
    information, algorithm, _ = der.read_one(made.csr).children()
    content = b"\x02\x01\x00" + encoded_name(SUBJECT) + made.spki + NO_ATTRIBUTES
    assert information.raw == der.write(der.SEQUENCE, content)
    assert algorithm.raw == ALGORITHMS.get(key_type, SHA256_WITH_RSA)


@pytest.mark.parametrize("key_type", ALGORITHMS)
def test_many_ec_signatures_are_der(browser_code: BrowserCode, key_type: str) -> None:
    """WebCrypto gives two numbers of fixed length. In DER one in 256 is shorter, and every second one longer."""
    signed = [base64.b64decode(csr) for csr in browser_code.ask("signMany", keyType=key_type, count=1000)]
    lengths = set()
    for csr in signed:
        assert x509.load_der_x509_csr(csr).is_signature_valid
        signature = der.read_one(csr).children()[2].content[1:]
        lengths |= {len(number.content) for number in der.read_one(signature).children()}
    octets = SIZES[key_type] // 8
    assert {octets - 1, octets, octets + 1} <= lengths


def test_letters_of_other_alphabets_stand_in_the_subject(browser_code: BrowserCode) -> None:
    subject = (("O", "Ãcmé 支付 𝔸"), ("OU", "Größe & Co., “A”"), ("CN", "1-Client-MTF-000000"))
    made = browser_code.make("ec-p256", subject=subject)
    assert encoded_name(subject) in made.csr


@pytest.mark.parametrize("label", ["L", "emailAddress", "", "constructor"])
def test_no_other_attribute_is_written(browser_code: BrowserCode, label: str) -> None:
    with pytest.raises(Failed, match=r"RangeError: .*stands in no subject"):
        browser_code.make("ec-p256", subject=((label, "x"),))


@pytest.mark.parametrize("key_type", ["rsa-1024", "ed25519", "", "toString"])
def test_no_other_type_of_key_is_made(browser_code: BrowserCode, key_type: str) -> None:
    with pytest.raises(Failed, match=r"RangeError: .*is no key type"):
        browser_code.make(key_type)


def encoded_name(subject: tuple[tuple[str, str], ...]) -> bytes:
    """The DER of a name, put together here by hand."""
    last_arcs = {"CN": 3, "C": 6, "O": 10, "OU": 11}
    parts = b""
    for label, value in subject:
        text = value.encode()
        string = bytes([0x13 if label == "C" else 0x0C, len(text)]) + text
        pair = b"\x06\x03\x55\x04" + bytes([last_arcs[label]]) + string
        attribute = bytes([0x30, len(pair)]) + pair
        parts += bytes([0x31, len(attribute)]) + attribute
    return der.write(der.SEQUENCE, parts)
