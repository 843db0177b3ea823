"""End a credential: revoke a certificate of our Developers CA, or end the use of another CA's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit.events import Actor, record
from certauthority import revocation
from certauthority.models import Certificate, RevocationReason
from certauthority.models.authority import AuthorityPurpose
from portal.announcements import tell_credential_ended, tell_credential_revoked
from portal.credentials import common_name_in
from portal.models import Credential, EndReason
from portal.records import audited
from portal.requirements import holder_of


def is_revoked_itself(credential: Credential) -> bool:
    """Whether ending this credential revokes its certificate; else only its use on the project ends."""
    authority = credential.certificate.authority
    return authority is not None and authority.purpose == AuthorityPurpose.DEVELOPERS


@transaction.atomic
def revoke(credential: Credential, *, reason: RevocationReason, actor: Actor, now: datetime) -> bool:
    """What an admin of the project asks for: ``end`` it, and tell all its admins."""
    if not end(credential, reason=reason, actor=actor, now=now):
        return False
    row = Credential.objects.select_related("project__company", "certificate__authority").get(pk=credential.pk)
    tell_credential_revoked(row, reason=reason, actor=actor, now=now)
    return True


@transaction.atomic
def end(
    credential: Credential,
    *,
    reason: RevocationReason,
    actor: Actor,
    now: datetime,
    use_ended: EndReason = EndReason.USE_ENDED,
) -> bool:
    """End a live credential, for good. One that has ended stays as it is, and False is returned.

    Nobody is told: whoever calls this does that. What ends with it for having the same key is told of.
    """
    row = (
        Credential.objects.select_for_update(of=("self",))
        .select_related("project__company", "certificate__authority")
        .get(pk=credential.pk)
    )
    if row.ended_at is not None:
        return False
    if is_revoked_itself(row):
        # It ends before its certificate, so that the receiver below takes it for no news.
        _end(row, why=EndReason.REVOKED, reason=reason, actor=actor, now=now)
        revocation.revoke(row.certificate, reason=reason, actor=actor, now=now)
    else:
        _end(row, why=use_ended, reason=reason, actor=actor, now=now)
    if reason == RevocationReason.KEY_COMPROMISE:
        fingerprint = row.certificate.public_key_fingerprint
        revocation.report_compromise(fingerprint, holder=holder_of(row.project), actor=actor, now=now)
    return True


def on_certificate_revoked(sender: object, *, certificate: Certificate, now: datetime, actor: Actor, **_: Any) -> None:
    """Receiver: a revoked certificate is live on no project, and the admins of the one where it was are told."""
    reason = RevocationReason(certificate.revocation_reason)
    for row in _live().filter(certificate=certificate):
        _end(row, why=EndReason.REVOKED, reason=reason, actor=actor, now=now)
        tell_credential_ended(
            row,
            cause=f"{_issuer_of(row)} has revoked it, with the reason “{reason.label}”",
            new_key=reason == RevocationReason.KEY_COMPROMISE,
            now=now,
        )


def on_public_key_compromised(sender: object, *, fingerprint: str, now: datetime, actor: Actor, **_: Any) -> None:
    """Receiver: every credential with a compromised key ends, and the admins of each are told."""
    for row in _live().filter(certificate__public_key_fingerprint=fingerprint):
        if end(row, reason=RevocationReason.KEY_COMPROMISE, actor=actor, now=now):
            cause = "its private key was reported as compromised, and no certificate with that key is accepted any more"
            tell_credential_ended(row, cause=cause, new_key=True, now=now)


def _issuer_of(row: Credential) -> str:
    authority = row.certificate.authority
    return authority.label if authority is not None else common_name_in(row.certificate.issuer)


def _live() -> QuerySet[Credential]:
    return (
        Credential.objects.select_for_update(of=("self",))
        .filter(ended_at=None)
        .select_related("project__company", "certificate__authority")
        .order_by("pk")
    )


def _end(row: Credential, *, why: EndReason, reason: RevocationReason, actor: Actor, now: datetime) -> None:
    row.ended_at = now
    row.end_reason = why
    row.save(update_fields=["ended_at", "end_reason"])
    record(
        "credential.revoked" if why == EndReason.REVOKED else "credential.use-ended",
        actor=actor,
        on=audited(row),
        now=now,
        before={"live": True},
        after={
            "live": False,
            "reason": reason.label,
            "common_name": row.certificate.common_name,
            "serial": row.certificate.serial,
        },
    )
