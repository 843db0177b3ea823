from __future__ import annotations

import re
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from certauthority.x509 import der
from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.verdicts import broken
from tests.x509.requests_made import (
    ECDSA_WITH_SHA256,
    GOOD_SUBJECT,
    REQUIREMENT,
    SHA1_WITH_RSA,
    csr,
    ec_key,
    extension_request,
    name,
    pem,
    rsa_key,
    spki,
)

# Far more than it takes: it tells a hang from a busy machine, and claims no speed.
HANG_SECONDS = 10

CN, UTF8, BIT_STRING = "2.5.4.3", 0x0C, 0x03
BASIC_CONSTRAINTS, ALTERNATIVE_NAMES, KEY_USAGE = "2.5.29.19", "2.5.29.17", "2.5.29.15"
CA_TRUE = der.write(der.SEQUENCE, b"\x01\x01\xff")
EVERY_RULE = [
    "csr.single",
    "csr.trailing-data",
    "csr.version",
    "csr.readable",
    "sig.hash",
    "sig.scheme",
    "sig.parameters",
    "key.type",
    "key.rsa-size",
    "key.rsa-exponent",
    "key.weak",
    "csr.signature",
    "csr.ca-request",
    "csr.requested-names",
    "dn.empty",
    "dn.common-name",
    "dn.control-characters",
    "dn.string-types",
    "dn.upper-bounds",
    "dn.country",
]


def broken_rules(data: bytes) -> list[str]:
    return [verdict.id for verdict in broken(judge_csr(data).verdicts)]


def named(text: str) -> bytes:
    return name([(CN, UTF8, text.encode())])


def test_a_good_csr_keeps_every_rule_and_the_whole_table_is_told() -> None:
    judgement = judge_csr(pem(csr(key=rsa_key())))
    assert judgement.acceptable
    assert [verdict.id for verdict in judgement.verdicts] == EVERY_RULE
    for verdict in judgement.verdicts:
        assert verdict.title
        assert verdict.found
        assert verdict.wanted
        assert re.search("RFC|NIST|X.5|Unicode|CA/Browser|house rule", verdict.source)


def test_what_was_read_is_given_back() -> None:
    request = csr()
    read = judge_csr(pem(request)).csr
    assert read
    assert read.der == request
    assert read.subject.text == "CN=1700000000-Client-MTF-123456,OU=Checkout API,O=Acme Payments Ltd,C=GB"
    assert read.public_key.spki == spki(ec_key())
    assert read.signature_algorithm == "ecdsa-with-SHA256"
    assert read.requested_extensions == ()


def test_all_broken_rules_are_told_at_once() -> None:
    subject = name([(CN, UTF8, b"x\x00" * 40)], [("2.5.4.6", 0x13, b"GBR")])
    attributes = extension_request((BASIC_CONSTRAINTS, CA_TRUE))
    data = csr(subject, key=rsa_key(1024), algorithm=SHA1_WITH_RSA, attributes=attributes) + b"x"
    assert broken_rules(data) == [
        "csr.trailing-data",
        "sig.hash",
        "key.rsa-size",
        "csr.ca-request",
        "dn.control-characters",
        "dn.upper-bounds",
        "dn.country",
    ]


def test_sha_1_is_a_matter_of_the_hash_and_not_of_the_signature() -> None:
    judgement = judge_csr(csr(key=rsa_key(), algorithm=SHA1_WITH_RSA))
    assert [(v.id, v.found) for v in broken(judgement.verdicts)] == [("sig.hash", "SHA-1")]
    assert "csr.signature" not in {verdict.id for verdict in judgement.verdicts}


def test_a_signature_by_another_key_is_refused() -> None:
    assert broken_rules(csr(public_key=spki(ec.generate_private_key(ec.SECP256R1())))) == ["csr.signature"]


def test_a_signature_of_another_kind_than_the_key_is_refused() -> None:
    assert broken_rules(csr(key=rsa_key(), algorithm=ECDSA_WITH_SHA256, parameters=b"")) == ["csr.signature"]
    assert broken_rules(csr(public_key=spki(rsa_key()))) == ["csr.signature"]


def test_a_changed_subject_breaks_the_signature() -> None:
    assert broken_rules(csr().replace(b"Checkout API", b"Checkout APJ")) == ["csr.signature"]


@pytest.mark.parametrize("version", [1, 2, 99])
def test_only_version_1_is_taken(version: int) -> None:
    (verdict,) = broken(judge_csr(csr(version=version)).verdicts)
    assert (verdict.id, verdict.found) == ("csr.version", f"version {version + 1}")


def test_ecdsa_with_parameters_is_refused_for_that() -> None:
    assert broken_rules(csr(parameters=b"\x05\x00")) == ["sig.parameters"]


