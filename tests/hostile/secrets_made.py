"""Private keys in the forms in which people send them, and the traces that each would leave."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED_KEY = ed25519.Ed25519PrivateKey.generate()
WITH_PASSWORD = BestAvailableEncryption(b"canary password")


@dataclass(frozen=True, slots=True)
class Secret:
    """A private key in one form."""

    name: str
    content: bytes

    @property
    def is_text(self) -> bool:
        return self.content.isascii()

    @property
    def traces(self) -> list[bytes]:
        """What must be found nowhere: every line that is not armour, or the octets with the secret number."""
        if not self.is_text:
            return [self.content[20:], self.content.hex().encode()]
        return [line for line in self.content.splitlines() if line and b"-----" not in line and b":" not in line]


def _secrets() -> Iterator[Secret]:
    none = NoEncryption()
    yield Secret("PKCS #8", EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, none))
    yield Secret("PKCS #1", RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, none))
    yield Secret("SEC 1", EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, none))
    yield Secret("encrypted PKCS #8", EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, WITH_PASSWORD))
    yield Secret(
        "encrypted PKCS #1", EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, WITH_PASSWORD)
    )
    yield Secret("OpenSSH", ED_KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, none))
    yield Secret("DER", EC_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, none))
    # 64 characters, as many as an alias or the name of a project may have.
    short = ED_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, none)
    yield Secret("base64 without armour", base64.b64encode(short))


SECRETS = list(_secrets())


def _keystores() -> Iterator[Secret]:
    """Refused everywhere as well; where a form names them it has other words for them."""
    content = pkcs12.serialize_key_and_certificates(b"x", EC_KEY, None, None, WITH_PASSWORD)
    yield Secret("PKCS #12", content)
    yield Secret("PKCS #12 in base64", base64.encodebytes(content))


KEYSTORES = list(_keystores())
