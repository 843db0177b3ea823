"""One company’s rules for a renewal: the requested name is compared with that of the expiring certificate."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certauthority.x509.attribute_rules import (
    AttributeComparison,
    AttributeRule,
    Comparison,
    DnRules,
    RenewalRules,
    compare,
)
from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.keys import KEY_TYPES
from certauthority.x509.names import DistinguishedName, encode_subject, read_name
from certauthority.x509.ready_commands import corrected_commands
from certauthority.x509.verdicts import broken
from tests.x509.requests_made import csr, name
from tests.x509.rules_made import (
    CLIENT,
    COMPANY,
    COUNTRY,
    FIXED_NAME,
    TEAM,
    UNIQUE,
    UTF8,
    K,
    broken_rules,
    rules,
    subject,
)

# Far more than it takes: it tells a hang from a busy machine, and claims no speed.
HANG_SECONDS = 10


def row(made: DnRules, label: str, *, expiring: DistinguishedName, requested: DistinguishedName) -> AttributeComparison:
    return next(row for row in compare(expiring, requested, made) if row.label == label)


def test_the_review_of_a_renewal_tells_each_attribute() -> None:
    requested = subject(O="Harbour & Vale Bank plc", CN="1799020800-Client-PROD-245901")
    rows = compare(subject(), requested, rules())
    assert [(r.label, r.verdict, r.hint, r.mark) for r in rows] == [
        ("C", Comparison.MATCH, "", ""),
        ("O", Comparison.CHANGE, "Take “plc” away", "plc"),
        ("OU", Comparison.MATCH, "", ""),
        ("CN", Comparison.MAY_DIFFER, "The unique part may differ", ""),
    ]
    assert [(r.expiring, r.requested) for r in rows][1] == ("Harbour & Vale Bank", "Harbour & Vale Bank plc")
    assert rows[2].requirement == "as in the expiring certificate, at most 64 characters"


@pytest.mark.parametrize(
    ("label", "value", "hint"),
    [
        ("O", "", "Missing: add O=Harbour & Vale Bank"),
        ("O", "Harbour Bank", "Add “& Vale”"),
        ("O", "Harbour and Vale Bank", "Write “&” instead of “and”"),
        ("O", "The Harbour & Vale Bank", "Take “The” away"),
        ("O", "HARBOUR & VALE BANK", "Write “Harbour & Vale Bank” instead of “HARBOUR & VALE BANK”"),
        ("O", "Harbour  & Vale Bank", "Write it exactly so: Harbour & Vale Bank"),
        ("OU", "Payouts", "Add “Cross-Border”"),
        ("OU", "", "Missing: add OU=Cross-Border Payouts"),
        ("C", "", "Missing: add C=IE"),
        ("C", "GB", "Write “IE” instead of “GB”"),
        ("L", "Dublin", "Take L away"),
        ("CN", "1-Client-MTF-245901", "Write “<unique>-Client-PROD-245901” instead of “1-Client-MTF-245901”"),
        ("CN", "", "Missing: add CN=<unique>-Client-PROD-245901"),
    ],
)
def test_each_difference_has_a_hint(label: str, value: str, hint: str) -> None:
    found = row(rules(), label, expiring=subject(), requested=subject(**{label: value}))
    assert (found.verdict, found.hint) == (Comparison.CHANGE, hint)


def test_names_are_equal_by_the_standard_where_the_choice_was_free() -> None:
    requested = subject(OU=" cross-BORDER   payouts\u00ad")
    assert row(rules(), "OU", expiring=subject(), requested=requested).verdict == Comparison.MATCH


def test_the_requirement_decides_how_it_is_written() -> None:
    """An old certificate in capitals is renewed by the name that the company has now, for the names are equal."""
    expiring = subject(O="HARBOUR & VALE BANK")
    assert row(rules(), "O", expiring=expiring, requested=subject()).verdict == Comparison.MATCH
    as_before = row(rules(), "O", expiring=expiring, requested=expiring)
    assert (as_before.verdict, as_before.mark) == (Comparison.CHANGE, "HARBOUR & VALE BANK")


@pytest.mark.parametrize(
    ("made", "changes"),
    [
        (rules(company="Vale Holdings"), {"O": "Vale Holdings"}),
        (rules(COMPANY, TEAM, COUNTRY, FIXED_NAME), {"CN": "PROD XBS"}),
        (rules(COMPANY, COUNTRY, CLIENT), {"OU": ""}),
        (rules(COMPANY, AttributeRule("OU", K.FORBIDDEN, "", False, 64), COUNTRY, CLIENT), {"OU": ""}),
        (rules(COMPANY, AttributeRule("OU", K.FREE, "x", False, 5), COUNTRY, CLIENT), {"OU": "other"}),
    ],
    ids=["another company name", "another common name", "no rule any more", "forbidden now", "shorter now"],
)
def test_a_requirement_that_has_changed_asks_for_a_new_certificate(made: DnRules, changes: dict[str, str]) -> None:
    (label,) = changes
    found = row(made, label, expiring=subject(), requested=subject(**changes))
    assert found.verdict == Comparison.CHANGE
    assert "request a new certificate instead" in found.hint
    assert not RenewalRules(made, subject()).can_be_kept
    assert RenewalRules(rules(), subject()).can_be_kept


def test_every_attribute_of_either_name_has_a_row_in_our_order() -> None:
    odd = read_name(name([("2.5.4.5", UTF8, b"7")], [("2.5.4.3", UTF8, b"x")], [("1.2.3.4", UTF8, b"y")]))
    rows = compare(subject(L="Dublin"), odd, rules())
    assert [r.label for r in rows] == ["C", "L", "O", "OU", "CN", "serialNumber", "1.2.3.4"]
    assert {r.verdict for r in rows} == {Comparison.CHANGE}
    assert [r.label for r in compare(subject(C=""), subject(C=""), rules())] == ["O", "OU", "CN"]


def test_a_repeated_attribute_is_to_be_written_once() -> None:
    part = [("2.5.4.10", UTF8, b"Harbour & Vale Bank")]
    found = row(rules(), "O", expiring=subject(), requested=read_name(name(part, part)))
    assert found.hint == "Write O once: Harbour & Vale Bank"
    assert found.requested == "Harbour & Vale Bank, Harbour & Vale Bank"


def test_a_renewal_is_judged_by_the_rules_and_by_the_expiring_name() -> None:
    made = RenewalRules(rules(), subject())
    assert broken_rules(made, subject(CN="2-Client-PROD-245901")) == []
    assert broken_rules(made, subject(OU="Other")) == ["dn.renewal"]
    assert broken_rules(made, subject(O="Other")) == ["dn.rule-o", "dn.renewal"]
    (verdict,) = broken(made.judge(subject(OU="Other")))
    assert verdict.found == "another OU"
    assert verdict.wanted == subject().text


def test_a_renewal_keeps_what_was_chosen_freely() -> None:
    without_country = RenewalRules(rules(), subject(C=""))
    assert without_country.example_subject("7") == (
        ("O", "Harbour & Vale Bank"),
        ("OU", "Cross-Border Payouts"),
        ("CN", "7-Client-PROD-245901"),
    )
    assert rules().example_subject("7", like=subject())[0] == ("C", "IE")
    assert dict(rules().example_subject("7"))["OU"] == "Payouts"
    assert without_country.file_stem == rules().file_stem
    assert without_country.key_types == KEY_TYPES


def test_a_free_common_name_is_kept_in_a_renewal() -> None:
    free = rules(COMPANY, AttributeRule("CN", K.FREE, "client", False, 64))
    made = RenewalRules(free, subject(C="", OU="", CN="My client"))
    assert made.example_common_name("7") == "My client"
    assert made.fits_common_name("my  CLIENT")
    assert not made.fits_common_name("client")
    assert RenewalRules(rules(), subject()).fits_common_name("2-Client-PROD-245901")


def test_corrected_commands_of_a_renewal_keep_the_expiring_name() -> None:
    made = RenewalRules(rules(keys=("EC P-256",)), subject())
    judgement = judge_csr(csr(subject(OU="Other").der), requirement=made)
    assert judgement.csr
    first = corrected_commands(judgement.csr, judgement.verdicts, made, alias="a", unique=UNIQUE)[0]
    assert first.label == "openssl, a key you have"
    assert "/OU=Cross-Border Payouts/CN=1768953600-Client-PROD-245901" in first.text


HOSTILE = ["a" * 60_000 + "!", "a " * 30_000, "-" * 60_000, "\u202e<b>", "x" * 65, "\u0301\u0323" * 8_000]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value[:8]))
def test_hostile_values_are_judged_and_compared_at_little_cost(value: str) -> None:
    hostile = read_name(name(*[[(oid, UTF8, value.encode())] for oid in ("2.5.4.10", "2.5.4.11", "2.5.4.3")]))
    started = time.perf_counter()
    assert {"dn.rule-o", "dn.rule-cn", "dn.renewal"} <= set(broken_rules(RenewalRules(rules(), subject()), hostile))
    for one, other in ((hostile, subject()), (subject(), hostile), (hostile, hostile)):
        assert all(len(r.hint) < 2500 for r in compare(one, other, rules()))
    assert time.perf_counter() - started < HANG_SECONDS


_TEXT = st.text(st.characters(codec="utf-8"), max_size=80)


@given(_TEXT, _TEXT, _TEXT, _TEXT)
def test_what_the_review_passes_the_judge_passes_and_the_other_way_round(a: str, b: str, c: str, d: str) -> None:
    expiring = read_name(name([("2.5.4.10", UTF8, a.encode())], [("2.5.4.3", UTF8, b.encode())]))
    requested = read_name(name([("2.5.4.10", UTF8, c.encode())], [("2.5.4.3", UTF8, d.encode())]))
    for asked in (requested, expiring, subject()):
        rows = compare(expiring, asked, rules())
        if all(r.verdict != Comparison.CHANGE for r in rows):
            assert not broken(RenewalRules(rules(), expiring).judge(asked))
        else:
            assert "dn.renewal" in broken_rules(RenewalRules(rules(), expiring), asked)


@given(_TEXT.filter(lambda text: re.fullmatch(r"[^\x00-\x1f]{1,64}", text) is not None))
def test_whatever_was_chosen_freely_can_be_renewed(unit: str) -> None:
    expiring = subject(OU=unit)
    if not unit.strip():
        return
    made = RenewalRules(rules(), expiring)
    assert made.can_be_kept
    assert broken_rules(made, read_name(encode_subject(made.example_subject(UNIQUE)))) == []