@pytest.mark.parametrize("junk", [b"\x00", b"\r\n", b"0\x00", csr()])
def test_nothing_may_follow_a_csr_in_der(junk: bytes) -> None:
    assert broken_rules(csr() + junk) == ["csr.trailing-data"]
    assert broken_rules(pem(csr() + junk)) == ["csr.trailing-data"]


def test_a_request_for_a_ca_is_refused() -> None:
    assert broken_rules(csr(attributes=extension_request((BASIC_CONSTRAINTS, CA_TRUE)))) == ["csr.ca-request"]
    assert not broken_rules(csr(attributes=extension_request((BASIC_CONSTRAINTS, b"\x30\x00"))))


def test_extensions_asked_for_are_listed_in_a_note() -> None:
    attributes = extension_request((KEY_USAGE, b"\x03\x02\x05\xa0"), ("1.2.3.4", b"\x05\x00"))
    judgement = judge_csr(csr(attributes=attributes))
    (note,) = [verdict for verdict in judgement.verdicts if verdict.kind == "note"]
    assert (note.id, note.found) == ("csr.requested-extensions", "keyUsage, 1.2.3.4")
    assert judgement.acceptable


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (b"\x82\x0bexample.org", None),
        (b"\x82\x0d*.example.org", "DNSName *.example.org"),
        (b"\x87\x04\x7f\x00\x00\x01", "IPAddress 127.0.0.1"),
        (b"\x81\x05a@b.c", "RFC822Name a@b.c"),
        (b"\x86\x08http://x", "UniformResourceIdentifier http://x"),
    ],
)
def test_only_domain_names_may_be_asked_for(names: bytes, found: str | None) -> None:
    attributes = extension_request((ALTERNATIVE_NAMES, der.write(der.SEQUENCE, names)))
    problems = broken(judge_csr(csr(attributes=attributes)).verdicts)
    assert [(v.id, v.found) for v in problems] == ([("csr.requested-names", found)] if found else [])


@pytest.mark.parametrize(
    "attributes",
    {
        "an extension twice": extension_request((KEY_USAGE, b"\x03\x02\x05\xa0"), (KEY_USAGE, b"\x03\x02\x05\xa0")),
        "a damaged extension": extension_request((KEY_USAGE, b"\x03\x09\x05")),
        "a damaged attribute": b"\x30\x03\x02\x01\x00",
    }.values(),
    ids=["an extension twice", "a damaged extension", "a damaged attribute"],
)
def test_damaged_attributes_are_told(attributes: bytes) -> None:
    assert broken_rules(csr(attributes=attributes)) == ["csr.readable"]


def test_a_subject_with_a_value_that_is_no_text_is_told() -> None:
    assert "dn.string-types" in broken_rules(csr(name([(CN, BIT_STRING, b"\x00")])))


def test_an_empty_subject_is_refused() -> None:
    assert broken_rules(csr(name())) == ["dn.empty", "dn.common-name"]


@pytest.mark.parametrize(
    "character",
    list("\x00\x01\t\n\r\x1b\x7f\x85\x9f\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069"),
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_control_characters_are_refused_and_named(character: str) -> None:
    (verdict,) = broken(judge_csr(csr(named(f"ab{character}c"))).verdicts)
    assert verdict.id == "dn.control-characters"
    assert verdict.found == f"CN has U+{ord(character):04X} at position 3"


@pytest.mark.parametrize(
    ("oid", "bound"), [(CN, 64), ("2.5.4.10", 64), ("2.5.4.11", 64), ("2.5.4.7", 128), ("1.2.840.113549.1.9.1", 255)]
)
def test_lengths_are_bounded_in_characters_and_not_in_octets(oid: str, bound: int) -> None:
    at_bound = name([(CN, UTF8, b"x")], [(oid, UTF8, ("ö" * bound).encode())])
    over = name([(CN, UTF8, b"x")], [(oid, UTF8, ("ö" * (bound + 1)).encode())])
    assert broken_rules(csr(at_bound)) == []
    assert broken_rules(csr(over)) == ["dn.upper-bounds"]


def test_an_empty_value_is_refused() -> None:
    assert broken_rules(csr(name([(CN, UTF8, b"x")], [("2.5.4.10", UTF8, b"")]))) == ["dn.upper-bounds"]


@pytest.mark.parametrize("country", ["G", "GBR", "G1", "Ü!"])
def test_a_country_is_two_letters(country: str) -> None:
    subject = name([(CN, UTF8, b"x")], [("2.5.4.6", UTF8, country.encode())])
    assert "dn.country" in broken_rules(csr(subject))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\u0410cme", "CYRILLIC CAPITAL LETTER A"),
        ("Acm\u03bf", "GREEK SMALL LETTER OMICRON"),
        ("\u0441\u043e\u0440\u0435", "every letter looks like a Latin one"),
        ("\uff21cme", "FULLWIDTH LATIN CAPITAL LETTER A"),
        ("Ac\u200bme", "ZERO WIDTH SPACE"),
    ],
)
def test_letters_that_look_like_others_are_noted_and_not_refused(text: str, said: str) -> None:
    judgement = judge_csr(csr(named(text)))
    (note,) = [verdict for verdict in judgement.verdicts if verdict.id == "dn.lookalike"]
    assert note.kind == "note"
    assert said in note.found
    assert judgement.acceptable


