"""What tests of requests share: a company with two officers, their browsers, and requests at each step."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority.x509.requests import build_request, new_private_key
from connect.models import Company, User
from kmp import drafts
from kmp.models import CertificateRequest, Environment, InventoryEntry, Profile, RequestState
from kmp.requests import submit
from kmp.shown import digest_of
from tests.factories import make_company
from tests.kmp.factories import PORTAL_CLIENT, application_of, make_kmp_csr, make_officer, rules_for

GROUP = "certificates@acme.example"


def make_acme(**fields: Any) -> Company:
    """Acme, which lacks nothing."""
    values = {"name": "Acme Payments Ltd", "cid": "123456", "group_email": GROUP}
    return make_company(**{**values, **fields})


def make_two_officers(company: Company | None = None) -> tuple[User, User]:
    """Olga and Piet."""
    company = company or make_acme()
    return (
        make_officer(company, email="olga@acme.example", name="Olga Stern"),
        make_officer(company, email="piet@acme.example", name="Piet Vos"),
    )


def company_of(officer: User) -> Company:
    assert officer.company is not None
    return officer.company


def browser(user: User, **options: Any) -> Client:
    """A browser in which this person is signed in."""
    client = Client(**options)
    client.force_login(user)
    return client


def url(name: str, number: object = None) -> str:
    """The address of a page about requests."""
    return reverse(f"kmp:{name}", args=[] if number is None else [number])


def file_of(content: bytes, name: str = "new.csr") -> SimpleUploadedFile:
    """A file as a browser sends it."""
    return SimpleUploadedFile(name, content)


def details(code: str = PORTAL_CLIENT, **fields: str) -> dict[str, str]:
    """The first form of a new request as it is sent."""
    values = {
        "key": str(uuid.uuid4()),
        "application": code,
        "profile": "client",
        "environment": "mtf",
        "contact": "olga@acme.example",
    }
    return {**values, **fields}


def review_form(draft: CertificateRequest, **fields: object) -> dict[str, object]:
    """The form of the review as the page that shows the draft sends it."""
    draft.refresh_from_db()
    return {"csr": "", "names": "", "contact": "olga@acme.example", "shown": digest_of(draft), **fields}


def make_draft(
    officer: User,
    code: str = PORTAL_CLIENT,
    environment: Environment = Environment.MTF,
    *,
    csr: bytes | None = None,
    now: datetime | None = None,
) -> CertificateRequest:
    """A draft for a new certificate, with a CSR that keeps every rule unless told otherwise (none: ``b""``)."""
    now, actor = now or timezone.now(), Actor(officer.email)
    draft = drafts.start_new(
        officer,
        key=uuid.uuid4(),
        application=application_of(code),
        environment=environment,
        profile=Profile.CLIENT,
        contact=officer.email,
        actor=actor,
        now=now,
    )
    data = make_kmp_csr(rules_for(company_of(officer), code, environment)) if csr is None else csr
    if data:
        draft = drafts.save_csr(draft, data, name="new.csr", by=officer, actor=actor, now=now)
    return draft


def make_renewal(officer: User, entry: InventoryEntry, *, csr: bytes | None = None) -> CertificateRequest:
    """A draft that renews a certificate, with a CSR that keeps every rule unless told otherwise."""
    now, actor = timezone.now(), Actor(officer.email)
    draft = drafts.start_renewal(entry, by=officer, actor=actor, now=now)
    data = csr_for_renewal(entry) if csr is None else csr
    return drafts.save_csr(draft, data, name="renewal.csr", by=officer, actor=actor, now=now)


def csr_for_renewal(entry: InventoryEntry, **changed: str) -> bytes:
    """PEM of a CSR with the name of a certificate, but for what is changed: ``OU="Other"``; None takes it away."""
    rules = rules_for(entry.company, entry.application.code, Environment(entry.environment))
    pairs = dict(rules.example_subject("1799999999"))
    pairs["CN"] = entry.common_name
    return build_request(list({**pairs, **changed}.items()), new_private_key())


def submitted(request: CertificateRequest, *, now: datetime | None = None) -> CertificateRequest:
    """The same request, handed in by its officer."""
    actor = Actor(request.officer.email)
    return submit(request, by=request.officer, actor=actor, now=now or timezone.now())


def ended(
    request: CertificateRequest, state: RequestState, *, entry: InventoryEntry | None = None, reason: str = ""
) -> CertificateRequest:
    """The same request as it stands after a decision. An entry gets the id of its request, as signing gives it."""
    if entry is not None:
        InventoryEntry.objects.filter(pk=entry.pk).update(id=request.pk)
        entry.pk = request.pk
    request.state, request.ended_at, request.decide_at = state, timezone.now(), None
    request.decided_by, request.reason, request.entry = "automatic review", reason, entry
    request.save()
    return request


def good_csr(officer: User, code: str = PORTAL_CLIENT) -> bytes:
    """PEM of a CSR that keeps every rule of the officer’s company for MTF."""
    return make_kmp_csr(rules_for(company_of(officer), code))
