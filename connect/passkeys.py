"""Passkeys and security keys (WebAuthn): what the browser is asked, and whether its answer is good.

django-allauth and fido2 check answers, but fail in many ways on those that no browser makes. So an answer is first
taken apart here, and only its known parts, of the right type, go on.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from fido2.cose import CoseKey

from connect.errors import WrongCode
from connect.models import User

# Attestations of security keys with their certificates stay far below.
MAX_CHARACTERS = 32 * 1024
_BASE64URL = re.compile(r"\A[A-Za-z0-9_-]+\Z")
_NEW = ("clientDataJSON", "attestationObject")
_SIGNED = ("clientDataJSON", "authenticatorData", "signature")
# What parsers of CBOR, COSE keys and authenticator data raise on octets that no authenticator made.
_BROKEN = (
    *(ValidationError, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError),
    *(NotImplementedError, OverflowError, RecursionError, struct.error),
)
_REFUSED = "The passkey could not be checked. Try again; if that does not help, use another way."


def creation_options(user: User) -> str:
    """JSON of what the browser makes a passkey by. Its challenge is kept in the session."""
    return json.dumps(auth.begin_registration(user, passwordless=False))


def request_options(user: User) -> str:
    """JSON of what the browser uses a passkey by. Its challenge is kept in the session."""
    return json.dumps(auth.begin_authentication(user))


def checked_new(text: str) -> dict[str, object]:
    """The new passkey in the browser's answer, for ``connect.second_factors.add_passkey``.

    Raises:
        WrongCode: it does not answer what the session asked, or is no such answer.
    """
    answer = _plain(text, _NEW)
    try:
        key = auth.complete_registration(answer).credential_data.public_key
        # WebAuthn Level 3, 7.1: of an algorithm that was asked for. The library does not look.
        is_supported = key[3] in CoseKey.supported_algorithms()
    except _BROKEN as error:
        raise WrongCode(_REFUSED) from error
    if not is_supported:
        raise WrongCode(_REFUSED)
    return answer


def used(user: User, text: str) -> Authenticator:
    """The passkey of this person that signed the session's challenge.

    Raises:
        WrongCode: none did.
    """
    answer = _plain(text, _SIGNED)
    try:
        row: Authenticator = auth.complete_authentication(user, answer)
    except _BROKEN as error:
        raise WrongCode(_REFUSED) from error
    return row


def _plain(text: str, names: tuple[str, ...]) -> dict[str, object]:
    """The answer's known parts: base64url and nothing else, so that it can be stored as it is."""
    try:
        given = json.loads(text)
        response = given["response"]
        parts = {name: _octets_text(response[name]) for name in names}
        key = _octets_text(given["rawId"])
        _look_at_client_data(parts["clientDataJSON"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise WrongCode(_REFUSED) from error
    return {"id": key, "rawId": key, "type": "public-key", "response": parts, "clientExtensionResults": {}}


def _octets_text(value: object) -> str:
    if not isinstance(value, str) or not _BASE64URL.match(value):
        raise ValueError("no base64url")
    return value


def _look_at_client_data(text: str) -> None:
    """The library takes a number for the challenge as a length to allocate: only text goes on."""
    try:
        data = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except binascii.Error as error:
        raise ValueError("no base64url") from error
    if not all(isinstance(data[name], str) for name in ("type", "challenge", "origin")):
        raise ValueError("client data of the wrong type")
