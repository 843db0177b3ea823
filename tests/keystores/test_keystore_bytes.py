"""What stands in a keystore, byte by byte: RFC 7292 with our parameters."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from asn1crypto import cms, pkcs12
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.keystores.algorithms import salt_and_iv
from tests.keystores.browser_code import BrowserCode, MadeKey
from tests.keystores.hierarchy import chain_for

PASSWORD = "the password of the file"
SHA256_WITH_NULL = bytes.fromhex("300d06096086480165030402010500")


@pytest.fixture(scope="module")
def key(browser_code: BrowserCode) -> MadeKey:
    return browser_code.make("ec-p256", PASSWORD)


@pytest.fixture(scope="module")
def chain(key: MadeKey) -> list[bytes]:
    return chain_for(key.csr)


@pytest.fixture(scope="module")
def keystore(browser_code: BrowserCode, key: MadeKey, chain: list[bytes]) -> bytes:
    return browser_code.build(key, chain, "My Certificate")


def test_it_is_der_and_of_version_3(keystore: bytes) -> None:
    pfx = pkcs12.Pfx.load(keystore, strict=True)
    assert pfx["version"].native == "v3"
    assert pfx.dump(force=True) == keystore


def test_the_certificates_stand_in_order_and_only_the_leaf_is_named(
    keystore: bytes, key: MadeKey, chain: list[bytes]
) -> None:
    bags = certificate_bags(keystore)
    assert [bag["bag_value"]["cert_value"].parsed.dump() for bag in bags] == chain
    assert attributes(bags[0]) == named(key, "My Certificate")
    assert [bag["bag_attributes"].native for bag in bags[1:]] == [None, None]


def test_the_key_bag_holds_the_given_key_and_the_same_names(keystore: bytes, key: MadeKey) -> None:
    (bag,) = pkcs12.SafeContents.load(contents(keystore)[1]["content"].native, strict=True)
    assert bag["bag_id"].native == "pkcs8_shrouded_key_bag"
    assert bag["bag_value"].untag().dump() == key.protected_key
    assert attributes(bag) == named(key, "My Certificate")


@pytest.mark.parametrize("alias", ["a", "A" * 7, "A" * 15, "A" * 64])
def test_the_names_are_sorted_as_der_wants_it(
    browser_code: BrowserCode, key: MadeKey, chain: list[bytes], alias: str
) -> None:
    """The shorter alias stands before the key identifier, the longer behind it."""
    encoded = [
        attribute.dump() for attribute in certificate_bags(browser_code.build(key, chain, alias))[0]["bag_attributes"]
    ]
    assert encoded == sorted(encoded)
    assert len(encoded) == 2


def test_the_certificates_are_encrypted_with_values_of_their_own(keystore: bytes, key: MadeKey) -> None:
    encrypted = contents(keystore)[0]["content"]["encrypted_content_info"]
    assert encrypted["encrypted_content"].dump()[0] == 0x80  # One string, in no pieces.
    of_certificates = salt_and_iv(encrypted["content_encryption_algorithm"].dump())
    of_key = salt_and_iv(key.protected_key[3:101])
    assert not set(of_certificates) & set(of_key)


def test_the_mac_is_that_of_rfc_7292(keystore: bytes) -> None:
    pfx = pkcs12.Pfx.load(keystore)
    mac = pfx["mac_data"]
    assert mac["mac"]["digest_algorithm"].dump() == SHA256_WITH_NULL
    assert len(mac["mac_salt"].native) == 20
    assert mac["iterations"].native == 100_000
    mac_key = derive_mac_key(PASSWORD, mac["mac_salt"].native, 100_000)
    expected = hmac.digest(mac_key, pfx["auth_safe"]["content"].native, "sha256")
    assert mac["mac"]["digest"].native == expected


def test_the_public_key_of_a_certificate_is_compared(
    browser_code: BrowserCode, key: MadeKey, chain: list[bytes]
) -> None:
    assert browser_code.same_public_key(chain[0], key.spki)
    assert not browser_code.same_public_key(chain[1], key.spki)
    assert not browser_code.same_public_key(chain_for(browser_code.make("ec-p256").csr)[0], key.spki)
    for damaged in (b"", b"no certificate", chain[0][:-1], key.spki):
        assert not browser_code.same_public_key(damaged, key.spki)


def contents(keystore: bytes) -> list[Any]:
    """The two parts of the safe: encrypted certificates, then the key."""
    safe = pkcs12.AuthenticatedSafe.load(pkcs12.Pfx.load(keystore)["auth_safe"]["content"].native, strict=True)
    parts = list(safe)
    assert [part["content_type"].native for part in parts] == ["encrypted_data", "data"]
    return parts


def certificate_bags(keystore: bytes) -> list[Any]:
    encrypted = contents(keystore)[0]["content"]["encrypted_content_info"]
    assert isinstance(encrypted, cms.EncryptedContentInfo)
    salt, iv = salt_and_iv(encrypted["content_encryption_algorithm"].dump())
    derived = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, 100_000)
    decryptor = Cipher(algorithms.AES256(derived), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    padded = decryptor.update(encrypted["encrypted_content"].native) + decryptor.finalize()
    bags = list(pkcs12.SafeContents.load(unpadder.update(padded) + unpadder.finalize(), strict=True))
    assert [bag["bag_id"].native for bag in bags] == ["cert_bag"] * 3
    return bags


def attributes(bag: Any) -> dict[str, Any]:
    return {attribute["type"].native: attribute["values"].native for attribute in bag["bag_attributes"]}


def named(key: MadeKey, alias: str) -> dict[str, list[Any]]:
    return {"friendly_name": [alias], "local_key_id": [hashlib.sha256(key.spki).digest()[:20]]}


def derive_mac_key(password: str, salt: bytes, iterations: int) -> bytes:
    """RFC 7292, appendix B.2, for a key of one SHA-256."""
    text = password.encode("utf-16-be") + b"\x00\x00"
    value = b"\x03" * 64 + repeated(salt) + repeated(text)
    for _ in range(iterations):
        value = hashlib.sha256(value).digest()
    return value


def repeated(data: bytes) -> bytes:
    length = -(-len(data) // 64) * 64
    return (data * (length // len(data) + 1))[:length]
