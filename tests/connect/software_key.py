"""A security key in software: it answers as a browser would, and as one that lies would."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from fido2.cose import CoseKey
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

PRESENT = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class SoftwareKey:
    """One key pair for one account. Whatever an answer holds can be chosen otherwise by name."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)

    @property
    def public(self) -> dict[int, Any]:
        """The public key as COSE writes it (RFC 9053, 7.1.1): ES256 on P-256."""
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}

    def create(self, options: str, **lies: Any) -> str:
        """The answer to ``navigator.credentials.create``."""
        asked = json.loads(options)["publicKey"]
        public = CoseKey(lies.get("public_key", self.public))
        credential = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        flags = lies.get("flags", PRESENT) | AuthenticatorData.FLAG.AT
        data = AuthenticatorData.create(_digest(lies.get("rp_id", asked["rp"]["id"])), flags, 0, credential)
        attestation = AttestationObject.create("none", data, {})
        client = _client_data("webauthn.create", asked["challenge"], lies)
        return self._answer(clientDataJSON=client, attestationObject=attestation)

    def get(self, options: str, **lies: Any) -> str:
        """The answer to ``navigator.credentials.get``."""
        asked = json.loads(options)["publicKey"]
        data = AuthenticatorData.create(_digest(lies.get("rp_id", asked["rpId"])), lies.get("flags", PRESENT), 1)
        client = _client_data("webauthn.get", asked["challenge"], lies)
        signer = lies.get("signer", self.key)
        signature = signer.sign(bytes(data) + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _answer(self, **parts: bytes) -> str:
        response = {name: websafe_encode(bytes(octets)) for name, octets in parts.items()}
        return json.dumps({"rawId": websafe_encode(self.id), "response": response})


def _client_data(kind: str, challenge: str, lies: dict[str, Any]) -> bytes:
    origin = lies.get("origin", settings.SITE_URL)
    return CollectedClientData.create(lies.get("kind", kind), websafe_decode(lies.get("challenge", challenge)), origin)


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
