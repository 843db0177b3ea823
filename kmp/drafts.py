"""Drafts: the wizard's state on the server, safe to reload, to leave, and to open twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.events import Actor
from certauthority.policy import judge_known_key, remembered
from certauthority.x509.csr import ParsedCsr
from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.name_rules import shown
from connect import foreign_keys
from connect.models import Company, User
from connect.officers import hold_officer, is_officer
from kmp.errors import CannotRenew, NoCsr, RenewalTaken, WrongState
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
from kmp.moves import OPEN, is_left_behind, locked, record_of
from kmp.numbers import next_request_number

NAME_LENGTH = 120
COMMON_NAME_LENGTH = 64


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
    made = _made_before(key, company)
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
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError:
        # The same form, sent twice at the same moment.
        made = _made_before(key, company)
        if made is None:
            raise WrongState("This form was sent before. Open New request again and fill it anew.") from None
        return made
    record_of("kmp.request-started", request, actor=actor, now=now, after={"application": application.name})
    return request


def start_renewal(entry: InventoryEntry, *, by: User, actor: Actor, now: datetime) -> CertificateRequest:
    """Begin the renewal of a certificate, filled from its record, or go on with the draft that is this officer's.

    An expired certificate may be renewed; a revoked one and one that has a successor may not.

    Raises:
        CannotRenew: with the newest version, where there is one.
        RenewalTaken: another officer has it, or it is submitted already.
    """
    draft = own_renewal(entry, by=by)
    if draft is not None:
        return draft
    try:
        with transaction.atomic():
            return _insert_renewal(entry, by=by, actor=actor, now=now)
    except IntegrityError:
        # Somebody was faster, and the constraint decided.
        draft = own_renewal(entry, by=by)
        if draft is None:
            raise
        return draft


def own_renewal(entry: InventoryEntry, *, by: User) -> CertificateRequest | None:
    """The draft in which this officer renews a certificate already; None where a renewal may begin.

    Raises:
        CannotRenew: with the newest version, where there is one.
        RenewalTaken: another officer has it, or it is submitted already.
    """
    open_one = (
        CertificateRequest.objects.filter(expiring=entry, state__in=OPEN).select_related("officer", "company").first()
    )
    if open_one is None:
        refuse_renewal_of(entry)
        return None
    if open_one.state == RequestState.DRAFT and open_one.officer_id == by.pk:
        return open_one
    raise RenewalTaken(_taken_sentence(open_one, by), open_one)


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
    """Keep what a draft for a new certificate is for. A renewal is for what its expiring certificate is for."""
    row = own_draft(request, by)
    row.contact = contact
    if row.kind == RequestKind.NEW:
        row.application, row.environment = application, environment
    return _keep(row, "application", "environment", "contact", actor=actor, now=now)


@transaction.atomic
def save_csr(
    request: CertificateRequest, data: bytes, *, name: str, by: User, actor: Actor, now: datetime
) -> CertificateRequest:
    """Keep a CSR in a draft, whatever the rules say of it. ``name`` is of its file, and empty for pasted text.

    Raises:
        NoCsr: this is no CSR that can be read; the sentence names what it is. A private key above all is never kept.
    """
    row = own_draft(request, by)
    csr = readable_csr(data)
    row.csr, row.csr_name = data, shown(name)[:NAME_LENGTH]
    row.common_name = shown(csr.subject.common_name)[:COMMON_NAME_LENGTH]
    known = judge_known_key(remembered(csr.public_key), holder=str(row.company_id))
    foreign_keys.raise_alarm(known, fingerprint=csr.public_key.fingerprint, company=row.company, actor=actor, now=now)
    return _keep(row, "csr", "csr_name", "common_name", actor=actor, now=now)


def readable_csr(data: bytes) -> ParsedCsr:
    """The CSR in a file or text, kept rules or not. Raises NoCsr."""
    judgement = judge_csr(data)
    if judgement.csr is None:
        raise NoCsr(judgement.verdicts[0].found)
    return judgement.csr


@transaction.atomic
def save_names(
    request: CertificateRequest, names: Iterable[str], *, contact: str, by: User, actor: Actor, now: datetime
) -> CertificateRequest:
    """Keep the contact and the alternative names of a draft, as ``read_alternative_names`` gave them."""
    row = own_draft(request, by)
    row.alternative_names, row.contact = list(names), contact
    return _keep(row, "alternative_names", "contact", actor=actor, now=now)


def _made_before(key: UUID, company: Company) -> CertificateRequest | None:
    return CertificateRequest.objects.filter(pk=key, company=company).first()


def _company_of(officer: User) -> Company:
    """Inside the transaction that begins a draft: nobody is left with one whose access was withdrawn meanwhile."""
    if officer.company is None or not hold_officer(officer):
        raise WrongState("Only a security officer makes requests. Ask for access in the Store.")
    return officer.company


def _insert_renewal(entry: InventoryEntry, *, by: User, actor: Actor, now: datetime) -> CertificateRequest:
    company = _company_of(by)
    # The entry is held, so that it is not renewed or revoked between the look and the insert.
    refuse_renewal_of(InventoryEntry.objects.select_for_update().get(pk=entry.pk))
    request = CertificateRequest(
        number=next_request_number(),
        kind=RequestKind.RENEWAL,
        company=company,
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


def _taken_sentence(request: CertificateRequest, by: User) -> str:
    if request.officer_id != by.pk and is_left_behind(request):
        return (
            f"{request.officer.name}, who is no security officer any more, began to renew this certificate with "
            f"{request.number}, which is {request.get_state_display().lower()}. Take it over, or cancel it on its page."
        )
    who = "You are" if request.officer_id == by.pk else f"{request.officer.name} is"
    if request.state == RequestState.DRAFT:
        return f"{who} renewing this certificate with {request.number}. Wait for it, or take the draft over."
    return (
        f"{who} renewing this certificate with {request.number}, which is {request.get_state_display().lower()}. Wait "
        "for the decision."
    )


def own_draft(request: CertificateRequest, by: User) -> CertificateRequest:
    """The row, locked, if this person may change it now. Raises WrongState."""
    row = locked(request)
    if not is_officer(by):
        raise WrongState("Your access to KMP was withdrawn. Nothing was changed.")
    if row.state != RequestState.DRAFT:
        raise WrongState(f"{row.number} is {row.get_state_display().lower()} now and cannot be changed any more.")
    if row.officer_id != by.pk:
        raise WrongState(f"{row.number} is {row.officer.name}’s draft now. Take it over to change it.")
    return row


def _keep(row: CertificateRequest, *fields: str, actor: Actor, now: datetime) -> CertificateRequest:
    """Store these fields of a draft and tell of it, unless they are as they were."""
    before = CertificateRequest.objects.get(pk=row.pk)
    changed = [name for name in fields if _value(before, name) != _value(row, name)]
    if not changed:
        return row
    row.changed_at = now
    row.save(update_fields=[*changed, "changed_at"])
    # Of a CSR only its name is told: the file itself stays with the request.
    told = [name for name in changed if name != "csr"] or ["csr_name"]
    record_of(
        "kmp.request-changed",
        row,
        actor=actor,
        now=now,
        before={name: _word(before, name) for name in told},
        after={name: _word(row, name) for name in told},
    )
    return row


def _value(row: CertificateRequest, name: str) -> object:
    value = getattr(row, name)
    return bytes(value) if name == "csr" else value


def _word(row: CertificateRequest, name: str) -> str:
    value = getattr(row, name)
    return ", ".join(value) if isinstance(value, list) else str(value or "")
