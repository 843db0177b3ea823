"""The search for keys and passwords finds each of them in each form where it was planted, and nothing elsewhere."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.browser.leaks import PrivateKey, found_in, needles_of_key, needles_of_octets, needles_of_text, secret_numbers

KEYS: dict[str, PrivateKey] = {
    "RSA 2048": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "EC P-256": ec.generate_private_key(ec.SECP256R1()),
    "EC P-384": ec.generate_private_key(ec.SECP384R1()),
}
PASSWORD = 'a "quoted" $\\ p&ss+w%rd /~'
INNOCENT = b"POST /projects/ HTTP/1.1\r\nContent-Type: multipart/form-data\r\n\r\n"

# How somebody's script could send octets.
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "hex": lambda octets: octets.hex().encode(),
    "HEX": lambda octets: octets.hex().upper().encode(),
    "hex with colons": lambda octets: octets.hex(":").encode(),
    "base64": b64encode,
    "base64 after one octet": lambda octets: b64encode(b"x" + octets + b"y"),
    "base64 after two octets": lambda octets: b64encode(b"xy" + octets + b"z"),
    "base64url": urlsafe_b64encode,
    "base64 in a form": lambda octets: quote_plus(b64encode(octets)).encode(),
    "percent-encoded": lambda octets: quote(octets).encode(),
    "JSON array": lambda octets: json.dumps(list(octets), separators=(",", ":")).encode(),
}


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("name", KEYS)
def test_every_secret_number_is_found(name: str, coding: str) -> None:
    key = KEYS[name]
    needles = needles_of_key(key)
    for symbol, number in secret_numbers(key).items():
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        planted = INNOCENT + CODINGS[coding](octets) + b"\r\n"
        assert any(found.startswith(f"{symbol}:") for found in found_in(planted, needles)), symbol


@pytest.mark.parametrize("name", KEYS)
def test_a_secret_number_in_decimal_is_found(name: str) -> None:
    key = KEYS[name]
    for symbol, number in secret_numbers(key).items():
        assert f"{symbol}: decimal" in found_in(INNOCENT + str(number).encode(), needles_of_key(key))


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("name", KEYS)
def test_a_part_of_the_pkcs8_is_found(name: str, coding: str) -> None:
    key = KEYS[name]
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    # The second half of an EC key's is its public point.
    found = found_in(INNOCENT + CODINGS[coding](der[: len(der) // 2]), needles_of_key(key))
    assert any(line.startswith("PKCS #8:") for line in found)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("name", KEYS)
def test_a_pem_file_is_found(name: str, form: PrivateFormat) -> None:
    key = KEYS[name]
    text = key.private_bytes(Encoding.PEM, form, NoEncryption())
    assert found_in(INNOCENT + text, needles_of_key(key))
    without_armour = b"\r\n".join(text.splitlines()[1:-1])
    assert found_in(INNOCENT + without_armour, needles_of_key(key))


@pytest.mark.parametrize("coding", CODINGS)
def test_a_file_is_found_also_where_only_a_part_was_sent(coding: str) -> None:
    file = bytes(range(256)) * 3
    for part in (file, file[5:40], file[-31:]):
        assert found_in(INNOCENT + CODINGS[coding](part), needles_of_octets("file", file))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("coding", CODINGS)
def test_a_password_is_found(coding: str, encoding: str) -> None:
    planted = INNOCENT + CODINGS[coding](PASSWORD.encode(encoding)) + b"\r\n"
    assert found_in(planted, needles_of_text("password", PASSWORD))


@pytest.mark.parametrize(
    "planted", [json.dumps({"p": PASSWORD}), repr([PASSWORD]), quote_plus(PASSWORD), quote(PASSWORD), PASSWORD]
)
def test_a_password_is_found_as_text(planted: str) -> None:
    assert found_in(INNOCENT + planted.encode(), needles_of_text("password", PASSWORD))


@pytest.mark.parametrize("name", KEYS)
def test_the_public_key_is_no_leak(name: str) -> None:
    key = KEYS[name]
    public = key.public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for coding in CODINGS.values():
        assert found_in(INNOCENT + coding(der), needles_of_key(key)) == []
    assert found_in(INNOCENT + pem, needles_of_key(key)) == []
