"""Uploaded certificates that are accepted: by which chain, in which order, and until when."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from certauthority.x509.certificate_rules import judge_certificate
from certauthority.x509.certificates import read_certificate
from certauthority.x509.signing import SigningKey
from tests.x509.certificates_made import (
    CA_TRUE,
    CLIENT_AUTH,
    NOW,
    client,
    developers,
    ec_key,
    kmp,
    odd,
    odd_authority,
    root,
    rsa_key,
)
from tests.x509.chain_judgements import judge, purposes


def test_a_certificate_of_a_trusted_intermediate_is_accepted_alone() -> None:
    leaf = client(kmp())

    judgement = judge(leaf)

    assert judgement.acceptable
    assert judgement.leaf == read_certificate(leaf)
    assert judgement.chain == (kmp().facts,)
    assert all(verdict.ok for verdict in judgement.verdicts)
    assert {"chain.trusted", "chain.valid", "cert.purpose", "cert.expired", "key.type", "sig.hash"} <= {
        verdict.id for verdict in judgement.verdicts
    }


def test_der_is_taken_as_well_as_pem() -> None:
    assert judge_certificate(client(kmp()), trusted=[kmp().der], at=NOW).acceptable


@pytest.mark.parametrize("seed", range(6))
def test_the_chain_may_be_in_any_order(seed: int) -> None:
    ders = [client(kmp()), kmp().der, root().der]
    random.Random(seed).shuffle(ders)

    judgement = judge(*ders, trusted=[root().der])

    assert judgement.acceptable
    assert judgement.chain == (kmp().facts, root().facts)


def test_the_chain_ends_at_the_first_trusted_authority() -> None:
    judgement = judge(client(kmp()), kmp().der, root().der)

    assert judgement.chain == (kmp().facts,)


def test_the_same_certificate_twice_is_one() -> None:
    leaf = client(kmp())

    assert judge(leaf, leaf, kmp().der, kmp().der).acceptable


def test_authorities_that_are_not_needed_do_no_harm() -> None:
    assert judge(client(kmp()), developers().der, odd_authority("Other", ec_key(20), [CA_TRUE]).der).acceptable


@pytest.mark.parametrize("key", [rsa_key(), rsa_key(3072)], ids=["RSA 2048", "RSA 3072"])
def test_rsa_keys_are_accepted(key: SigningKey) -> None:
    assert judge(client(kmp(), key=key)).acceptable


def test_any_purpose_counts_as_client_authentication() -> None:
    leaf = odd(kmp(), [purposes(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)])

    assert judge(leaf).acceptable


def test_what_openssl_makes_without_options_is_accepted() -> None:
    """Its roots have no key usage, and its leaves may have no key identifier of their issuer."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(ec_key(21).public_key())
    ca = odd_authority("openssl req -x509", ec_key(21), [CA_TRUE, (identifier, False)])
    leaf = odd(ca, [CLIENT_AUTH])

    assert judge(leaf, trusted=[ca.der]).acceptable


@pytest.mark.parametrize("offset", [timedelta(0), timedelta(milliseconds=999)])
def test_the_last_second_still_counts(offset: timedelta) -> None:
    leaf = client(kmp(), end=NOW)

    assert judge(leaf, at=NOW + offset).acceptable
    assert judge(client(kmp(), begin=NOW), at=NOW).acceptable
