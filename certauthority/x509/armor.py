"""What a file holds, told by its content, and the PEM armour around it (RFC 7468).

Everything here is linear in the size of the input, and the input is bounded before anything is looked at.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from . import der
from .errors import UnreadableInput
from .limits import MAX_CHAIN_BYTES, MAX_CHAIN_CERTIFICATES, MAX_CSR_BYTES
from .sniffing import Kind, holds_private_key, kind_of_der, plain_text

__all__ = ["Kind", "PemBlock", "certificate_ders", "csr_der", "pem_blocks", "recognise"]

PRIVATE_KEY_MESSAGE = "This file holds a private key. Never send it to anyone. It was not stored."

_BOUNDARY = re.compile(rb"-----(BEGIN|END) ([^\r\n-]{0,64})-----")
_SPACE = b" \t\r\n\x0b\x0c"
_CSR_LABELS = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})
_CERTIFICATE_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})
_KIND_OF_LABEL = {
    "PKCS7": Kind.PKCS7,
    "CMS": Kind.PKCS7,
    "X509 CRL": Kind.CRL,
    "PUBLIC KEY": Kind.PUBLIC_KEY,
    "RSA PUBLIC KEY": Kind.PUBLIC_KEY,
    "PKCS12": Kind.PKCS12,
}


@dataclass(frozen=True, slots=True)
class PemBlock:
    """One PEM block. ``der`` is None where the text between the lines is not base64.

    ``kind`` is told by content where that is possible, else by the label, as a block may be damaged.
    """

    label: str
    der: bytes | None
    kind: Kind


def pem_blocks(data: bytes) -> list[PemBlock]:
    """The PEM blocks, in order; text around and between them is left out.

    A block without its last line, or with another one's last line, counts as a block that cannot be decoded.
    """
    blocks: list[PemBlock] = []
    opened: tuple[str, int] | None = None
    for boundary in _BOUNDARY.finditer(data):
        label = boundary.group(2).decode("latin-1").strip().upper()
        if boundary.group(1) == b"BEGIN":
            if opened:
                blocks.append(_block(opened[0], None))
            opened = (label, boundary.end())
        elif opened:
            decoded = _decode(data[opened[1] : boundary.start()]) if label == opened[0] else None
            blocks.append(_block(opened[0], decoded))
            opened = None
    if opened:
        blocks.append(_block(opened[0], None))
    return blocks


def _block(label: str, decoded: bytes | None) -> PemBlock:
    kind = kind_of_der(decoded) if decoded else Kind.UNKNOWN
    if kind is Kind.UNKNOWN and label in _CSR_LABELS:
        kind = Kind.CSR
    elif kind is Kind.UNKNOWN and label in _CERTIFICATE_LABELS:
        kind = Kind.CERTIFICATE
    elif kind is Kind.UNKNOWN:
        kind = _KIND_OF_LABEL.get(label, Kind.UNKNOWN)
    return PemBlock(label, decoded, kind)


def _decode(body: bytes) -> bytes | None:
    text = body.translate(None, _SPACE)
    try:
        return base64.b64decode(text, validate=True) or None
    except binascii.Error:
        return None


def recognise(data: bytes) -> Kind:
    """What the data is, by content: a private key before anything else, then the first block or DER value."""
    if not data.strip(_SPACE):
        return Kind.EMPTY
    if holds_private_key(data):
        return Kind.PRIVATE_KEY
    text = plain_text(data)
    for block in pem_blocks(text):
        if block.kind is not Kind.UNKNOWN:
            return block.kind
    if text.lstrip(_SPACE).startswith((b"ssh-", b"ecdsa-sha2-", b"---- BEGIN SSH2 PUBLIC KEY")):
        return Kind.PUBLIC_KEY
    return kind_of_der(_without_base64(data))


def csr_der(data: bytes) -> bytes:
    """The DER octets of the one CSR in a PEM or DER file. What follows the CSR in DER is left on.

    Raises UnreadableInput with a code of its own for every other thing that people send instead.
    """
    blocks = _checked_blocks(data, MAX_CSR_BYTES, Kind.CSR)
    if not blocks:
        return _bare_der(data, Kind.CSR)
    wanted = [block for block in blocks if block.kind is Kind.CSR]
    if not wanted:
        raise _wrong_kind(recognise(data), Kind.CSR)
    if len(wanted) > 1:
        raise UnreadableInput("csr.single", f"This holds {len(wanted)} CSRs. Send exactly one.")
    if any(block.kind is not Kind.UNKNOWN for block in blocks if block is not wanted[0]):
        raise UnreadableInput("input.mixed", "This holds a CSR and other things beside it. Send the CSR alone.")
    return _decoded(wanted[0], Kind.CSR)


def certificate_ders(data: bytes) -> list[bytes]:
    """The DER octets of the certificates in a PEM file (at most 10), or of the one certificate in a DER file.

    Raises UnreadableInput with a code of its own for every other thing that people send instead.
    """
    blocks = _checked_blocks(data, MAX_CHAIN_BYTES, Kind.CERTIFICATE)
    if not blocks:
        return [_bare_der(data, Kind.CERTIFICATE)]
    wanted = [block for block in blocks if block.kind is Kind.CERTIFICATE]
    if not wanted:
        raise _wrong_kind(recognise(data), Kind.CERTIFICATE)
    if len(wanted) > MAX_CHAIN_CERTIFICATES:
        raise UnreadableInput(
            "input.too-many",
            f"This holds {len(wanted)} certificates. Send at most {MAX_CHAIN_CERTIFICATES}: "
            "the certificate and those that lead to its root.",
        )
    if any(block.kind is not Kind.UNKNOWN for block in blocks if block not in wanted):
        raise UnreadableInput(
            "input.mixed", "This holds certificates and other things beside them. Send the certificates alone."
        )
    return [_certificate_of(block) for block in wanted]


def _certificate_of(block: PemBlock) -> bytes:
    decoded = _decoded(block, Kind.CERTIFICATE)
    if block.label != "TRUSTED CERTIFICATE":
        return decoded
    try:
        return der.read_at(decoded).raw  # OpenSSL writes its own trust settings after the certificate.
    except der.DerError:
        return decoded


def _checked_blocks(data: bytes, limit: int, wanted: Kind) -> list[PemBlock]:
    """The PEM blocks in the data, once it is neither too large, nor empty, nor holds a private key."""
    if len(data) > limit:
        raise UnreadableInput(
            "input.too-large",
            f"This has {len(data):,} bytes, and at most {limit // 1024} KiB are taken. "
            f"Send the {_NAMES[wanted]} alone.",
        )
    if not data.strip(_SPACE):
        raise UnreadableInput("input.empty", f"This is empty. Send the {_NAMES[wanted]} as PEM text or as a DER file.")
    blocks = pem_blocks(plain_text(data))
    if holds_private_key(data) or any(block.kind is Kind.PRIVATE_KEY for block in blocks):
        raise UnreadableInput("input.private-key", PRIVATE_KEY_MESSAGE)
    return blocks


def _decoded(block: PemBlock, wanted: Kind) -> bytes:
    if block.der is None:
        raise UnreadableInput(
            "input.bad-pem",
            f"The PEM block of the {_NAMES[wanted]} is damaged: its text is not base64, or its last line is missing. "
            "Copy the file again, from its first line to its last.",
        )
    return block.der


def _bare_der(data: bytes, wanted: Kind) -> bytes:
    """The data, when it is the wanted object without armour, as DER or as its base64 text alone."""
    decoded = _without_base64(data)
    kind = kind_of_der(decoded)
    if kind is wanted:
        return decoded
    raise _wrong_kind(recognise(data) if kind is Kind.UNKNOWN else kind, wanted)


def _without_base64(data: bytes) -> bytes:
    """DER as it is, or from its base64 text without the lines around it."""
    return data if data[:1] == b"\x30" else _decode(plain_text(data)) or data


_NAMES = {Kind.CSR: "CSR", Kind.CERTIFICATE: "certificate"}
_WHAT_TO_DO = {
    Kind.CSR: "Send the file that begins with “-----BEGIN CERTIFICATE REQUEST-----”, which openssl req writes.",
    Kind.CERTIFICATE: "Send the file that begins with “-----BEGIN CERTIFICATE-----”.",
}
_FOUND = {
    Kind.CSR: "a CSR",
    Kind.CERTIFICATE: "a certificate",
    Kind.PUBLIC_KEY: "a public key alone",
    Kind.PKCS7: "a PKCS #7 bundle",
    Kind.CRL: "a certificate revocation list",
}


def _wrong_kind(found: Kind, wanted: Kind) -> UnreadableInput:
    """The refusal that names what was sent and says what to send."""
    if found is Kind.PRIVATE_KEY:
        return UnreadableInput("input.private-key", PRIVATE_KEY_MESSAGE)
    if found in (Kind.PKCS12, Kind.JAVA_KEYSTORE):
        name = "PKCS #12 file" if found is Kind.PKCS12 else "Java keystore"
        return UnreadableInput(
            f"input.{found}",
            f"This is a {name}, which usually holds a private key. Never send it to anyone. It was not stored. "
            f"Export the {_NAMES[wanted]} from it and send that.",
        )
    if found is Kind.PKCS7 and wanted is Kind.CERTIFICATE:
        return UnreadableInput(
            "input.pkcs7",
            "This is a PKCS #7 bundle, and certificates as PEM are needed here. Write them out with "
            "“openssl pkcs7 -print_certs -in FILE -out chain.pem” (add “-inform DER” for a .p7b in binary).",
        )
    if found in _FOUND and found is not wanted:
        return UnreadableInput(
            f"input.{found}", f"This is {_FOUND[found]}, and a {_NAMES[wanted]} is needed here. {_WHAT_TO_DO[wanted]}"
        )
    return UnreadableInput(
        "input.unknown", f"No {_NAMES[wanted]} that can be read was found in this. {_WHAT_TO_DO[wanted]}"
    )
