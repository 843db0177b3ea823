"""What tests of decisions share: submitted requests whose time has come, and what exactly one signature leaves."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from audit.events import SYSTEM, Actor
from audit.models import AuditEvent
from certauthority.lint import lint_certificate
from certauthority.models import Certificate
from certauthority.records import facts_of
from certauthority.x509.profile import add_months
from connect.models import Channel, Notice, User
from kmp import automatic_review, key_management
from kmp.models import CertificateRequest, Environment, InventoryEntry, RequestState
from kmp.signing import sign
from tests.kmp.factories import PORTAL_CLIENT
from tests.kmp.wizard import company_of, make_draft, make_renewal, submitted

A2A = "a2a-commerce-client"
REASON = "The contact is no mailbox of your company. Name one that is."
LONG_AGO = timedelta(hours=1)


def make_submitted(
    officer: User,
    code: str = PORTAL_CLIENT,
    environment: Environment = Environment.MTF,
    *,
    csr: bytes | None = None,
    now: datetime | None = None,
) -> CertificateRequest:
    """A request for a new certificate, submitted an hour ago unless told otherwise, so that its decision is due."""
    now = now or timezone.now() - LONG_AGO
    return submitted(make_draft(officer, code, environment, csr=csr, now=now), now=now)


def make_submitted_renewal(officer: User, entry: InventoryEntry, *, csr: bytes | None = None) -> CertificateRequest:
    """A request that renews a certificate, submitted an hour ago."""
    return submitted(make_renewal(officer, entry, csr=csr), now=timezone.now() - LONG_AGO)


def state_of(request: CertificateRequest) -> str:
    """As the database has it now."""
    return CertificateRequest.objects.values_list("state", flat=True).get(pk=request.pk)


def reason_of(request: CertificateRequest) -> str:
    """Why it was rejected."""
    return CertificateRequest.objects.values_list("reason", flat=True).get(pk=request.pk)


def actions_of(request: CertificateRequest) -> list[str]:
    """What the audit log tells of a request, in order."""
    events = AuditEvent.objects.filter(object_type="kmp-request", object_id=str(request.pk)).order_by("id")
    return [event.action.removeprefix("kmp.request-") for event in events]


def assert_signed_once(request: CertificateRequest) -> Certificate:
    """One certificate, one entry, one event of each kind, one notice for everybody and channel; nothing doubled."""
    row = CertificateRequest.objects.select_related("entry__certificate").get(pk=request.pk)
    assert row.state == RequestState.SIGNED
    assert row.entry is not None
    certificate = row.entry.certificate
    assert row.entry.pk == row.pk
    of_key = Certificate.objects.filter(public_key_fingerprint=certificate.public_key_fingerprint)
    assert list(of_key) == [certificate], "one certificate for its key"
    issued = AuditEvent.objects.filter(action="kmp.certificate-issued", object_id=str(row.entry.pk))
    assert issued.count() == 1
    actions = actions_of(row)
    assert (actions.count("in-review"), actions.count("signed"), actions.count("rejected")) == (1, 1, 0)
    assert told_of(row, "kmp.request-signed") == expected_notices(row)
    return certificate


def assert_lasts_by_the_clock(entry: InventoryEntry, *, ahead: timedelta, since: datetime) -> None:
    """It begins an hour ago in real time, and ends 13 months after what a clock shows that is so far ahead."""
    facts = facts_of(entry.certificate)
    since, until = since.replace(microsecond=0), timezone.now()
    assert since - timedelta(hours=1) <= facts.not_before <= until - timedelta(hours=1)
    assert add_months(since + ahead, 13) <= facts.not_after <= add_months(until + ahead, 13)
    assert (entry.expires_at, entry.certificate.not_after) == (facts.not_after, facts.not_after)
    assert since <= entry.issued_at <= until
    assert lint_certificate(facts.der) == []


def told_of(request: CertificateRequest, kind: str) -> list[tuple[str, str]]:
    """Who was told, by which channel."""
    notices = Notice.objects.filter(event=f"{kind}:{request.number}")
    return sorted(notices.values_list("address", "channel"))


def expected_notices(request: CertificateRequest) -> list[tuple[str, str]]:
    """Olga and Piet by mail and bell, and the group mailbox by mail: each once."""
    officers = [(f"{name}@acme.example", channel.value) for name in ("olga", "piet") for channel in Channel]
    return sorted([*officers, (company_of(request.officer).group_email, Channel.MAIL.value)])


def in_review(request: CertificateRequest, by: User) -> CertificateRequest:
    """The same request, whose review somebody of the staff has begun."""
    return key_management.begin_review(request, by=by, actor=Actor(by.email), now=timezone.now())


def process(request: CertificateRequest, *, now: datetime | None = None) -> timedelta | None:
    """The automatic review of it, now unless told otherwise."""
    return automatic_review.process(request.pk, now=now or timezone.now())


def sign_now(request: CertificateRequest) -> InventoryEntry:
    """Sign it as the automatic review does, without asking whether it is due."""
    return sign(request, decided_by="automatic review", actor=SYSTEM, now=timezone.now())
