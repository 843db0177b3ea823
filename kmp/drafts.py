"""Drafts: the wizard's state on the server, safe to reload, to leave, and to open twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.events import Actor
from connect.models import Company, User
from connect.officers import is_officer, officers_of
from kmp.errors import CannotRenew, RenewalTaken, WrongState
from kmp.models import (
    Application,
    CertificateRequest,
    EntryState,
    Environment,
    InventoryEntry,
    Profile,
    RequestKind,
    RequestState,
)
from kmp.moves import OPEN, locked, record_of
from kmp.numbers import next_request_number


@transaction.atomic
def start_new(
    by: User,
    *,
    key: UUID,
    application: Application,
    environment: Environment,
    profile: Profile,
    contact: str,
    actor: Actor,
    now: datetime,
) -> CertificateRequest:
    """Begin a draft for a new certificate. ``key`` is of the form that was sent, so that one sent twice begins one."""
    company = _company_of(by)
    made = CertificateRequest.objects.filter(pk=key, company=company).first()
    if made is not None:
        return made
    request = CertificateRequest(
        id=key,
        number=next_request_number(),
        kind=RequestKind.NEW,
        company=company,
        officer=by,
        application=application,
        environment=environment,
        profile=profile,
        contact=contact,
        created_at=now,
        changed_at=now,
    )
    request.save(force_insert=True)
    record_of("kmp.request-started", request, actor=actor, now=now, after={"application": application.name})
    return request


def start_renewal(entry: InventoryEntry, *, by: User, actor: Actor, now: datetime) -> CertificateRequest:
    """Begin the renewal of a certificate, filled from its record, or go on with the draft that is this officer's.

    An expired certificate may be renewed; a revoked one and one that has a successor may not.

    Raises:
        CannotRenew: with the newest version, where there is one.
        RenewalTaken: another officer has it, or it is submitted already.
    """
    open_one = _open_renewal(entry)
    if open_one is None:
        refuse_renewal_of(entry)
        try:
            with transaction.atomic():
                return _insert_renewal(entry, by=by, actor=actor, now=now)
        except IntegrityError:
            # Somebody was faster, and the constraint decided.
            open_one = _open_renewal(entry)
            if open_one is None:
                raise
    if open_one.state == RequestState.DRAFT and open_one.officer_id == by.pk:
        return open_one
    raise RenewalTaken(_taken_sentence(open_one), open_one)


def refuse_renewal_of(entry: InventoryEntry) -> None:
    """Raises CannotRenew where this version of a certificate cannot be renewed."""
    current = InventoryEntry.objects.select_related("renewed_by").get(pk=entry.pk)
    if current.state == EntryState.REVOKED:
        raise CannotRenew(
            f"{current.reference} was revoked. A revoked certificate is never renewed: make a new request for its "
            "application instead, with a new key."
        )
    if current.state == EntryState.RENEWED:
        newest = InventoryEntry.objects.filter(line=current.line).order_by("-version")[0]
        raise CannotRenew(
            f"{current.reference} has been renewed already. The newest version is {newest.reference}: renew that one "
            "when it comes to its end.",
            newest,
        )


@transaction.atomic
def save_details(
    request: CertificateRequest,
    *,
    application: Application,
    environment: Environment,
    contact: str,
    by: User,
    actor: Actor,
    now: datetime,
) -> CertificateRequest:
    """Keep what a draft for a new certificate is for; for a renewal only the contact may change."""
    row = own_draft(request, by)
    row.contact = contact
    if row.kind == RequestKind.NEW:
        row.application, row.environment = application, environment
    row.changed_at = now
    row.save(update_fields=["contact", "application", "environment", "changed_at"])
    return row


@transaction.atomic
def save_csr(
    request: CertificateRequest, data: bytes, *, name: str, by: User, actor: Actor, now: datetime
) -> CertificateRequest:
    """Keep a CSR in a draft. The caller has made sure that it holds no private key."""
    row = own_draft(request, by)
    row.csr, row.csr_name, row.changed_at = data, name[:120], now
    row.save(update_fields=["csr", "csr_name", "changed_at"])
    return row


@transaction.atomic
def save_names(request: CertificateRequest, names: Iterable[str], *, by: User, now: datetime) -> CertificateRequest:
    """Keep the alternative names of a draft, as ``read_alternative_names`` gave them."""
    row = own_draft(request, by)
    row.alternative_names, row.changed_at = list(names), now
    row.save(update_fields=["alternative_names", "changed_at"])
    return row


@transaction.atomic
def take_over(request: CertificateRequest, *, by: User, actor: Actor, now: datetime) -> CertificateRequest:
    """Another officer of the company goes on with a draft."""
    row = locked(request)
    if row.state != RequestState.DRAFT:
        raise WrongState(f"{row.number} is {row.get_state_display().lower()} now and cannot be taken over.")
    if row.company_id != by.company_id or not is_officer(by):
        raise WrongState("Only a security officer of the same company takes over a draft.")
    _hand(row, by, actor=actor, now=now)
    return row


@transaction.atomic
def hand_over_drafts(officer: User, *, actor: Actor, now: datetime) -> int:
    """Give the drafts of an officer whose access was withdrawn to the officer who has the fewest. Returns how many.

    Without another officer they stay where they are, until a new officer takes them over.
    """
    drafts = CertificateRequest.objects.select_for_update().filter(officer=officer, state=RequestState.DRAFT)
    others = list(officers_of(officer.company).exclude(pk=officer.pk)) if officer.company else []
    if not others:
        return 0
    counts = {
        other.pk: CertificateRequest.objects.filter(officer=other, state=RequestState.DRAFT).count() for other in others
    }
    handed = 0
    for draft in drafts.order_by("number"):
        heir = min(others, key=lambda other: (counts[other.pk], other.email))
        counts[heir.pk] += 1
        _hand(draft, heir, actor=actor, now=now)
        handed += 1
    return handed


def _company_of(officer: User) -> Company:
    if officer.company is None or not is_officer(officer):
        raise WrongState("Only a security officer makes requests. Ask for access in the Store.")
    return officer.company


def _insert_renewal(entry: InventoryEntry, *, by: User, actor: Actor, now: datetime) -> CertificateRequest:
    # The entry is held, so that it is not renewed or revoked between the look and the insert.
    refuse_renewal_of(InventoryEntry.objects.select_for_update().get(pk=entry.pk))
    request = CertificateRequest(
        number=next_request_number(),
        kind=RequestKind.RENEWAL,
        company=_company_of(by),
        officer=by,
        application=entry.application,
        environment=entry.environment,
        profile=entry.profile,
        contact=by.email,
        expiring=entry,
        alternative_names=entry.alternative_names,
        created_at=now,
        changed_at=now,
    )
    request.save(force_insert=True)
    record_of("kmp.request-started", request, actor=actor, now=now, after={"renews": entry.reference})
    return request


def _open_renewal(entry: InventoryEntry) -> CertificateRequest | None:
    return CertificateRequest.objects.filter(expiring=entry, state__in=OPEN).select_related("officer").first()


def _taken_sentence(request: CertificateRequest) -> str:
    if request.state == RequestState.DRAFT:
        return (
            f"{request.officer.name} is renewing this certificate with {request.number}. Wait for it, or take the "
            "draft over."
        )
    return (
        f"{request.officer.name} has submitted {request.number} for this certificate. It is "
        f"{request.get_state_display().lower()}: wait for the decision."
    )


def own_draft(request: CertificateRequest, by: User) -> CertificateRequest:
    row = locked(request)
    if row.officer_id != by.pk:
        raise WrongState(f"{row.number} is {row.officer.name}’s draft. Take it over to change it.")
    if row.state != RequestState.DRAFT:
        raise WrongState(f"{row.number} is {row.get_state_display().lower()} now and cannot be changed any more.")
    if not is_officer(by):
        raise WrongState("Your access to KMP was withdrawn. Nothing was changed.")
    return row


def _hand(row: CertificateRequest, heir: User, *, actor: Actor, now: datetime) -> None:
    before = row.officer.email
    row.officer, row.changed_at = heir, now
    row.save(update_fields=["officer", "changed_at"])
    record_of(
        "kmp.request-handed-over", row, actor=actor, now=now, before={"officer": before}, after={"officer": heir.email}
    )
