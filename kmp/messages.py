"""Who is told what about a request: every security officer of its company, and the group mailbox.

An officer who left it is told nothing more: the company's requests do not exist for that person.
"""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from connect.models import User
from connect.notices import Recipient, announce, people
from connect.officers import officers_of
from kmp.models import CertificateRequest


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
    _announce("kmp.request-signed", request, now=now, link=link)


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
    kind: str, request: CertificateRequest, *, now: datetime, to: list[Recipient] | None = None, link: str = ""
) -> None:
    announce(
        kind,
        event=f"{kind}:{request.number}",
        to=to if to is not None else _company_people(request),
        company=request.company,
        scope=str(request.company_id) if to is None else "",
        link=link or reverse("kmp:request", args=[request.number]),
        now=now,
        context={"request": request},
    )


def _company_people(request: CertificateRequest) -> list[Recipient]:
    recipients = people(officers_of(request.company))
    if request.company.group_email:
        recipients.append(Recipient(request.company.group_email))
    return recipients