@pytest.mark.parametrize("text", ["Acme", "Söhne & Łódź", "Москва Банк", "Ελλάδα", "日本カード Visa", "株式会社"])
def test_ordinary_names_of_the_world_are_not_noted(text: str) -> None:
    assert "dn.lookalike" not in {verdict.id for verdict in judge_csr(csr(named(text))).verdicts}


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"\x30\x00", pem(b"hello"), pem(csr())[:100], pem(csr()) * 2],
    ids=["nothing", "text", "an empty sequence", "armoured text", "half a CSR", "two CSRs"],
)
def test_input_that_is_no_csr_gives_one_broken_verdict_and_no_csr(data: bytes) -> None:
    judgement = judge_csr(data, requirement=REQUIREMENT)
    assert judgement.csr is None
    assert not judgement.acceptable
    (verdict,) = judgement.verdicts
    assert not verdict.ok
    assert verdict.id.startswith("input.") or verdict.id == "csr.single"
    assert verdict.found.endswith(".")


def test_what_was_found_is_shown_short_and_harmless() -> None:
    for verdict in judge_csr(csr(named("a\u202e" + "x" * 5000)), requirement=REQUIREMENT).verdicts:
        assert verdict.found.isprintable()
        assert len(verdict.found) < 300


def test_the_good_subject_is_what_the_requirement_asks_for() -> None:
    assert judge_csr(csr(GOOD_SUBJECT), requirement=REQUIREMENT).acceptable


def _huge_requests() -> dict[str, tuple[bytes, str]]:
    """Requests that are made to cost much, each with the rule or code that refuses it."""
    huge_key = der.write(der.INTEGER, b"\x7f" + b"\xff" * 2047) + der.write(der.INTEGER, b"\x01\x00\x01")
    largest_key = der.write(der.INTEGER, b"\x7f" + b"\xff" * 50_000) + der.write(der.INTEGER, b"\x7f" + b"\xff" * 9_000)
    rsa = der.write(der.SEQUENCE, der.write_oid("1.2.840.113549.1.1.1") + b"\x05\x00")
    keys = [
        der.write(der.SEQUENCE, rsa + der.write(der.BIT_STRING, b"\x00" + der.write(der.SEQUENCE, numbers)))
        for numbers in (huge_key, largest_key)
    ]
    names = [der.write(der.SEQUENCE, b"\x82\x05*.a.b" * count) for count in (8_000, 10_000)]
    attributes = [extension_request((ALTERNATIVE_NAMES, value)) for value in names]
    many = tuple((f"1.2.3.{number}", b"\x05\x00") for number in range(3_000))
    return {
        "RSA with 16,384 bits": (csr(public_key=keys[0]), "key.rsa-size"),
        "RSA with 400,000 bits": (csr(public_key=keys[1]), "key.rsa-size"),
        "8,000 names": (csr(attributes=attributes[0]), "csr.requested-names"),
        "10,000 names": (csr(attributes=attributes[1]), "input.too-large"),
        "3,000 extensions": (csr(attributes=extension_request(*many), version=1), "csr.version"),
        "a name of 3,000 parts": (csr(name(*[[(CN, UTF8, b"x")]] * 3_000)), "input.name"),
        "a common name of 60,000 letters": (csr(named("\u0430a" * 20_000)), "dn.upper-bounds"),
        "60,000 control characters": (csr(named("\x00" * 60_000)), "dn.control-characters"),
        "a type of 4,000 digits": (csr(name([("1.2." + "1" * 4_000, UTF8, b"x")])), "input.name"),
        "10 MB": (pem(csr()) * 20_000, "input.too-large"),
    }


@pytest.mark.parametrize("request_", _huge_requests().values(), ids=_huge_requests())
def test_huge_requests_are_refused_in_no_time(request_: tuple[bytes, str]) -> None:
    data, rule = request_
    started = time.perf_counter()
    rules = broken_rules(data)
    assert time.perf_counter() - started < HANG_SECONDS
    assert rule in rules
