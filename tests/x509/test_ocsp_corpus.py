"""Requests and other things that nobody here wrote: our reader and the library's agree on which are OCSP requests."""

from __future__ import annotations

from cryptography.x509 import ocsp

from certauthority.x509.errors import UnreadableInput
from certauthority.x509.ocsp_request import OcspRequest, read_ocsp_request
from tests import corpus
from tests.ocsp_corpus import fuzz_seeds, ocsp_files

# The library takes requests for one certificate alone.
SEVERAL = {
    "pyca/req-multi-sha1.der": 2,
    "rustcrypto/ocsp-multiple-requests-nonce-req.der": 8,
    "rustcrypto/ocsp-multiple-requests-req.der": 8,
}


def ours(data: bytes) -> OcspRequest | None:
    try:
        return read_ocsp_request(data)
    except UnreadableInput:
        return None


def theirs(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Serial number and issuer, or None where the library refuses. It raises many kinds, and some of them late."""
    try:
        read = ocsp.load_der_ocsp_request(data)
        list(read.extensions)
        return read.serial_number, read.issuer_name_hash, read.issuer_key_hash
    except Exception:  # noqa: BLE001
        return None


def test_the_files_are_here() -> None:
    assert len(list((corpus.ROOT / "ocsp").rglob("*.*"))) >= 94
    assert len(list(fuzz_seeds())) >= 37


def test_both_readers_agree_on_every_file() -> None:
    read = 0
    for name, data in [*ocsp_files(), *fuzz_seeds()]:
        mine, other = ours(data), theirs(data)
        if name in SEVERAL:
            assert other is None
            assert mine is not None
            assert len(mine.cert_ids) == SEVERAL[name]
            continue
        assert (mine is None) == (other is None), name
        if mine is not None:
            (asked,) = mine.cert_ids
            assert (asked.serial, asked.name_hash, asked.key_hash) == other, name
            read += 1
    assert read > 45, "most are requests"
