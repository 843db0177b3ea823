"""The judgement of requests: rows, duplicates, corrections, and bytes of every kind."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, RevocationReason
from certauthority.x509.attribute_rules import Comparison
from certauthority.x509.requests import build_request, new_private_key
from certauthority.x509.verdicts import broken
from connect.models import User
from kmp.dn_requirements import requirement_of
from kmp.entries import revoke
from kmp.judgement import judge
from kmp.models import CertificateRequest, Environment
from tests.factories import make_company
from tests.hostile.traces import fingerprint_of_database
from tests.kmp.factories import PORTAL_CLIENT, XBS, application_of, make_entry, make_kmp_csr, make_officer, rules_for
from tests.kmp.wizard import company_of, csr_for_renewal, make_draft, make_renewal, make_two_officers


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates of the inventory are really signed."""


@pytest.fixture
def olga() -> User:
    return make_two_officers()[0]


def verdicts_of(request: CertificateRequest) -> dict[str, str]:
    """Each row's verdict and hint, by its label."""
    return {row.label: f"{row.verdict}: {row.hint}" for row in judge(request, now=timezone.now()).rows}


def ids_broken(request: CertificateRequest) -> set[str]:
    return {verdict.id for verdict in broken(judge(request, now=timezone.now()).verdicts)}


def test_a_csr_that_keeps_the_rules_is_acceptable_and_needs_no_command(olga: User) -> None:
    draft = make_draft(olga)
    judged = judge(draft, now=timezone.now())
    assert judged.acceptable
    assert judged.problems == ()
    assert judged.commands == ()
    assert [row.label for row in judged.rows] == ["C", "O", "OU", "CN", "Key", "Signature"]
    assert {row.verdict for row in judged.rows} == {Comparison.MATCH}
    assert {row.expiring for row in judged.rows} == {""}


def test_every_broken_rule_is_told_at_once_with_the_corrected_command(olga: User) -> None:
    subject = [("O", "Acme Payments Ltd plc"), ("L", "London"), ("CN", "checkout")]
    draft = make_draft(olga, csr=build_request(subject, new_private_key()))
    judged = judge(draft, now=timezone.now())
    assert not judged.acceptable
    rows = verdicts_of(draft)
    assert rows["O"] == "change: Take “plc” away"
    assert rows["OU"] == "change: Missing: add OU=Checkout API"
    assert rows["L"] == "change: Take L away"
    assert rows["CN"].startswith("change: Write “<unique>-Client-MTF-123456”")
    assert rows["Key"] == "match: "
    assert len(judged.problems) == len(broken(judged.verdicts)) >= 4
    assert "/O=Acme Payments Ltd/OU=Checkout API/" in judged.commands[0].text
    assert "-key " in judged.commands[0].text, "the same key is kept"


def test_a_renewal_stands_beside_the_expiring_certificate(olga: User) -> None:
    entry = make_entry(company_of(olga), unique="1768953600")
    draft = make_renewal(olga, entry, csr=csr_for_renewal(entry, CN="1799020800-Client-MTF-123456"))
    judged = judge(draft, now=timezone.now())
    assert judged.acceptable
    by_label = {row.label: row for row in judged.rows}
    assert by_label["CN"].expiring == "1768953600-Client-MTF-123456"
    assert (by_label["CN"].verdict, by_label["CN"].hint) == (Comparison.MAY_DIFFER, "The unique part may differ")
    assert by_label["Key"].expiring == "EC P-256"
    assert by_label["Key"].hint == "A new key, as it should be"
    assert by_label["Signature"].expiring == "SHA-256"


def test_the_same_key_may_renew_and_is_told_of(olga: User) -> None:
    key = new_private_key()
    entry = make_entry(company_of(olga), key=key)
    subject = [("O", "Acme Payments Ltd"), ("OU", "Checkout API"), ("C", "GB"), ("CN", entry.common_name)]
    draft = make_renewal(olga, entry, csr=build_request(subject, key))
    assert verdicts_of(draft)["Key"] == "match: The same key as before. A new one is safer"
    assert judge(draft, now=timezone.now()).acceptable


def test_a_compromised_key_is_named_in_the_row_of_the_key(olga: User) -> None:
    key = new_private_key()
    entry = make_entry(company_of(olga), key=key)
    revoke(entry, reason=RevocationReason.KEY_COMPROMISE, actor=Actor("x"), now=timezone.now())
    draft = make_draft(olga, csr=make_kmp_csr(rules_for(company_of(olga)), key=key))
    assert verdicts_of(draft)["Key"].startswith("change: The key was never reported as compromised")
    assert "-newkey" in judge(draft, now=timezone.now()).commands[0].text


def test_a_type_of_key_that_the_application_does_not_take_is_refused(olga: User) -> None:
    requirement = requirement_of(application_of(PORTAL_CLIENT), Environment.MTF)
    assert requirement is not None
    requirement.key_types = ["RSA 3072"]
    requirement.save()
    draft = make_draft(olga)
    assert ids_broken(draft) == {"key.application"}
    row = next(row for row in judge(draft, now=timezone.now()).rows if row.label == "Key")
    assert (row.requested, row.requirement, row.verdict) == ("EC P-256", "RSA 3072", Comparison.CHANGE)


