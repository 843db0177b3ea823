from __future__ import annotations

import time

import pytest

from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.errors import ProfileError
from certauthority.x509.names import encode_subject, read_name
from certauthority.x509.subject_rules import SubjectRequirement, judge_subject
from certauthority.x509.verdicts import broken
from tests.x509.requests_made import REQUIREMENT, csr, name

# Far more than it takes: it tells a hang from a busy machine, and claims no speed.
HANG_SECONDS = 10

UTF8 = 0x0C
EVERY_RULE = [
    "dn.cn-pattern",
    "dn.cn-url",
    "dn.organisation",
    "dn.organisational-unit",
    "dn.company-country",
    "dn.other-attributes",
    "dn.repeated",
]
NO_COUNTRY = SubjectRequirement("PROD", "000000", "Globex Bank", "Payouts")


def subject(**changes: str) -> bytes:
    """A fitting subject with these values instead; an empty value leaves the attribute out."""
    values = dict(REQUIREMENT.example_subject("1700000000")) | changes
    return encode_subject([(label, value) for label, value in values.items() if value])


def broken_rules(encoded: bytes, requirement: SubjectRequirement = REQUIREMENT) -> list[str]:
    return [verdict.id for verdict in broken(judge_subject(read_name(encoded), requirement))]


def test_a_fitting_subject_keeps_every_rule() -> None:
    verdicts = judge_subject(read_name(subject()), REQUIREMENT)
    assert [verdict.id for verdict in verdicts] == EVERY_RULE
    assert not broken(verdicts)


def test_the_order_of_the_attributes_does_not_matter() -> None:
    parts = [("2.5.4.3", b"1-Client-MTF-123456"), ("2.5.4.11", b"Checkout API"), ("2.5.4.10", b"Acme Payments Ltd")]
    assert broken_rules(name(*[[(oid, UTF8, value)] for oid, value in parts])) == []


@pytest.mark.parametrize("unique", ["1", "1700000000", "a.b_c-d", "Client-MTF", "x" * 46])
def test_common_names_that_fit(unique: str) -> None:
    assert broken_rules(subject(CN=f"{unique}-Client-MTF-123456")) == []


@pytest.mark.parametrize(
    "common_name",
    [
        "",
        "-Client-MTF-123456",
        "Client-MTF-123456",
        "1-client-MTF-123456",
        "1-Client-PROD-123456",
        "1-Client-MTF-123457",
        "1-Client-MTF-000000",
        "1-Client-MTF-123456 ",
        "1-Client-MTF-123456\n",
        "1 2-Client-MTF-123456",
        "é-Client-MTF-123456",
        "*-Client-MTF-123456",
        "1\u200b-Client-MTF-123456",
    ],
)
def test_common_names_that_do_not_fit(common_name: str) -> None:
    encoded = subject(CN=common_name)
    (verdict,) = broken(judge_subject(read_name(encoded), REQUIREMENT))
    assert verdict.id == "dn.cn-pattern"
    assert "<unique>-Client-MTF-123456" in verdict.wanted


@pytest.mark.parametrize(
    "common_name",
    [
        "https://example.org",
        "www.example-Client-MTF-123456",
        "x://y-Client-MTF-123456",
        "HTTP:x",
        "api.example.com",
        "payouts.acme.example/mtls",
        "acme.example:8443",
    ],
)
def test_a_common_name_is_not_a_url(common_name: str) -> None:
    assert "dn.cn-url" in broken_rules(subject(CN=common_name))


def test_a_common_name_of_65_characters_is_refused_as_too_long() -> None:
    judgement = judge_csr(csr(subject(CN="x" * 47 + "-Client-MTF-123456")), requirement=REQUIREMENT)
    assert [verdict.id for verdict in broken(judgement.verdicts)] == ["dn.upper-bounds"]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"O": "Acme Payments Limited"}, "dn.organisation"),
        ({"O": "acme payments ltd"}, "dn.organisation"),
        ({"O": ""}, "dn.organisation"),
        ({"OU": "Payouts"}, "dn.organisational-unit"),
        ({"OU": ""}, "dn.organisational-unit"),
        ({"C": "DE"}, "dn.company-country"),
        ({"L": "London"}, "dn.other-attributes"),
    ],
)
def test_each_value_is_the_companys_own(changes: dict[str, str], rule: str) -> None:
    assert broken_rules(subject(**changes)) == [rule]


def test_found_and_wanted_are_said() -> None:
    (verdict,) = broken(judge_subject(read_name(subject(O="Acme")), REQUIREMENT))
    assert (verdict.found, verdict.wanted) == ("Acme", "Acme Payments Ltd")


def test_composed_and_decomposed_accents_are_the_same_organisation() -> None:
    requirement = SubjectRequirement("MTF", "123456", "So\u0308hne", "API")
    encoded = encode_subject([("O", "Söhne"), ("OU", "API"), ("CN", "1-Client-MTF-123456")])
    assert broken_rules(encoded, requirement) == []


def test_the_country_may_be_left_out() -> None:
    assert broken_rules(subject(C="")) == []


def test_a_company_without_a_country_has_no_c() -> None:
    good = NO_COUNTRY.example_subject("1")
    assert broken_rules(encode_subject(good), NO_COUNTRY) == []
    assert broken_rules(encode_subject((*good, ("C", "DE"))), NO_COUNTRY) == ["dn.company-country"]


def test_repeated_attributes_and_parts_with_several_are_refused() -> None:
    parts = [(oid, UTF8, value) for oid, value in (("2.5.4.10", b"Acme Payments Ltd"), ("2.5.4.11", b"Checkout API"))]
    common_name = ("2.5.4.3", UTF8, b"1-Client-MTF-123456")
    assert broken_rules(name([parts[0]], [parts[1]], [common_name], [common_name])) == ["dn.repeated"]
    assert broken_rules(name(parts, [common_name])) == ["dn.repeated"]
    assert broken_rules(name([parts[0]], [parts[0]], [parts[1]], [common_name])) == ["dn.organisation", "dn.repeated"]


def test_the_example_fits_its_own_requirement() -> None:
    for requirement in (REQUIREMENT, NO_COUNTRY):
        assert broken_rules(encode_subject(requirement.example_subject("1700000000")), requirement) == []
    assert NO_COUNTRY.example_common_name("1700000000") == "1700000000-Client-PROD-000000"


@pytest.mark.parametrize(
    "changes",
    [
        {"organisation": ""},
        {"organisation": " "},
        {"organisation": "x" * 65},
        {"organisation": "a\x00"},
        {"organisational_unit": "a\u202e"},
        {"environment_code": "mtf"},
        {"cid": "12345"},
        {"cid": "12345678901"},
        {"country": "gb"},
    ],
    ids=str,
)
def test_a_requirement_that_nobody_could_meet_is_not_made(changes: dict[str, str]) -> None:
    values = {"environment_code": "MTF", "cid": "123456", "organisation": "A", "organisational_unit": "B"} | changes
    with pytest.raises(ProfileError):
        SubjectRequirement(**values)


@pytest.mark.parametrize("text", ["a" * 100_000 + "!", "a-Client-MTF-" * 8_000, "www." * 25_000, "-" * 100_000])
def test_hostile_common_names_cost_little(text: str) -> None:
    encoded = name([("2.5.4.3", UTF8, text.encode())])
    started = time.perf_counter()
    assert "dn.cn-pattern" in broken_rules(encoded)
    assert time.perf_counter() - started < HANG_SECONDS
