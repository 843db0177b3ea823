"""How the verdict is found: from the database at each call, in few queries, and telling nobody about others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certauthority import trust
from certauthority.models import Certificate, ReasonCode, TrustedAuthority
from gateway.calls import Call
from gateway.verdicts import Verdict, judge
from portal.models import Project
from tests.connect.factories import move_clock
from tests.factories import let_expire, make_company, make_credential, make_project, make_user
from tests.gateway import cases
from tests.gateway.asking import ask, call_with, chain_of
from tests.gateway.certificates import SOMEBODY, clock_back, der_of, revoke, trusted_ca, upload
from tests.gateway.odd_certificates import odd_certificate, with_the_other_signature
from tests.kmp.factories import make_chain
from tests.portal.foreign_ca import ForeignCa

MOST_QUERIES = 4


def judged(call: Call, now: datetime | None = None) -> Verdict:
    return judge(call, now=now or timezone.now())


@pytest.mark.parametrize(
    "case",
    [
        cases.accepted,
        cases.accepted_in_production,
        cases.accepted_from_elsewhere,
        cases.superseded_leaf_alone,
        cases.renewed_in_kmp,
        cases.renewed_in_kmp_and_uploaded,
        cases.expired_with_successor,
        cases.revoked_for_compromise,
        cases.sandbox_in_production,
        cases.never_uploaded_and_renewed,
        cases.use_ended_for_compromise,
        cases.production_refused,
        cases.own_ca,
        cases.own_responder,
        cases.unknown_ca,
        cases.compromised_key,
        cases.trusted_but_never_uploaded,
    ],
    ids=lambda case: case.__name__,
)
def test_no_verdict_takes_more_than_four_queries(project: Project, case: Callable[[Project], Call]) -> None:
    call = case(project)
    judged(call)  # Our own CAs are read once in a process.

    with CaptureQueriesContext(
        connection,
    ) as queries:
        judged(call)

    assert len(queries) <= MOST_QUERIES


@pytest.mark.parametrize("case", [cases.accepted, cases.leaf_alone, cases.accepted_from_kmp, cases.revoked])
def test_a_known_certificate_without_a_successor_takes_one_query(
    project: Project, case: Callable[[Project], Call]
) -> None:
    call = case(project)
    judged(call)

    with CaptureQueriesContext(connection) as queries:
        judged(call)

    assert len(queries) == 1


def test_the_number_of_queries_does_not_grow_with_what_there_is(project: Project) -> None:
    call = cases.superseded(project)
    judged(call)
    with CaptureQueriesContext(connection) as few:
        judged(call)
    for _ in range(18):
        make_credential(project)
    make_chain(project.company, versions=3)

    with CaptureQueriesContext(connection) as many:
        judged(call)

    assert len(many) == len(few) == 2


def test_a_known_certificate_is_judged_from_its_row_and_never_parsed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = cases.accepted(project)

    def parse(_: bytes) -> None:
        raise AssertionError("a certificate was parsed")

    monkeypatch.setattr(x509, "load_der_x509_certificate", parse)

    assert judged(call_with(call.chain[0], *call.chain[1:])).reason == ReasonCode.ACCEPTED


def test_a_revocation_counts_for_the_next_call(project: Project) -> None:
    credential = make_credential(project)
    call = call_with(*chain_of(credential.certificate))
    before = ask(call)

    revoke(credential)

    assert (before.status, ask(call).status) == (200, 403)


def test_the_clock_of_the_company_decides_and_of_no_other(project: Project) -> None:
    call = cases.accepted(project)
    other = make_project(admin=make_user(company=make_company()))
    move_clock(other.company, timedelta(days=1000))
    assert judged(call).reason == ReasonCode.ACCEPTED

    move_clock(project.company, timedelta(days=1000))
    assert judged(call).reason == ReasonCode.EXPIRED

    clock_back(project.company)
    assert judged(call).reason == ReasonCode.ACCEPTED


@pytest.mark.parametrize(
    ("after_the_end", "reason"),
    [(timedelta(0), ReasonCode.ACCEPTED), (timedelta(milliseconds=999), ReasonCode.ACCEPTED),
     (timedelta(seconds=1), ReasonCode.EXPIRED)],
    ids=["at the end", "within its last second", "a second later"],
)  # fmt: skip
def test_the_last_second_counts(project: Project, after_the_end: timedelta, reason: ReasonCode) -> None:
    credential = make_credential(project)

    verdict = judged(call_with(*chain_of(credential.certificate)), credential.certificate.not_after + after_the_end)

    assert (verdict.reason, verdict.days_left) == (reason, 0)


@pytest.mark.parametrize(
    ("before_it_begins", "reason"),
    [(timedelta(0), ReasonCode.ACCEPTED), (timedelta(seconds=1), ReasonCode.NOT_YET_VALID)],
    ids=["at its beginning", "a second earlier"],
)
def test_the_first_second_counts(project: Project, before_it_begins: timedelta, reason: ReasonCode) -> None:
    credential = make_credential(project)

    verdict = judged(call_with(*chain_of(credential.certificate)), credential.certificate.not_before - before_it_begins)

    assert verdict.reason == reason


def test_dates_are_those_of_the_row(project: Project) -> None:
    credential = make_credential(project)
    let_expire(credential, in_days=-2)

    verdict = judged(call_with(*chain_of(credential.certificate)))

    assert (verdict.reason, verdict.days_left) == (ReasonCode.EXPIRED, -2)


def test_only_advice_for_an_accepted_certificate_is_called_advice(project: Project) -> None:
    superseded, refused = judged(cases.superseded(project)), judged(call_with())

    assert superseded.advice == superseded.remedy != ""
    assert (refused.advice, bool(refused.remedy)) == ("", True)


def test_the_successor_of_another_project_is_no_successor(project: Project) -> None:
    old = make_credential(project, alias="old")
    other = make_credential(make_project(), alias="other")
    type(other).objects.filter(pk=other.pk).update(predecessor=old)

    assert judged(call_with(*chain_of(old.certificate))).successor is None


def test_an_expired_successor_is_none_to_move_to(project: Project) -> None:
    old = make_credential(project, alias="old")
    let_expire(make_credential(project, alias="new", predecessor=old), in_days=-1)

    assert judged(call_with(*chain_of(old.certificate))).reason == ReasonCode.ACCEPTED


def test_of_several_successors_the_newest_is_named(project: Project) -> None:
    old = make_credential(project, alias="old")
    for alias in ("first", "second"):
        make_credential(project, alias=alias, predecessor=old)

    successor = judged(call_with(*chain_of(old.certificate))).successor

    assert successor is not None
    assert successor.alias == "second"


def test_a_certificate_whose_use_was_ended_works_again_where_it_is_uploaded(project: Project) -> None:
    ca = trusted_ca()
    certificate = ca.client_certificate()
    revoke(upload(project, certificate))
    refused = judged(call_with(der_of(certificate)))

    upload(project, certificate, alias="again")

    assert refused.reason == ReasonCode.NOT_ON_PROJECT
    assert judged(call_with(der_of(certificate))).alias == "again"


def test_a_ca_taken_off_the_list_vouches_for_nobody_new(project: Project) -> None:
    ca = trusted_ca()
    known, unknown = ca.client_certificate("known.example"), call_with(der_of(ca.client_certificate()))
    upload(project, known)
    assert judged(unknown).reason == ReasonCode.NOT_ON_PROJECT

    trusted = TrustedAuthority.objects.get(authority=None)
    trust.change(trusted, enabled=False, note="", actor=SOMEBODY, now=timezone.now())

    assert judged(unknown).reason == ReasonCode.UNKNOWN_ISSUER
    assert judged(call_with(der_of(known))).reason == ReasonCode.ACCEPTED


def test_who_bears_the_name_of_a_credential_learns_nothing_of_it(project: Project) -> None:
    credential = make_credential(project, alias="checkout")
    certificate = x509.load_der_x509_certificate(bytes(credential.certificate.der))
    forged = odd_certificate(None, subject=certificate.subject)

    for accept in ("text/plain", "application/json"):
        reply = ask(call_with(forged), HTTP_ACCEPT=accept)
        assert reply.status == 403
        for secret in ("checkout", "Checkout API", str(project.pk), str(credential.pk), "Acme"):
            assert secret not in reply.text


def test_nobody_is_accepted_by_what_is_sent_along(project: Project) -> None:
    accepted = cases.accepted(project).chain

    verdict = judged(call_with(der_of(ForeignCa().client_certificate()), *accepted))

    assert verdict.reason == ReasonCode.UNKNOWN_ISSUER
    assert verdict.certificate is None


def test_whoever_sends_the_root_along_is_not_told_to_send_more(project: Project) -> None:
    call = cases.leaf_alone(project)
    certificate = Certificate.objects.get(credentials__project=project)
    authority = certificate.authority
    assert authority is not None
    assert authority.parent is not None
    root = bytes(authority.parent.certificate.der)

    assert judged(call_with(*chain_of(certificate), root)).reason == ReasonCode.ACCEPTED
    assert judged(call_with(*call.chain, root)).reason == ReasonCode.CHAIN_INCOMPLETE


def test_a_revoked_certificate_that_was_changed_afterwards_is_none_to_upload(project: Project) -> None:
    """Of every signature with ECDSA there is a second one that verifies: other octets, and not what was issued."""
    revoked = cases.revoked(project)
    changed = with_the_other_signature(revoked.chain[0])

    verdict = judged(call_with(changed, *revoked.chain[1:]))

    assert verdict.reason == ReasonCode.UNREADABLE
    assert "another certificate with this issuer and serial number" in verdict.sentence
    assert "Upload" not in f"{verdict.remedy} {[finding.remedy for finding in verdict.besides]}"


def test_of_more_certificates_than_are_taken_it_says_how_many_were(project: Project) -> None:
    stranger = der_of(ForeignCa().client_certificate())

    assert "Only the first 2 certificates" in judged(call_with(stranger, b"rubbish", is_whole=False)).sentence
    assert "Only the first" not in judged(call_with(stranger, b"rubbish")).sentence
