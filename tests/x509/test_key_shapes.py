"""Private keys and keystores anywhere in data: as DER, base64, hex or in JSON, whole or cut off, and nothing else."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)

from certauthority.x509 import der
from certauthority.x509.sniffing import holds_key_material, holds_private_key
from tests.x509.requests_made import csr, ec_key, pem, rsa_key, spki
from tests.x509.test_armor import certificate, revocation_list

_PLAIN = NoEncryption()
_LOCKED = BestAvailableEncryption(b"secret password")


def _der(key: object, form: PrivateFormat, encryption: KeySerializationEncryption = _PLAIN) -> bytes:
    return bytes(key.private_bytes(Encoding.DER, form, encryption))  # type: ignore[attr-defined]  # every kind of key has it


def _store(encryption: KeySerializationEncryption) -> bytes:
    return pkcs12.serialize_key_and_certificates(b"x", ec_key(), certificate(), None, encryption)


@cache
def keys() -> dict[str, bytes]:
    """A private key of each kind in each binary form."""
    edwards = ed25519.Ed25519PrivateKey.generate()
    found = {
        "PKCS #8 of RSA": _der(rsa_key(), PrivateFormat.PKCS8),
        "PKCS #8 of RSA 4096": _der(rsa_key(4096), PrivateFormat.PKCS8),
        "PKCS #8 of EC": _der(ec_key(), PrivateFormat.PKCS8),
        "PKCS #8 of P-384": _der(ec.generate_private_key(ec.SECP384R1()), PrivateFormat.PKCS8),
        "PKCS #8 of Ed25519": _der(edwards, PrivateFormat.PKCS8),
        "PKCS #8 of Ed448": _der(ed448.Ed448PrivateKey.generate(), PrivateFormat.PKCS8),
        "PKCS #8 of X25519": _der(x25519.X25519PrivateKey.generate(), PrivateFormat.PKCS8),
        "PKCS #8, locked, of RSA": _der(rsa_key(), PrivateFormat.PKCS8, _LOCKED),
        "PKCS #8, locked, of EC": _der(ec_key(), PrivateFormat.PKCS8, _LOCKED),
        "PKCS #8, locked, of Ed25519": _der(edwards, PrivateFormat.PKCS8, _LOCKED),
        "PKCS #1": _der(rsa_key(), PrivateFormat.TraditionalOpenSSL),
        "DSA of OpenSSL": _der(dsa.generate_private_key(1024), PrivateFormat.TraditionalOpenSSL),
    }
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        found[f"SEC 1 {curve.name}"] = _der(ec.generate_private_key(curve), PrivateFormat.TraditionalOpenSSL)
    found["SEC 1 with nothing after the key"] = der.write(
        der.SEQUENCE, der.write(der.INTEGER, b"\x01") + der.write(der.OCTET_STRING, b"k" * 32)
    )
    parameters = der.write(der.OCTET_STRING, b"saltsalt") + der.write(der.INTEGER, b"\x08\x00")
    algorithm = der.write_oid("1.2.840.113549.1.12.1.3") + der.write(der.SEQUENCE, parameters)
    found["PKCS #8, locked as of old"] = der.write(
        der.SEQUENCE, der.write(der.SEQUENCE, algorithm) + der.write(der.OCTET_STRING, bytes(range(144)))
    )
    return found


@cache
def keystores() -> dict[str, bytes]:
    """Files that are made for keys."""
    return {
        "PKCS #12": _store(_LOCKED),
        "PKCS #12 in the clear": _store(_PLAIN),
        "PKCS #12 with a certificate alone": pkcs12.serialize_key_and_certificates(
            b"x", None, certificate(), None, _LOCKED
        ),
        "PKCS #12 in BER": b"\x30\x80\x02\x01\x03\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80"
        + bytes(99),
        "PKCS #12 of 70 kB": _long_store(),
    }


JAVA_KEYSTORES = [magic + bytes.fromhex("0000000200000001") + bytes(40) for magic in (b"\xfe\xed" * 2, b"\xce" * 4)]


def _long_store() -> bytes:
    content = der.write(der.SEQUENCE, der.write_oid("1.2.840.113549.1.7.1") + der.write(0xA0, bytes(70_000)))
    return der.write(der.SEQUENCE, der.write(der.INTEGER, b"\x03") + content)


def _k8s(data: bytes) -> bytes:
    return b"data:\n  tls.key: " + base64.b64encode(pem(data, "EC PRIVATE KEY")) + b"\n"


DRESSES: dict[str, Callable[[bytes], bytes]] = {
    "DER": lambda data: data,
    "DER within other octets": lambda data: b"\x00\x30\x82garbage\x30" + data + b"\xff\xfe",
    "DER after PEM": lambda data: pem(csr()) + b"\n" + data,
    "base64 in a line": base64.b64encode,
    "base64 in lines": base64.encodebytes,
    "base64 in short, indented lines": lambda data: b"\n    ".join(
        base64.b64encode(data)[at : at + 32] for at in range(0, len(data), 32)
    ),
    "base64 for addresses": base64.urlsafe_b64encode,
    "base64 after a word that begins like it": lambda data: b"Mine is MIME " + base64.b64encode(data),
    "base64 after other base64": lambda data: base64.b64encode(b"abc") + base64.b64encode(data),
    "base64 in JSON": lambda data: json.dumps({"key": base64.encodebytes(data).decode()}).encode(),
    "base64 in JSON in JSON": lambda data: json.dumps(json.dumps({"key": base64.encodebytes(data).decode()})).encode(),
    "base64 in JSON of PHP": lambda data: b'{"key":"' + base64.b64encode(data).replace(b"/", rb"\/") + b'"}',
    "base64 in UTF-16": lambda data: base64.b64encode(data).decode().encode("utf-16"),
    "a wrong label": lambda data: pem(data, "CERTIFICATE"),
    "hex": lambda data: data.hex().encode(),
    "hex in capitals": lambda data: data.hex().upper().encode(),
    "hex with colons": lambda data: data.hex(":").encode(),
    "hex in lines": lambda data: b"\n".join(data[at : at + 16].hex(" ").encode() for at in range(0, len(data), 16)),
    "decimals in JSON": lambda data: json.dumps([*data]).encode(),
    "decimals in close JSON": lambda data: json.dumps(
        {"key": {"type": "Buffer", "data": [*data]}}, separators=(",", ":")
    ).encode(),
    "decimals in indented JSON": lambda data: json.dumps({"key": [*data]}, indent=4).encode(),
    "decimals in JSON in JSON": lambda data: json.dumps(json.dumps([*data])).encode(),
    "decimals of Java": lambda data: str([octet - (octet & 128) * 2 for octet in data]).encode(),
    "decimals with names in JSON": lambda data: json.dumps(dict(enumerate(data))).encode(),
    "decimals in lines": lambda data: "\n".join(map(str, data)).encode(),
    "hex in PostgreSQL": lambda data: rb"\x" + data.hex().encode(),
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("form", keys())
def test_a_private_key_is_found(form: str, dress: str) -> None:
    data = DRESSES[dress](keys()[form])
    assert holds_private_key(data)
    assert holds_key_material(data)


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("form", keystores())
def test_a_keystore_is_found(form: str, dress: str) -> None:
    assert holds_key_material(DRESSES[dress](keystores()[form]))


@pytest.mark.parametrize("dress", ["DER", "DER within other octets", "base64 in lines", "base64 in JSON of PHP", "hex"])
@pytest.mark.parametrize("store", JAVA_KEYSTORES, ids=["JKS", "JCEKS"])
def test_a_java_keystore_is_found(store: bytes, dress: str) -> None:
    assert holds_key_material(DRESSES[dress](store))


@pytest.mark.parametrize("form", keys())
def test_a_private_key_is_found_however_much_of_its_end_is_missing(form: str) -> None:
    whole = keys()[form]
    assert holds_private_key(whole[: len(whole) * 2 // 3])
    assert holds_private_key(base64.b64encode(whole)[:-9])


@pytest.mark.parametrize("dress", ["DER", "base64 in lines", "hex"])
def test_a_keystore_is_not_called_a_private_key(dress: str) -> None:
    """It is answered in words of its own."""
    assert not holds_private_key(DRESSES[dress](keystores()["PKCS #12"]))


@cache
def _texts() -> dict[str, bytes]:
    text = pem(keys()["SEC 1 secp256r1"], "EC PRIVATE KEY")
    ssh = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, _PLAIN)
    web_key = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}
    return {
        "PEM in base64": base64.b64encode(text),
        "PEM in base64, after one octet": base64.b64encode(b"\n" + text),
        "PEM in base64, after two octets": base64.b64encode(b"\r\n" + text),
        "PEM in hex": text.hex().encode(),
        "PEM in hex with colons": text.hex(":").upper().encode(),
        "PEM in decimals": json.dumps([*text]).encode(),
        "PEM in decimals with names": json.dumps(dict(enumerate(text))).encode(),
        "PEM in JSON": json.dumps({"key": text.decode()}).encode(),
        "PEM in JSON with numbers for characters": b'{"key": "-----\\u0042EGIN PRIVATE KEY-----"}',
        "the end of PEM alone": text[-60:],
        "OpenSSH without its armour": b"".join(ssh.splitlines()[1:-1]),
        "JSON Web Key": json.dumps(web_key).encode(),
        "JSON Web Key in JSON": json.dumps(json.dumps(web_key)).encode(),
        "Microsoft PVK in base64": base64.b64encode(b"\x1e\xf1\xb5\xb0" + bytes(40)),
    }


@pytest.mark.parametrize("text", _texts())
def test_a_private_key_is_found_in_text(text: str) -> None:
    assert holds_private_key(_texts()[text])


@cache
def _harmless() -> dict[str, bytes]:
    cut = csr()
    web_key = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}
    return {
        "CSR": cut,
        "CSR of RSA": csr(key=rsa_key()),
        "CSR without a subject": csr(subject=b"\x30\x00"),
        "certificate": certificate().public_bytes(Encoding.DER),
        "CRL": revocation_list(),
        "PKCS #7": pkcs7.serialize_certificates([certificate()] * 3, Encoding.DER),
        "public key": spki(rsa_key()),
        "public key of PKCS #1": der.read_all(der.read_one(spki(rsa_key())).content)[1].content[1:],
        "JSON Web Key without its secret": json.dumps(web_key).encode(),
        "random octets": random.Random(7).randbytes(200_000),
        "PEM of a certificate": pem(certificate().public_bytes(Encoding.DER), "CERTIFICATE"),
        "numbers": " ".join(str(random.Random(7).randrange(60)) for _ in range(50_000)).encode(),
        "words": b"Never send a private key. Mine is MIICAQA, hers MC4CAQ and theirs 3082 0201 00 30.",
    }


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("form", _harmless())
def test_nothing_else_is_taken_for_one(form: str, dress: str) -> None:
    assert not holds_key_material(DRESSES[dress](_harmless()[form]))


def test_thousands_of_beginnings_that_lead_nowhere_count_as_a_key() -> None:
    """Each of them costs a look, so that there is an end to it."""
    beginning = bytes.fromhex("300802010030")
    assert not holds_key_material(beginning * 100)
    assert holds_key_material(beginning * 10_000)


@pytest.mark.parametrize(
    "piece",
    [
        b"48,130,4,2,2,1,0,9,",
        b"48 1 48 1 6 ",
        b"48" + b" " * 12,
        b"48, ",
        b'"0":48,"1":1,',
        b"-48,",
        b"50 52 49 56 ",
        b"9",
    ],
)
def test_numbers_that_look_like_beginnings_cost_little(piece: bytes) -> None:
    """Each place is looked at for a fixed number of octets, and only so many places are: else this would hang."""
    text = piece * (1_000_000 // len(piece))
    assert holds_key_material(text) == piece.startswith((b"48,130,", b"48 1 48"))
