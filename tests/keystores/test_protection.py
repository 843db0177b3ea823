"""The encrypted private key: what opens it, and how it is encrypted."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asn1crypto.keys import EncryptedPrivateKeyInfo
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from tests.keystores.algorithms import salt_and_iv
from tests.keystores.browser_code import KEY_TYPES, BrowserCode, MadeKey, as_text


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_the_password_opens_it_and_no_other(browser_code: BrowserCode, key_type: str) -> None:
    key = browser_code.make(key_type, "the password")
    wrong = ["The password", "the password ", " the password", "the passwor", "", "x" * 1000]
    outcomes = browser_code.check_passwords(key, ["the password", *wrong, "the password"])
    assert outcomes == ["right", *["WrongPassword"] * len(wrong), "right"]


@pytest.mark.parametrize("key_type", ["rsa-2048", "ec-p256"])
def test_a_wrong_password_that_gives_a_right_padding_is_refused(browser_code: BrowserCode, key_type: str) -> None:
    """AES-CBC itself takes one wrong password in 256 for right."""
    key, decrypt = encrypted_with_one_round(browser_code.make(key_type, "the password"))
    wrong = [password for number in range(5000) if is_padded(decrypt(password := f"wrong password {number}"))]
    assert len(wrong) >= 5
    outcomes = browser_code.check_passwords(key, [*wrong, "the password"])
    assert outcomes == [*["WrongPassword"] * len(wrong), "right"]


@pytest.mark.parametrize("key_type", ["rsa-2048", "ec-p256", "ec-p384"])
def test_another_public_key_is_refused(browser_code: BrowserCode, key_type: str) -> None:
    key, other = browser_code.make(key_type), browser_code.make(key_type)
    assert browser_code.check_passwords(key, [key.password], spki=other.spki) == ["WrongKey"]
    of_another_type = browser_code.make("ec-p384" if key_type == "ec-p256" else "ec-p256")
    assert browser_code.check_passwords(key, [key.password], spki=of_another_type.spki) == ["WrongKey"]
    assert browser_code.check_passwords(key, [key.password], spki=b"no key") == ["WrongKey"]


@pytest.mark.parametrize("damaged", [b"", b"no DER", b"\x30\x00"])
def test_what_is_no_encrypted_key_is_no_wrong_password(browser_code: BrowserCode, damaged: bytes) -> None:
    key = browser_code.make("ec-p256")
    outcomes = browser_code.check_passwords(dataclasses.replace(key, protected_key=damaged), [key.password])
    assert outcomes
    assert not {"right", "WrongPassword", "WrongKey"} & set(outcomes)


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_python_and_openssl_open_it(browser_code: BrowserCode, tmp_path: Path, key_type: str) -> None:
    password = '  $\\ "quotes" \'  '
    key = browser_code.make(key_type, password)
    opened = load_der_private_key(key.protected_key, password.encode())
    assert opened.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == key.spki
    path = tmp_path / "private-key.key"
    path.write_text(browser_code.ask("pem", label="ENCRYPTED PRIVATE KEY", der=as_text(key.protected_key)))
    shown = subprocess.run(
        ["openssl", "pkey", "-in", str(path), "-passin", "stdin", "-pubout", "-outform", "DER"],
        input=f"{password}\n".encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert shown.stdout == key.spki


def test_it_is_encrypted_with_pbes2_and_values_of_its_own(browser_code: BrowserCode) -> None:
    keys = [browser_code.make("ec-p256") for _ in range(3)]
    seen = [value for key in keys for value in salt_and_iv(info_of(key)["encryption_algorithm"].dump())]
    assert len(set(seen)) == 6


def info_of(key: MadeKey) -> Any:
    return EncryptedPrivateKeyInfo.load(key.protected_key, strict=True)


def encrypted_with_one_round(key: MadeKey) -> tuple[MadeKey, Callable[[str], bytes]]:
    """The same key, encrypted in one round instead of 100,000; and what a password decrypts it to, padding and all."""
    info = info_of(key)
    salt, iv = salt_and_iv(info["encryption_algorithm"].dump())

    def cipher(password: str) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES256(hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)), modes.CBC(iv))

    opened = load_der_private_key(key.protected_key, key.password.encode())
    plain = opened.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    padding = 16 - len(plain) % 16
    encryptor = cipher(key.password).encryptor()
    encrypted = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    info["encryption_algorithm"]["parameters"]["key_derivation_func"]["parameters"]["iteration_count"] = 1
    info["encrypted_data"] = encrypted

    def decrypt(password: str) -> bytes:
        decryptor = cipher(password).decryptor()
        return decryptor.update(encrypted) + decryptor.finalize()

    return dataclasses.replace(key, protected_key=info.dump(force=True)), decrypt


def is_padded(data: bytes) -> bool:
    length = data[-1]
    return 1 <= length <= 16 and data.endswith(bytes([length]) * length)
