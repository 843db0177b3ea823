"""Certificates in the formats in which people download them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from . import der

_SIGNED_DATA = der.write_oid("1.2.840.113549.1.7.2")
_DATA = der.write_oid("1.2.840.113549.1.7.1")
_LINE = 64


def pem(data: bytes, *, label: str = "CERTIFICATE") -> str:
    """One certificate, or what the label says, as PEM text (RFC 7468, 5), with a line end after the last line."""
    text = b64encode(data).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def pem_bundle(certificates: Sequence[bytes]) -> str:
    """Several certificates as PEM text, in the order given: the leaf first, then each issuer (RFC 8446, 4.4.2)."""
    return "".join(map(pem, certificates))


def pkcs7(certificates: Sequence[bytes]) -> bytes:
    """The DER of a PKCS #7 bundle that holds certificates and nothing else (RFC 5652, 5.1 with no signers).

    DER sorts the members of a set, so the order is not kept: readers find the chain by the names.
    """
    content = der.write(der.SEQUENCE, _DATA)
    members = der.write(0xA0, b"".join(sorted(certificates)))
    version, empty_set = b"\x02\x01\x01", der.write(der.SET, b"")
    signed_data = der.write(der.SEQUENCE, version + empty_set + content + members + empty_set)
    return der.write(der.SEQUENCE, _SIGNED_DATA + der.write(0xA0, signed_data))
