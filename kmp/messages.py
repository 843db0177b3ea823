"""Who is told what about a request: every security officer of its company, and the group mailbox.

An officer who left it is told nothing more: the company's requests do not exist for that person.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from audit.events import Actor
from certauthority.models import RevocationReason
from connect.certificate_facts import Fact, fact, identity, in_words
from connect.clock import company_time
from connect.models import Company, User
from connect.notices import Recipient, announce, people
from connect.officers import officers_of
from connect.text import one_line
from kmp.models import CertificateRequest, EntryState, InventoryEntry

_NAME = 254


def submitted(request: CertificateRequest, *, now: datetime) -> None:
    """Officers know that a request is on its way; Key Management that one waits, where it reviews by hand."""
    _announce("kmp.request-submitted", request, now=now)
    if request.decide_at is None:
        waiting(request, now=now)


def waiting(request: CertificateRequest, *, now: datetime) -> None:
    """Key Management has a request to review."""
    staff = people(User.objects.filter(is_staff=True, is_active=True))
    # What goes to the staff is not on the company's page: it would tell who they are.
    _announce("kmp.request-waiting", request, now=now, to=staff, link=reverse("kmp:review", args=[request.number]))


def rejected(request: CertificateRequest, *, now: datetime) -> None:
    """The reason, and the way to a corrected request."""
    _announce("kmp.request-rejected", request, now=now)


def cancelled(request: CertificateRequest, *, now: datetime) -> None:
    """The others need not wait for it any more."""
    _announce("kmp.request-cancelled", request, now=now)


def signed(request: CertificateRequest, *, now: datetime) -> None:
    """The new certificate, and what to do with it."""
    link = reverse("kmp:entry", args=[request.entry.reference]) if request.entry else ""
    watched = f"kmp:{request.entry.pk}" if request.entry else ""
    _announce("kmp.request-signed", request, now=now, link=link, watched=watched)


def revoked(entry: InventoryEntry, *, actor: Actor, now: datetime) -> None:
    """A certificate was revoked, by an officer or because its key was reported as compromised, and what is next."""
    kind, certificate, company = "kmp.certificate-revoked", entry.certificate, entry.company
    officers = list(officers_of(company))
    by = next((officer.name for officer in officers if officer.email == actor.name), "")
    # Of all versions one is live at most.
    live = InventoryEntry.objects.filter(line=entry.line, state=EntryState.LIVE)
    newer = live.filter(expires_at__gt=company_time(company, now)).first()
    announce(
        kind,
        event=f"{kind}:{entry.reference}",
        to=_with_group(company, officers),
        company=company,
        scope=str(company.pk),
        watched=f"kmp:{entry.pk}",
        link=reverse("kmp:entry", args=[newer.reference]) if newer else reverse("kmp:request_new"),
        now=now,
        context={
            "reference": entry.reference,
            "application": one_line(entry.application_name, at_most=_NAME),
            "environment": entry.get_environment_display(),
            "company_name": company.name,
            "by": one_line(by, at_most=_NAME),
            "reason": RevocationReason(certificate.revocation_reason).label,
            "newer": newer.reference if newer else "",
            "new_key": certificate.revocation_reason == RevocationReason.KEY_COMPROMISE,
            "facts": [
                Fact("Certificate", entry.reference),
                fact("Application", entry.application_name),
                Fact("Environment", entry.get_environment_display()),
                *identity(
                    common_name=entry.common_name,
                    serial=entry.serial,
                    fingerprint=certificate.fingerprint,
                    issuer=certificate.authority.label if certificate.authority else certificate.issuer,
                ),
                Fact("Revoked", in_words(now)),
            ],
        },
    )


def handed_over(request: CertificateRequest, *, former: User, now: datetime) -> None:
    """Who gets the draft of an officer that left it is told of it."""
    _announce_hand_over(request, request.officer, former=former, now=now)


def taken_over(request: CertificateRequest, *, former: User, now: datetime) -> None:
    """Who loses a draft is told who has it now, as long as that person sees it at all."""
    if officers_of(request.company).filter(pk=former.pk).exists():
        _announce_hand_over(request, former, former=former, now=now)


def _announce_hand_over(request: CertificateRequest, to: User, *, former: User, now: datetime) -> None:
    kind = "kmp.draft-handed-over"
    announce(
        kind,
        # A draft may go back and forth, and each time is another event.
        event=f"{kind}:{request.number}:{now.isoformat()}",
        to=people([to]),
        company=request.company,
        scope=str(request.company_id),
        link=reverse("kmp:request", args=[request.number]),
        now=now,
        context={"request": request, "former": former, "is_lost": to == former},
    )


def _announce(
    kind: str,
    request: CertificateRequest,
    *,
    now: datetime,
    to: list[Recipient] | None = None,
    link: str = "",
    watched: str = "",
) -> None:
    announce(
        kind,
        event=f"{kind}:{request.number}",
        to=to if to is not None else _with_group(request.company, officers_of(request.company)),
        company=request.company,
        scope=str(request.company_id) if to is None else "",
        watched=watched,
        link=link or reverse("kmp:request", args=[request.number]),
        now=now,
        context={"request": request},
    )


def _with_group(company: Company, officers: Iterable[User]) -> list[Recipient]:
    recipients = people(officers)
    if company.group_email:
        recipients.append(Recipient(company.group_email))
    return recipients
