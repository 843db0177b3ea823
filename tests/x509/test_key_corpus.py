"""Known weak keys, from the tests of badkeys."""

from __future__ import annotations

import pytest

from certauthority.x509 import der
from certauthority.x509.armor import pem_blocks
from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.keys import judge_key, read_public_key
from certauthority.x509.verdicts import broken
from tests import corpus
from tests.x509.requests_made import csr


def spki(file: str) -> bytes:
    (block,) = pem_blocks(corpus.read(f"keys/badkeys/{file}"))
    assert block.der
    encoded = block.der
    if block.label == "RSA PUBLIC KEY":
        algorithm = der.write(der.SEQUENCE, der.write_oid("1.2.840.113549.1.1.1") + b"\x05\x00")
        encoded = der.write(der.SEQUENCE, algorithm + der.write(der.BIT_STRING, b"\x00" + encoded))
    return encoded


def broken_rules(file: str) -> set[str]:
    return {verdict.id for verdict in broken(judge_key(read_public_key(spki(file))))}


@pytest.mark.parametrize(
    "file",
    [
        "rsa-roca.key",
        "rsa-fermat-pkcs1.key",
        "rsa-fermat-pkcs8.key",
        "rsa-sharedprimes.key",
        "rsa-small-d.key",
        "rsa-smallfactors-corrupt.key",
        "rsa-smallfactors-valid.key",
        "rsapoly128.key",
        "rsapoly32.key",
        "rsa-e1.key",
        "rsa-e-larger-n.key",
    ],
)
def test_a_weak_key_is_found(file: str) -> None:
    assert "key.weak" in broken_rules(file)


@pytest.mark.parametrize("file", ["rsa-ok.key", "ec-p256-rfc-example.key", "rsa-vanity.key"])
def test_a_good_key_is_not_accused(file: str) -> None:
    assert not broken_rules(file)


@pytest.mark.parametrize("file", ["rsanzero.key", "rsazerozero.key"])
def test_a_key_of_noughts_is_not_readable(file: str) -> None:
    with pytest.raises(UnreadableInput):
        broken_rules(file)


@pytest.mark.parametrize("file", ["dh-ok.key", "ed25519-rfc-example.key", "x448-ok.key", "mldsa44.key"])
def test_other_kinds_are_refused_by_kind(file: str) -> None:
    assert broken_rules(file) == {"key.type"}


def test_a_curve_without_a_name_is_refused() -> None:
    assert broken_rules("ecdsa-explicit-pub.key") == {"key.curve"}


def test_a_weak_key_is_found_in_a_request_too() -> None:
    rules = {verdict.id for verdict in broken(judge_csr(csr(public_key=spki("rsa-roca.key"))).verdicts)}
    assert rules == {"key.weak", "csr.signature"}
