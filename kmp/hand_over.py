"""Drafts change hands: another officer takes one over, or whoever is no officer any more leaves them to the others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count

from audit.events import Actor
from connect.models import Company, User
from connect.officers import KMP, hold_officer, officers_of
from kmp import messages
from kmp.errors import WrongState
from kmp.models import CertificateRequest, RequestState
from kmp.moves import OPEN, is_left_behind, locked, record_of


def may_take_over(request: CertificateRequest, by: User) -> bool:
    """Whether ``Take over`` is offered to this officer of its company."""
    if request.officer_id == by.pk:
        return False
    return request.state == RequestState.DRAFT or is_left_behind(request)


@transaction.atomic
def take_over(request: CertificateRequest, *, by: User, actor: Actor, now: datetime) -> CertificateRequest:
    """Another officer of the company goes on with a draft, or stands for a request that its officer left behind.

    Who had it is told. A repeat changes nothing.
    """
    is_of_company = by.company_id == request.company_id and hold_officer(by)
    row = locked(request)
    if row.officer_id == by.pk and row.state in OPEN:
        return row
    if row.state not in OPEN:
        raise WrongState(f"{row.number} is {row.get_state_display().lower()} now and cannot be taken over.")
    if not is_of_company:
        raise WrongState("Only a security officer of the same company takes over a draft.")
    if not may_take_over(row, by):
        raise WrongState(f"{row.number} is {row.get_state_display().lower()} now and cannot be taken over.")
    former = row.officer
    _hand(row, by, actor=actor, now=now)
    messages.taken_over(row, former=former, now=now)
    return row


@transaction.atomic
def hand_over_drafts(officer: User, *, company: Company, actor: Actor, now: datetime) -> int:
    """Give the drafts of an officer whose access was withdrawn to the officer who has the fewest. Returns how many.

    Whoever gets one is told. What was submitted stays where it is, until another officer takes it over or cancels it.
    Without another officer drafts stay where they are, until a new officer takes them over.
    """
    others = list(officers_of(company).exclude(pk=officer.pk))
    if not others:
        return 0
    counts = dict.fromkeys((other.pk for other in others), 0)
    held = CertificateRequest.objects.filter(officer__in=others, company=company, state=RequestState.DRAFT)
    counts |= dict(held.order_by().values_list("officer").annotate(Count("pk")))
    drafts = CertificateRequest.objects.select_for_update(of=("self",)).select_related(
        "officer", "company", "application", "expiring", "entry"
    )
    mine = list(drafts.filter(officer=officer, company=company, state=RequestState.DRAFT).order_by("number"))
    for draft in mine:
        heir = min(others, key=lambda other: (counts[other.pk], other.email))
        counts[heir.pk] += 1
        _hand(draft, heir, actor=actor, now=now)
        messages.handed_over(draft, former=officer, now=now)
    return len(mine)


def on_access_withdrawn(
    sender: object, *, user: User, company: Company, application: str, actor: Actor, now: datetime, **_: Any
) -> None:
    """Receiver: who is no officer any more leaves no drafts behind."""
    if application == KMP:
        hand_over_drafts(user, company=company, actor=actor, now=now)


def _hand(row: CertificateRequest, heir: User, *, actor: Actor, now: datetime) -> None:
    before = row.officer.email
    row.officer, row.changed_at = heir, now
    row.save(update_fields=["officer", "changed_at"])
    record_of(
        "kmp.request-handed-over", row, actor=actor, now=now, before={"officer": before}, after={"officer": heir.email}
    )
