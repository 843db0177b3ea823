"""Thousands of odd certificates and chains of others: each gets a verdict in time, and none is accepted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from certauthority.models import Authority, ReasonCode
from certauthority.x509.armor import certificate_ders
from certauthority.x509.errors import UnreadableInput
from tests import corpus
from tests.gateway.asking import ask, call_with

# A guard against hanging, and no measurement.
SECONDS = 20
FOLDERS = {"certs": 342, "fuzz/openssl-x509": 849, "fuzz/boringssl-parse-certificate": 570, "path": 100}
REFUSALS = {
    ReasonCode.UNREADABLE,
    ReasonCode.UNKNOWN_ISSUER,
    ReasonCode.NOT_A_CLIENT_CERTIFICATE,
    ReasonCode.WEAK_KEY,
}


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """CAs that could be asked for."""


def chains_in(path: Path) -> Iterator[tuple[bytes, ...]]:
    """The octets as they are, and the certificates that are in them, in both orders."""
    data = path.read_bytes()
    yield (data,)
    try:
        found = tuple(certificate_ders(data))
    except UnreadableInput:
        return
    yield found
    yield found[::-1]


def refused(chain: tuple[bytes, ...], where: object) -> ReasonCode:
    began = time.monotonic()
    reply = ask(call_with(*chain), "/whoami")
    assert time.monotonic() - began < SECONDS, where
    assert reply.status == 403, where
    for error in reply.errors:
        assert error["Description"].isprintable(), where
    return ReasonCode(reply.errors[0]["ReasonCode"])


@pytest.mark.parametrize("folder", FOLDERS)
def test_any_octets_get_a_verdict(folder: str) -> None:
    paths = sorted(path for path in (corpus.ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".json")

    reasons = {refused(chain, path) for path in paths for chain in chains_in(path)}

    assert len(paths) >= FOLDERS[folder]
    assert ReasonCode.UNREADABLE in reasons
    assert reasons <= REFUSALS


def test_every_chain_of_limbo_gets_a_verdict() -> None:
    cases = json.loads(corpus.read("path/limbo.json"))["testcases"]
    for case in cases:
        texts = [case["peer_certificate"], *case["untrusted_intermediates"]]
        ders = tuple(der for text in texts for der in certificate_ders(text.encode()))
        assert refused(ders, case["id"]) in REFUSALS
        # The same with its trusted CAs sent along, as clients do that send all they have.
        assert refused(
            (*ders, *(der for text in case["trusted_certs"] for der in certificate_ders(text.encode()))), case["id"]
        )
    assert len(cases) > 200
