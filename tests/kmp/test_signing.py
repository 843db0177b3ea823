"""Signing a request: what one signature makes, when, and what makes it wait."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.events import Actor
from certauthority import issuance
from certauthority.chains import issuers_of
from certauthority.errors import SerialRepeated, SigningUnavailable
from certauthority.lint import lint_certificate
from certauthority.models import Authority, Certificate
from certauthority.x509.armor import csr_der
from certauthority.x509.certificates import read_certificate
from certauthority.x509.csr import read_csr
from certauthority.x509.export import pem, pem_bundle
from connect.models import Notice, User
from kmp import automatic_review, drafts, tasks
from kmp.entries import add_entry
from kmp.models import CertificateRequest, EntryState, InventoryEntry, RequestState
from kmp.requests import submit
from tests.kmp.decisions import A2A, actions_of, assert_signed_once, make_submitted, process, sign_now, state_of
from tests.kmp.factories import make_entry
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