class TestDuplicates:
    def test_a_new_request_for_a_name_that_is_live_is_to_be_a_renewal(self, olga: User) -> None:
        entry = make_entry(company_of(olga), XBS)
        draft = make_draft(olga, XBS)
        judged = judge(draft, now=timezone.now())
        assert ids_broken(draft) == {"dn.duplicate"}
        assert f"renew {entry.reference} instead" in judged.problems[0]
        assert judged.twin == entry
        assert judged.commands == (), "a fixed name leaves no other"

    def test_where_the_name_has_a_unique_part_another_one_is_a_way_too(self, olga: User) -> None:
        make_entry(company_of(olga), unique="1700000001")
        draft = make_draft(olga, csr=make_kmp_csr(rules_for(company_of(olga)), unique="1700000001"))
        judged = judge(draft, now=timezone.now())
        assert "or use another unique part in CN" in judged.problems[0]
        assert "1700000001" not in judged.commands[0].text

    def test_case_and_order_do_not_make_another_name(self, olga: User) -> None:
        make_entry(company_of(olga), unique="abc")
        subject = [("CN", "ABC-Client-MTF-123456"), ("OU", "Checkout API"), ("O", "Acme Payments Ltd"), ("C", "GB")]
        assert "dn.duplicate" in ids_broken(make_draft(olga, csr=build_request(subject, new_private_key())))

    def test_a_certificate_that_was_revoked_or_renewed_holds_no_name(self, olga: User) -> None:
        first = make_entry(company_of(olga), unique="first")
        second = make_entry(company_of(olga), unique="second", renews=first)
        draft = make_draft(olga, csr=make_kmp_csr(rules_for(company_of(olga)), unique="first"))
        assert judge(draft, now=timezone.now()).acceptable
        revoke(second, reason=RevocationReason.SUPERSEDED, actor=Actor("x"), now=timezone.now())
        draft = make_draft(olga, csr=make_kmp_csr(rules_for(company_of(olga)), unique="second"))
        assert judge(draft, now=timezone.now()).acceptable

    def test_a_renewal_keeps_its_own_name_and_takes_no_other(self, olga: User) -> None:
        mine, other = make_entry(company_of(olga), unique="mine"), make_entry(company_of(olga), unique="other")
        assert judge(make_renewal(olga, mine), now=timezone.now()).acceptable
        draft = make_renewal(olga, mine, csr=csr_for_renewal(mine, CN=other.common_name))
        assert ids_broken(draft) == {"dn.duplicate"}

    def test_the_twin_of_another_company_is_never_named(self, olga: User) -> None:
        code, anonymous = XBS, make_company(name="Acme Payments  LTD", cid="765432")
        twin = make_entry(anonymous, code)
        draft = make_draft(olga, code)
        judged = judge(draft, now=timezone.now())
        assert "dn.duplicate" in ids_broken(draft)
        assert judged.twin is None
        said = " ".join(judged.problems)
        assert "another live certificate has this subject" in said
        assert twin.reference not in said
        assert "765432" not in said


def test_what_changed_since_is_judged_as_it_is_now(olga: User) -> None:
    entry = make_entry(company_of(olga))
    draft = make_renewal(olga, entry)
    assert judge(draft, now=timezone.now()).acceptable
    revoke(entry, reason=RevocationReason.SUPERSEDED, actor=Actor("x"), now=timezone.now())
    judged = judge(CertificateRequest.objects.get(pk=draft.pk), now=timezone.now())
    assert not judged.acceptable
    assert "was revoked" in judged.problems[0]


def test_a_name_that_the_company_cannot_have_any_more_cannot_be_renewed(olga: User) -> None:
    entry = make_entry(company_of(olga))
    company = company_of(olga)
    company.name = "Acme Bank plc"
    company.save()
    draft = make_renewal(olga, entry)
    judged = judge(CertificateRequest.objects.get(pk=draft.pk), now=timezone.now())
    assert f"have changed since {entry.reference} was issued" in judged.problems[0]
    assert judged.commands == ()


def test_without_a_requirement_nothing_can_be_requested(olga: User) -> None:
    draft = make_draft(olga)
    requirement = requirement_of(application_of(PORTAL_CLIENT), Environment.MTF)
    assert requirement is not None
    requirement.delete()
    judged = judge(draft, now=timezone.now())
    assert not judged.acceptable
    assert "has no DN requirements for this environment" in judged.problems[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\xff" * 500,
        b"-----BEGIN CERTIFICATE REQUEST-----\n!!\n-----END CERTIFICATE REQUEST-----",
        b"0\x82",
    ],
    ids=["nothing", "nul", "octets", "damaged", "der"],
)
def test_no_bytes_make_it_fail_and_it_only_reads(olga: User, data: bytes) -> None:
    draft = make_draft(olga)
    CertificateRequest.objects.filter(pk=draft.pk).update(csr=data)
    draft.refresh_from_db()
    before = fingerprint_of_database()
    judged = judge(draft, now=timezone.now())
    assert not judged.acceptable
    assert judged.rows == ()
    assert len(judged.problems) == 1
    assert judged.commands, "the commands that make a first CSR"
    assert not judged.is_corrected
    assert fingerprint_of_database() == before


def test_the_key_of_another_company_is_refused(olga: User) -> None:
    key = new_private_key()
    make_entry(company_of(make_officer()), key=key)
    draft = make_draft(olga, csr=make_kmp_csr(rules_for(company_of(olga)), key=key))
    assert ids_broken(draft) == {"key.holder"}
