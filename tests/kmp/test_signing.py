"""Signing a request: what one signature makes, and what may have changed since it was submitted."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.events import SYSTEM, Actor
from certauthority import issuance, revocation
from certauthority.chains import issuers_of
from certauthority.errors import SerialRepeated, SigningUnavailable
from certauthority.lint import lint_certificate
from certauthority.models import Authority, Certificate, RevocationReason
from certauthority.x509.armor import csr_der
from certauthority.x509.certificates import read_certificate
from certauthority.x509.csr import read_csr
from certauthority.x509.export import pem, pem_bundle
from connect.access_requests import withdraw
from connect.models import AccessRequest, Notice, User
from kmp import automatic_review, drafts, tasks
from kmp.entries import add_entry, revoke
from kmp.errors import NotSignable, WrongState
from kmp.models import CertificateRequest, DnAttribute, EntryState, InventoryEntry, RequestState, Review
from kmp.moves import REASON_LENGTH
from kmp.requests import cancel, submit
from kmp.signing import reason_of as reason_for
from kmp.signing import sign
from tests.factories import make_company
from tests.kmp.decisions import (
    A2A,
    actions_of,
    assert_signed_once,
    make_submitted,
    make_submitted_renewal,
    reason_of,
    state_of,
    told_of,
)
from tests.kmp.factories import PORTAL_CLIENT, application_of, make_entry, make_kmp_csr, rules_for
from tests.kmp.wizard import company_of, make_renewal, make_two_officers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


@pytest.fixture
def officers() -> tuple[User, User]:
    return make_two_officers()


@pytest.fixture
def olga(officers: tuple[User, User]) -> User:
    return officers[0]


def process(request: CertificateRequest, *, now: datetime | None = None) -> timedelta | None:
    return automatic_review.process(request.pk, now=now or timezone.now())


def sign_now(request: CertificateRequest) -> InventoryEntry:
    return sign(request, decided_by="automatic review", actor=SYSTEM, now=timezone.now())


def test_a_renewal_makes_the_next_version_and_tells_everybody_once(olga: User, tmp_path: Path) -> None:
    old = make_entry(company_of(olga))
    draft = make_renewal(olga, old)
    names, now, actor = ("b.acme.example", "a.acme.example"), timezone.now(), Actor(olga.email)
    drafts.save_names(draft, names, contact=olga.email, by=olga, actor=actor, now=now)
    request = submit(draft, by=olga, actor=actor, now=now - timedelta(hours=1))
    assert process(request) is None
    certificate = assert_signed_once(request)
    old.refresh_from_db()
    new = InventoryEntry.objects.get(renews=old)
    assert (old.state, new.version, new.line, new.state) == (EntryState.RENEWED, 2, old.line, EntryState.LIVE)
    assert old.renewed_by == new
    assert (new.alternative_names, new.company, new.environment) == (list(names), old.company, old.environment)
    der = bytes(certificate.der)
    assert read_certificate(der).subject_alternative_names == tuple(f"DNS:{name}" for name in names)
    assert lint_certificate(der) == []
    (tmp_path / "leaf.pem").write_text(pem(der))
    (tmp_path / "bundle.pem").write_text(pem_bundle(issuers_of(certificate)))
    command = ["openssl", "verify", "-purpose", "sslclient", "-x509_strict", "-CAfile", "bundle.pem", "leaf.pem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "leaf.pem: OK\n", done.stderr
    csr = read_csr(csr_der(bytes(request.csr)))
    assert certificate.public_key_fingerprint == csr.public_key.fingerprint


def test_before_its_time_a_request_is_only_taken_up(olga: User) -> None:
    now = timezone.now()
    request = make_submitted(olga, now=now)
    assert process(request, now=now) == timedelta(seconds=3)
    assert process(request, now=now + timedelta(seconds=1)) == timedelta(seconds=2)
    assert state_of(request) == RequestState.IN_REVIEW
    process(request, now=now + timedelta(seconds=3))
    assert_signed_once(request)


def test_a_repeated_decision_changes_nothing(olga: User) -> None:
    request = make_submitted(olga)
    process(request)
    entry = InventoryEntry.objects.get()
    assert sign_now(request) == entry
    process(request)
    tasks.sweep_requests()
    assert_signed_once(request)


def test_what_key_management_reviews_is_left_alone(olga: User) -> None:
    request = make_submitted(olga, A2A)
    assert process(request) is None
    tasks.sweep_requests()
    assert actions_of(request) == ["started", "changed", "submitted"]


Change = Callable[[CertificateRequest, InventoryEntry], object]


def _revoked(request: CertificateRequest, expiring: InventoryEntry) -> None:
    revoke(expiring, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=timezone.now())


def _renewed(request: CertificateRequest, expiring: InventoryEntry) -> None:
    make_entry(renews=expiring)


def _compromised(request: CertificateRequest, expiring: InventoryEntry) -> None:
    key = read_csr(csr_der(bytes(request.csr))).public_key
    revocation.report_compromise(key.fingerprint, holder=str(request.company_id), actor=SYSTEM, now=timezone.now())


def _withdrawn(request: CertificateRequest, expiring: InventoryEntry) -> None:
    access = AccessRequest.objects.get(user=request.officer)
    by = access.decided_by
    assert by is not None
    withdraw(access, by=by, reason="Has left the team", actor=Actor(by.email), now=timezone.now())


def _locked_out(request: CertificateRequest, expiring: InventoryEntry) -> None:
    User.objects.filter(pk=request.officer_id).update(is_active=False)


def _other_rules(request: CertificateRequest, expiring: InventoryEntry) -> None:
    unit = DnAttribute.objects.filter(requirement__application=request.application, label="OU")
    unit.update(kind="fixed", value="Another unit")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_revoked, "was revoked. A revoked certificate is never renewed"),
        (_renewed, "has been renewed already. The newest version is KM-"),
        (_compromised, "The key was never reported as compromised: found this key was in a certificate"),
        (_withdrawn, "Olga Stern is no security officer of Acme Payments Ltd any more."),
        (_locked_out, "Olga Stern is no security officer of Acme Payments Ltd any more."),
        (_other_rules, "The DN requirements, or the company’s details, have changed since KM-"),
    ],
)
def test_a_renewal_is_rejected_where_the_world_has_changed(olga: User, change: Change, said: str) -> None:
    expiring = make_entry(company_of(olga))
    request = make_submitted_renewal(olga, expiring)
    change(request, expiring)
    entries = InventoryEntry.objects.count()
    process(request)
    assert state_of(request) == RequestState.REJECTED
    reason = reason_of(request)
    assert reason.startswith("Something changed after it was submitted. ")
    assert said in reason
    assert len(reason) <= REASON_LENGTH
    assert InventoryEntry.objects.count() == entries
    assert actions_of(request)[-2:] == ["in-review", "rejected"]
    assert ("piet@acme.example", "mail") in told_of(request, "kmp.request-rejected")
    with pytest.raises(WrongState, match="was rejected meanwhile"):
        sign_now(request)


def test_a_duplicate_that_was_issued_meanwhile_is_named(olga: User) -> None:
    company = company_of(olga)
    request = make_submitted(olga, csr=make_kmp_csr(rules_for(company), unique="twin"))
    twin = make_entry(company, unique="TWIN")
    process(request)
    assert state_of(request) == RequestState.REJECTED
    assert f"duplicate certificate: {twin.reference}" in reason_of(request)


def test_an_officer_of_another_company_now_gets_no_certificate_of_the_old_one(olga: User) -> None:
    request = make_submitted(olga)
    other = make_company()
    User.objects.filter(pk=olga.pk).update(company=other)
    AccessRequest.objects.filter(user=olga).update(company=other)
    process(request)
    assert "is no security officer of Acme Payments Ltd" in reason_of(request)


def test_what_matters_for_submitting_only_stops_no_signature(officers: tuple[User, User]) -> None:
    olga, piet = officers
    request = make_submitted(olga)
    application = application_of(PORTAL_CLIENT)
    application.is_open = False
    application.save()
    User.objects.filter(pk=piet.pk).update(is_active=False)
    process(request)
    assert state_of(request) == RequestState.SIGNED


def test_a_request_that_is_cancelled_before_its_time_is_never_signed(olga: User) -> None:
    request = make_submitted(olga)
    cancel(request, by=olga, actor=Actor(olga.email), now=timezone.now())
    process(request)
    tasks.sweep_requests()
    assert state_of(request) == RequestState.CANCELLED
    assert not InventoryEntry.objects.exists()


def test_a_request_goes_to_key_management_when_its_application_does(olga: User) -> None:
    request = make_submitted(olga)
    application = application_of(PORTAL_CLIENT)
    application.review = Review.MANUAL
    application.save()
    staff = User.objects.create_user("kim@site.example", "x", name="Kim", is_staff=True)
    process(request)
    request.refresh_from_db()
    assert (request.state, request.decide_at) == (RequestState.SUBMITTED, None)
    assert told_of(request, "kmp.request-waiting") == [(staff.email, "bell"), (staff.email, "mail")]


def test_a_request_that_nobody_has_begun_follows_its_application_to_the_automatic_review(olga: User) -> None:
    untouched, begun = make_submitted(olga, A2A), make_submitted(olga, A2A)
    CertificateRequest.objects.filter(pk=begun.pk).update(state=RequestState.IN_REVIEW)
    application = application_of(A2A)
    application.review = Review.AUTOMATIC
    application.save()
    tasks.sweep_requests()
    untouched.refresh_from_db()
    begun.refresh_from_db()
    assert untouched.decide_at is not None
    assert begun.decide_at is None
    process(untouched, now=untouched.decide_at)
    assert_signed_once(untouched)


def test_one_request_that_cannot_be_processed_keeps_no_other_from_it(
    olga: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    poison, *others = [make_submitted(olga) for _ in range(3)]

    def fail(request: CertificateRequest, **options: object) -> InventoryEntry:
        if request.pk == poison.pk:
            raise ZeroDivisionError("nobody expects this")
        return sign_now(request)

    monkeypatch.setattr(automatic_review, "sign", fail)
    monkeypatch.setattr(tasks, "_SWEEP_PAGE", 2)
    tasks.sweep_requests()
    tasks.sweep_requests()
    assert [state_of(request) for request in (poison, *others)] == ["in-review", "signed", "signed"]
    assert f"The request {poison.pk} could not be processed" in caplog.text


def test_a_serial_number_drawn_twice_is_drawn_again(olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = int(make_entry(company_of(olga)).serial, 16)
    drawn = iter([taken, taken, taken + 1])
    monkeypatch.setattr(issuance, "new_serial", lambda: next(drawn))
    request = make_submitted(olga)
    process(request)
    assert int(assert_signed_once(request).serial, 16) == taken + 1


def test_a_random_source_that_repeats_itself_signs_nothing(olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    request = make_submitted(olga)

    def repeat(*arguments: object, **options: object) -> Certificate:
        raise SerialRepeated("again")

    monkeypatch.setattr(issuance, "issue", repeat)
    with pytest.raises(RuntimeError, match="random source"):
        process(request)
    assert state_of(request) == RequestState.IN_REVIEW


def test_a_ca_that_cannot_sign_makes_the_request_wait(olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    request, now = make_submitted(olga), timezone.now()

    def away(*arguments: object, **options: object) -> Certificate:
        raise SigningUnavailable("The key does not open.")

    with monkeypatch.context() as locked:
        locked.setattr(issuance, "issue", away)
        process(request, now=now)
    request.refresh_from_db()
    assert (request.state, request.decide_at) == (RequestState.IN_REVIEW, now + timedelta(minutes=1))
    assert not Notice.objects.filter(event__startswith="kmp.request-rejected").exists()
    process(request, now=now + timedelta(minutes=1))
    assert_signed_once(request)


def test_the_database_refuses_a_second_certificate_for_one_request(olga: User) -> None:
    request = make_submitted(olga)
    process(request)
    first, other = InventoryEntry.objects.get(), make_entry(company_of(olga))
    certificate = make_entry(company_of(olga)).certificate
    InventoryEntry.objects.filter(certificate=certificate).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        add_entry(
            company=first.company,
            application=first.application,
            environment=first.environment,
            profile=first.profile,
            certificate=certificate,
            key=request.pk,
            now=timezone.now(),
        )
    with pytest.raises(IntegrityError, match="request_certificate_is_its_own"), transaction.atomic():
        CertificateRequest.objects.filter(pk=request.pk).update(entry=other)
    with pytest.raises(IntegrityError), transaction.atomic():
        CertificateRequest.objects.filter(pk=request.pk).update(entry=None)
    assert_signed_once(request)


def test_a_reason_holds_whole_sentences_only() -> None:
    long = "x" * 300 + "."
    assert reason_for([long, long]) == f"Something changed after it was submitted. {long}"
    cut = reason_for(["y" * 600])
    assert len(cut) == REASON_LENGTH
    assert cut.endswith("y…")


def test_what_cannot_be_signed_says_why_and_is_left_as_it_was(olga: User) -> None:
    expiring = make_entry(company_of(olga))
    request = make_submitted_renewal(olga, expiring)
    _revoked(request, expiring)
    with pytest.raises(NotSignable, match="was revoked"):
        sign_now(request)
    assert state_of(request) == RequestState.SUBMITTED
