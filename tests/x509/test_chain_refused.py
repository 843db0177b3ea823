"""Uploaded certificates that are refused: each reason has its own verdict, and all are told at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from certauthority.x509.certificates import read_certificate
from certauthority.x509.identifiers import KEY_USAGES
from certauthority.x509.verdicts import broken
from tests.x509.certificates_made import (
    BEGIN,
    CA_TRUE,
    CLIENT_AUTH,
    NOW,
    SERVER,
    Authority,
    authority,
    client,
    developers,
    ec_key,
    kmp,
    name,
    odd,
    odd_authority,
    root,
    rsa_key,
)
from tests.x509.chain_judgements import judge, purposes


def refused(*ders: bytes, trusted: Sequence[bytes] | None = None) -> list[str]:
    """The ids of the broken rules; the judgement holds together."""
    judgement = judge(*ders, trusted=trusted)
    ids = [verdict.id for verdict in broken(judgement.verdicts)]
    assert ids
    assert not judgement.acceptable
    assert all(verdict.found and verdict.wanted and verdict.source for verdict in broken(judgement.verdicts))
    return ids


def found(identifier: str, *ders: bytes, trusted: Sequence[bytes] | None = None) -> str:
    return next(verdict.found for verdict in judge(*ders, trusted=trusted).verdicts if verdict.id == identifier)


def usage(*fields: str) -> tuple[x509.KeyUsage, bool]:
    every = KEY_USAGES.values()
    return x509.KeyUsage(**{field: field in fields for field in every}), True


def test_a_certificate_of_the_sibling_under_the_same_root_is_refused() -> None:
    leaf = client(developers())

    assert refused(leaf) == ["chain.trusted"]
    assert refused(leaf, developers().der, root().der) == ["chain.trusted"]
    assert "Test Root" in found("chain.trusted", leaf, developers().der, root().der)
    assert "Test Developers CA" in found("chain.trusted", leaf)


def test_an_unknown_authority_is_refused() -> None:
    stranger = authority("Stranger", ec_key(22))

    assert refused(client(stranger)) == ["chain.trusted"]
    assert refused(client(stranger), stranger.der) == ["chain.trusted"]


def test_nothing_is_trusted_when_the_list_is_empty() -> None:
    assert refused(client(kmp()), kmp().der, root().der, trusted=[]) == ["chain.trusted"]


def test_a_trusted_authority_that_cannot_be_read_leads_nowhere() -> None:
    assert refused(client(kmp()), trusted=[b"junk"]) == ["chain.trusted"]


def test_a_forged_authority_with_name_and_key_identifier_of_a_trusted_one_is_refused() -> None:
    identifier = x509.SubjectKeyIdentifier(bytes.fromhex(kmp().facts.subject_key_identifier))
    subject = x509.Name.from_bytes(kmp().facts.subject.der)
    extensions = [CA_TRUE, (identifier, False), usage("key_cert_sign")]
    forger = Authority(read_certificate(odd(None, extensions, key=ec_key(23), subject=subject)), ec_key(23))

    leaf = odd(forger, [CLIENT_AUTH])

    assert refused(leaf) == ["chain.trusted"]
    assert "another key" in found("chain.trusted", leaf)
    assert refused(leaf, forger.der) == ["chain.trusted"]


def test_a_self_signed_certificate_is_refused() -> None:
    leaf = odd(None, [CLIENT_AUTH])

    assert refused(leaf) == ["chain.trusted"]
    assert found("chain.trusted", leaf) == "it is signed by itself"


def test_an_expired_certificate_is_refused() -> None:
    leaf = client(kmp(), end=NOW - timedelta(seconds=1))

    assert refused(leaf) == ["cert.expired"]


def test_a_certificate_that_is_not_yet_valid_is_refused() -> None:
    assert refused(client(kmp(), begin=NOW + timedelta(seconds=1), end=NOW + timedelta(9))) == ["cert.not-yet-valid"]


def test_a_root_alone_is_refused_as_such() -> None:
    assert refused(root().der) == ["cert.root-only"]
    assert refused(root().der, trusted=[root().der]) == ["cert.root-only"]
    assert refused(root().der, odd_authority("Other", ec_key(20), [CA_TRUE]).der) == ["cert.root-only"]


def test_a_certificate_of_an_authority_is_refused_as_such() -> None:
    assert "cert.is-ca" in refused(kmp().der)
    assert "cert.is-ca" in refused(kmp().der, root().der, trusted=[root().der])


@pytest.mark.parametrize(
    ("extensions", "shown"),
    [
        ([], "no extended key usage"),
        ([purposes(ExtendedKeyUsageOID.SERVER_AUTH)], "serverAuth"),
        ([purposes(ExtendedKeyUsageOID.EMAIL_PROTECTION, x509.ObjectIdentifier("1.2.3"))], "emailProtection, 1.2.3"),
    ],
)
def test_the_wrong_purpose_is_refused(extensions: Sequence[tuple[x509.ExtensionType, bool]], shown: str) -> None:
    leaf = odd(kmp(), extensions)

    assert refused(leaf) == ["cert.purpose"]
    assert found("cert.purpose", leaf) == shown


def test_a_server_certificate_is_refused_for_its_purpose() -> None:
    assert refused(client(kmp(), profile=SERVER, dns_names=["a.example"])) == ["cert.purpose"]


@pytest.mark.parametrize("fields", [("key_encipherment",), ("content_commitment",)])
def test_a_key_usage_without_signatures_is_refused(fields: Sequence[str]) -> None:
    assert refused(odd(kmp(), [CLIENT_AUTH, usage(*fields)])) == ["cert.key-usage"]


def test_a_weak_key_is_refused() -> None:
    assert refused(client(kmp(), key=rsa_key(1024))) == ["key.rsa-size"]


def test_an_expired_intermediate_is_named() -> None:
    ca = authority("Old CA", ec_key(24), parent=root(), end=NOW - timedelta(days=1))
    leaf = client(ca, begin=BEGIN, end=NOW - timedelta(days=1))

    assert refused(leaf, ca.der, trusted=[root().der]) == ["cert.expired", "chain.expired"]
    longer = odd(ca, [CLIENT_AUTH], end=NOW + timedelta(days=9))
    assert refused(longer, ca.der, trusted=[root().der]) == ["chain.expired"]
    assert "Old CA" in found("chain.expired", longer, ca.der, trusted=[root().der])
    assert refused(longer, trusted=[ca.der]) == ["chain.expired"]


def test_an_intermediate_that_is_not_yet_valid_is_named() -> None:
    ca = authority("New CA", ec_key(25), parent=root(), begin=NOW + timedelta(days=1))

    assert refused(odd(ca, [CLIENT_AUTH]), ca.der, trusted=[root().der]) == ["chain.not-yet-valid"]


def test_an_issuer_that_is_no_authority_is_named() -> None:
    middle = Authority(read_certificate(client(kmp(), key=ec_key(26), common_name="Middle")), ec_key(26))
    leaf = odd(middle, [CLIENT_AUTH])

    assert "chain.ca" in refused(leaf, middle.der)
    assert "is no CA" in found("chain.ca", leaf, middle.der)


def test_an_authority_that_may_not_sign_certificates_is_named() -> None:
    ca = odd_authority("No signer", ec_key(27), [CA_TRUE, usage("crl_sign")])

    assert refused(odd(ca, [CLIENT_AUTH]), trusted=[ca.der]) == ["chain.ca"]


def test_an_authority_for_servers_alone_is_named() -> None:
    extensions = [CA_TRUE, usage("key_cert_sign"), purposes(ExtendedKeyUsageOID.SERVER_AUTH)]
    ca = odd_authority("Servers only", ec_key(28), extensions)

    assert refused(odd(ca, [CLIENT_AUTH]), trusted=[ca.der]) == ["chain.purpose"]


def test_an_authority_with_a_weak_key_is_named() -> None:
    ca = authority("Weak CA", rsa_key(1024))

    assert refused(client(ca), trusted=[ca.der]) == ["chain.key"]


def test_what_only_path_validation_sees_is_refused_with_its_words() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")

    assert refused(odd(kmp(), [CLIENT_AUTH, (unknown, True)])) == ["chain.valid"]
    constraints = x509.NameConstraints([x509.DNSName("good.example")], None)
    identifier = x509.SubjectKeyIdentifier.from_public_key(ec_key(29).public_key())
    extensions = [CA_TRUE, usage("key_cert_sign"), (identifier, False), (constraints, True)]
    ca = odd_authority("Constrained", ec_key(29), extensions)
    names = (x509.SubjectAlternativeName([x509.DNSName("bad.example")]), False)
    assert refused(odd(ca, [CLIENT_AUTH, names]), trusted=[ca.der]) == ["chain.valid"]


def test_a_path_that_is_too_long_is_refused() -> None:
    sub = odd(kmp(), [CA_TRUE, usage("key_cert_sign")], key=ec_key(30), subject=name("Sub CA"))
    leaf = odd(Authority(read_certificate(sub), ec_key(30)), [CLIENT_AUTH])

    # The KMP CA's path length is 0.
    assert refused(leaf, sub) == ["chain.valid"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    stranger = authority("Stranger", ec_key(22))
    leaf = odd(stranger, [usage("key_encipherment")], key=rsa_key(1024), end=NOW - timedelta(seconds=1))

    assert refused(leaf, stranger.der) == [
        "chain.trusted",
        "cert.expired",
        "cert.purpose",
        "cert.key-usage",
        "key.rsa-size",
    ]


def test_the_wrong_purpose_does_not_hide_a_broken_path() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")

    assert refused(odd(kmp(), [(unknown, True)])) == ["cert.purpose", "chain.valid"]


@pytest.mark.parametrize("character", ["\x00", "\u202e", "\x1b"])
def test_control_characters_in_the_subject_are_refused(character: str) -> None:
    assert "dn.control-characters" in refused(odd(kmp(), [CLIENT_AUTH], subject=name(f"a{character}b")))


def test_an_empty_subject_is_refused() -> None:
    assert "dn.empty" in refused(odd(kmp(), [CLIENT_AUTH], subject=x509.Name([])))


def test_several_client_certificates_are_refused() -> None:
    assert refused(client(kmp()), client(kmp(), common_name="Another")) == ["chain.single-leaf"]
    assert judge(client(kmp()), client(kmp(), common_name="Another")).leaf is None
