"""Revoke certificates of our own CAs, and report compromised keys."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit.events import Actor
from certauthority import background, tasks
from certauthority.errors import CAError
from certauthority.key_holders import condemn_key
from certauthority.models import Certificate, RevocationReason
from certauthority.models.revocation_list import FULL
from certauthority.ocsp import ready_made
from certauthority.signals import certificate_revoked, public_key_compromised
from certauthority.x509.revocation_list import crl_entry


@transaction.atomic
def revoke(certificate: Certificate, *, reason: RevocationReason, actor: Actor, now: datetime) -> bool:
    """Revoke one certificate of our own: refused from the commit on, also by OCSP, and listed by the next
    CRL that it names.

    A certificate revoked before stays as it is, and False is returned. Raises ``CAError`` for a certificate that
    another CA issued.
    """
    row = Certificate.objects.select_for_update(no_key=True).get(pk=certificate.pk)
    if row.authority_id is None:
        raise CAError("Another CA issued this certificate. Only that CA can revoke it.")
    if row.revoked_at is not None:
        return False
    row.revoked_at = now
    row.revocation_reason = reason
    row.crl_entry = crl_entry(serial=int(row.serial, 16), revoked_at=now, reason=reason.value)
    # Under the row's lock and before the commit: nobody can store another response that says good (ocsp/ready_made.py).
    row.ocsp_unsettled = not ready_made.withdraw(row.authority_id, [row.serial])
    row.save(update_fields=["revoked_at", "revocation_reason", "crl_entry", "ocsp_unsettled"])
    certificate_revoked.send(sender=Certificate, certificate=row, now=now, actor=actor)
    authority_id, shard, certificate_id = row.authority_id, row.crl_shard or FULL, str(row.pk)
    transaction.on_commit(lambda: background.enqueue(tasks.publish_revocation_list, authority_id, shard))
    transaction.on_commit(lambda: background.enqueue(tasks.make_ocsp_response, certificate_id))
    return True


@transaction.atomic
def report_compromise(fingerprint: str, *, holder: str, actor: Actor, now: datetime) -> None:
    """Never accept this public key again. Receivers of ``public_key_compromised`` end what they know to use it."""
    condemn_key(fingerprint, holder=holder, now=now)
    public_key_compromised.send(sender=Certificate, fingerprint=fingerprint, now=now, actor=actor)
