"""What is uploaded in place of a certificate, or in too large a number, and what chance makes of a certificate."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certauthority.x509.certificate_rules import CertificateJudgement, judge_certificate
from certauthority.x509.certificates import read_certificate
from certauthority.x509.profile import add_months
from certauthority.x509.signing import SigningKey
from certauthority.x509.verdicts import broken
from tests.x509.certificates_made import (
    CA_TRUE,
    CLIENT_AUTH,
    NOW,
    Authority,
    authority,
    client,
    ec_key,
    kmp,
    name,
    odd,
    pem,
    private_pem,
    root,
    rsa_key,
)

# Far more than it takes: it tells a hang from a busy machine, and claims no speed.
HANG_SECONDS = 10


def judge(*ders: bytes) -> CertificateJudgement:
    return judge_certificate(pem(*ders), trusted=[kmp().der], at=NOW)


def test_a_private_key_is_refused_and_named() -> None:
    judgement = judge_certificate(pem(client(kmp())) + private_pem(ec_key()), trusted=[kmp().der], at=NOW)

    assert [verdict.id for verdict in judgement.verdicts] == ["input.private-key"]
    assert "private key" in judgement.verdicts[0].found


def test_more_than_ten_certificates_are_refused_before_any_is_read() -> None:
    judgement = judge_certificate(pem(*[client(kmp())] * 11), trusted=[kmp().der], at=NOW)

    assert [verdict.id for verdict in judgement.verdicts] == ["input.too-many"]


def test_a_hundred_look_alike_authorities_are_refused_at_once() -> None:
    ca = authority("Look-alike", ec_key(31))
    started = time.perf_counter()

    judgement = judge_certificate(pem(client(kmp()), *[ca.der] * 99), trusted=[kmp().der], at=NOW)

    assert [verdict.id for verdict in judgement.verdicts] == ["input.too-many"]
    assert time.perf_counter() - started < HANG_SECONDS


@pytest.mark.parametrize("key", [ec_key(31), rsa_key(4096)], ids=["EC", "RSA 4096"])
def test_nine_look_alike_authorities_cost_little(key: SigningKey) -> None:
    """All have one name and one key and could each have signed every other: 9! chains."""
    extensions = [CA_TRUE]
    subject = name("Look-alike")
    first = Authority(read_certificate(odd(None, extensions, key=key, subject=subject)), key)
    others = [odd(first, extensions, key=key, subject=subject) for _ in range(8)]
    started = time.perf_counter()

    judgement = judge(odd(first, [CLIENT_AUTH]), first.der, *others)

    assert [verdict.id for verdict in broken(judgement.verdicts)] == ["chain.trusted"]
    assert time.perf_counter() - started < HANG_SECONDS


@pytest.mark.parametrize("data", [b"", b" \n", b"hello", b"\x30\x82", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_what_is_no_certificate_gives_one_sentence(data: bytes) -> None:
    judgement = judge_certificate(data, trusted=[kmp().der], at=NOW)

    (verdict,) = judgement.verdicts
    assert verdict.id.startswith("input.")
    assert verdict.found.endswith(".")
    assert judgement.leaf is None


LEAF = client(kmp(), end=add_months(NOW, 13))
CHAIN = pem(LEAF, kmp().der, root().der)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_certificates_never_raise_and_are_never_accepted(data: st.DataObject) -> None:
    changed = bytearray(LEAF)
    changed[data.draw(st.integers(0, len(LEAF) - 1))] ^= data.draw(st.integers(1, 255))

    assert not judge_certificate(bytes(changed), trusted=[kmp().der], at=NOW).acceptable
    assert not judge(bytes(changed), kmp().der, root().der).acceptable


@pytest.mark.parametrize("unused", range(1, 8))
def test_a_signature_fills_its_octets(unused: int) -> None:
    at = LEAF.rindex(b"\x00\x30")  # The octet that counts unused bits stands before the ECDSA signature.
    changed = LEAF[:at] + bytes([unused]) + LEAF[at + 1 :]
    judgement = judge_certificate(changed, trusted=[kmp().der], at=NOW)
    assert not judgement.acceptable
    assert "input.certificate" in {verdict.id for verdict in judgement.verdicts}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_mutated_chain_never_raises(data: st.DataObject) -> None:
    changed = bytearray(CHAIN)
    for _ in range(data.draw(st.integers(1, 5))):
        changed[data.draw(st.integers(0, len(CHAIN) - 1))] = data.draw(st.integers(0, 255))

    judgement = judge_certificate(bytes(changed), trusted=[root().der], at=NOW)

    assert judgement.verdicts


@settings(deadline=None)
@given(st.binary(max_size=500))
def test_arbitrary_octets_never_raise(data: bytes) -> None:
    assert not judge_certificate(data, trusted=[kmp().der], at=NOW).acceptable
