"""The inventory's only changes: a certificate comes in, one takes over from another, one is revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from audit.events import SYSTEM, Actor, record
from certauthority import revocation
from certauthority.models import Certificate, RevocationReason
from certauthority.models.authority import AuthorityPurpose
from connect.clock import company_time
from connect.expiry.thresholds import first_after
from connect.models import Company
from kmp import messages
from kmp.errors import CannotRenew
from kmp.models import Application, CertificateRequest, EntryState, InventoryEntry
from kmp.moves import OPEN
from kmp.numbers import hold_references, next_reference
from kmp.records import audited_entry


def add_entry(
    *,
    company: Company,
    application: Application,
    environment: str,
    profile: str,
    certificate: Certificate,
    alternative_names: Sequence[str] = (),
    renews: InventoryEntry | None = None,
    key: UUID | None = None,
    actor: Actor = SYSTEM,
    now: datetime,
) -> InventoryEntry:
    """Put a signed certificate into the inventory, as the next version of the one that it renews, if any.

    ``now`` is real time, as the inventory's ``Issued`` is. Call it inside the transaction that signs; what it renews
    becomes Renewed. ``key`` is the id of the request that asked for it: the primary key then refuses a second
    certificate for the same request.

    Raises:
        CannotRenew: what it was to renew has a successor, or was revoked, meanwhile.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("add_entry() stores a part of what its caller stores: call it inside transaction.atomic()")
    # Until the commit no application gets another name, either (``kmp.applications``), so the name is read now.
    hold_references()
    application_name = Application.objects.values_list("name", flat=True).get(pk=application.pk)
    renewed = _renewable(renews, company) if renews is not None else None
    if renewed is not None:
        # Before its successor comes in: of all versions one is live at most.
        renewed.state = EntryState.RENEWED
        renewed.save(update_fields=["state"])
    entry = InventoryEntry(
        id=key or uuid4(),
        reference=next_reference(),
        company=company,
        application=application,
        environment=environment,
        profile=profile,
        certificate=certificate,
        line=renewed.line if renewed else uuid4(),
        version=renewed.version + 1 if renewed else 1,
        renews=renewed,
        application_name=application_name,
        common_name=certificate.common_name,
        serial=certificate.serial,
        # Not the certificate's own beginning: that is a little earlier, for clients whose clock is behind.
        issued_at=now,
        expires_at=certificate.not_after,
        alternative_names=list(alternative_names),
        next_notice_at=first_after(certificate.not_after, company_time(company, now)),
    )
    entry.save(force_insert=True)
    _tell(entry, renewed, actor=actor, now=now)
    return entry


def revoke(entry: InventoryEntry, *, reason: RevocationReason, actor: Actor, now: datetime) -> bool:
    """Revoke the certificate of an entry, for good, also that of an older version. False if it was revoked before.

    Whoever uses it, such as a project of the Developers portal, is told by the signal, in the same transaction.
    """
    with transaction.atomic():
        certificate = entry.certificate
        if not revocation.revoke(certificate, reason=reason, actor=actor, now=now):
            return False
        if reason == RevocationReason.KEY_COMPROMISE:
            fingerprint, holder = certificate.public_key_fingerprint, str(entry.company_id)
            revocation.report_compromise(fingerprint, holder=holder, actor=actor, now=now)
        return True


def on_certificate_revoked(sender: object, *, certificate: Certificate, now: datetime, actor: Actor, **_: Any) -> None:
    """Receiver: the entry of a revoked certificate is Revoked. One that has been renewed stays Renewed.

    Its company's officers are told.
    """
    held = InventoryEntry.objects.select_for_update(of=("self",)).select_related("company")
    entry = held.filter(certificate=certificate).first()
    if entry is None:
        return
    entry.certificate = certificate
    if entry.state == EntryState.LIVE:
        entry.state = EntryState.REVOKED
    entry.next_notice_at = None
    entry.save(update_fields=["state", "next_notice_at"])
    record(
        "kmp.certificate-revoked",
        actor=actor,
        on=audited_entry(entry),
        now=now,
        after={
            "reason": RevocationReason(certificate.revocation_reason).label,
            "common_name": entry.common_name,
            "serial": entry.serial,
        },
    )
    messages.revoked(entry, actor=actor, now=now)


def on_public_key_compromised(sender: object, *, fingerprint: str, now: datetime, actor: Actor, **_: Any) -> None:
    """Receiver: every certificate of the KMP CA with a compromised key is revoked, whichever version it is."""
    certificates = Certificate.objects.filter(
        public_key_fingerprint=fingerprint, revoked_at=None, authority__purpose=AuthorityPurpose.KMP
    )
    for certificate in certificates.order_by("pk"):
        revocation.revoke(certificate, reason=RevocationReason.KEY_COMPROMISE, actor=actor, now=now)


def _renewable(entry: InventoryEntry, company: Company) -> InventoryEntry:
    """The entry, locked, if it may still get a successor."""
    held = InventoryEntry.objects.select_for_update(of=("self",)).select_related("company")
    row = held.get(pk=entry.pk, company=company)
    if row.state == EntryState.RENEWED:
        raise CannotRenew(f"{row.reference} has been renewed meanwhile.", newest_of(row))
    if row.state == EntryState.REVOKED:
        raise CannotRenew(f"{row.reference} was revoked meanwhile. A revoked certificate is never renewed.")
    return row


def newest_of(entry: InventoryEntry) -> InventoryEntry:
    """The latest version of the same certificate, which may be the entry itself."""
    return InventoryEntry.objects.filter(line=entry.line).order_by("-version")[0]


def request_of(entry: InventoryEntry) -> CertificateRequest | None:
    """The request that the certificate was signed for."""
    return CertificateRequest.objects.filter(entry=entry).first()


def renewal_of(entry: InventoryEntry) -> CertificateRequest | None:
    """The renewal that is under way: a draft, or one that waits for its decision. There is one at most."""
    return CertificateRequest.objects.filter(expiring=entry, state__in=OPEN).select_related("officer").first()


def _tell(entry: InventoryEntry, renewed: InventoryEntry | None, *, actor: Actor, now: datetime) -> None:
    record(
        "kmp.certificate-issued",
        actor=actor,
        on=audited_entry(entry),
        now=now,
        after={
            "application": entry.application_name,
            "environment": str(entry.environment),
            "common_name": entry.common_name,
            "serial": entry.serial,
            "not_after": entry.expires_at.isoformat(),
            "renews": renewed.reference if renewed else None,
        },
    )
    if renewed is not None:
        record(
            "kmp.certificate-renewed",
            actor=actor,
            on=audited_entry(renewed),
            now=now,
            before={"state": "Live"},
            after={"renewed_by": entry.reference},
        )
