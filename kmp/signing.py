"""Sign a request: certificate, inventory version, state and notices in one transaction, or none of them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from django.db import transaction

from audit.events import Actor
from certauthority import issuance
from certauthority.errors import RequestRefused, SerialRepeated
from certauthority.models import Certificate
from certauthority.models.authority import AuthorityPurpose
from connect.officers import is_officer
from kmp import messages
from kmp.drafts import refuse_renewal_of
from kmp.entries import add_entry
from kmp.errors import CannotRenew, NotSignable, WrongState
from kmp.judgement import Judged, judge
from kmp.models import CertificateRequest, InventoryEntry, RequestState
from kmp.moves import UNDECIDED, end, locked, record_of

SERIAL_TRIES = 3


def sign(request: CertificateRequest, *, decided_by: str, actor: Actor, now: datetime) -> InventoryEntry:
    """Judge a submitted request once more and sign it. A repeat returns what was signed the first time.

    Raises:
        NotSignable: the world changed since it was submitted; the sentence is the reason to reject it with.
        WrongState: it was rejected or cancelled meanwhile.
        CAError: the CA cannot sign now.
    """
    for _ in range(SERIAL_TRIES):
        with suppress(SerialRepeated), transaction.atomic():
            return _sign(request, decided_by=decided_by, actor=actor, now=now)
    raise RuntimeError("the random source gives serial numbers that were given before")


def _sign(request: CertificateRequest, *, decided_by: str, actor: Actor, now: datetime) -> InventoryEntry:
    row = locked(request)
    if row.entry is not None:
        return row.entry
    if row.state not in UNDECIDED:
        raise WrongState(f"{row.number} was {row.get_state_display().lower()} meanwhile. Nothing was signed.")
    judged = _judged_again(row, now=now)
    certificate = _issue(row, judged, now=now)
    entry = _add_entry(row, certificate, now=now)
    row.entry = entry
    end(row, RequestState.SIGNED, by=decided_by, reason="", now=now)
    record_of(
        "kmp.request-signed",
        row,
        actor=actor,
        now=now,
        after={
            "reference": entry.reference,
            "common_name": certificate.common_name,
            "serial": certificate.serial,
            "fingerprint": certificate.fingerprint,
            "not_after": certificate.not_after.isoformat(),
            "decided_by": decided_by,
        },
    )
    messages.signed(row, now=now)
    return entry


def _judged_again(row: CertificateRequest, *, now: datetime) -> Judged:
    """Everything that may have changed since the officer pressed Submit."""
    if not is_officer(row.officer):
        raise NotSignable(
            f"{row.officer.name} is no security officer any more. Another officer may submit the CSR in a request of "
            "their own."
        )
    if row.expiring is not None:
        try:
            refuse_renewal_of(InventoryEntry.objects.select_for_update().get(pk=row.expiring.pk))
        except CannotRenew as error:
            raise NotSignable(str(error)) from error
    judged = judge(row, now=now)
    if not judged.acceptable:
        raise NotSignable("The CSR does not keep the rules any more: " + " ".join(judged.problems))
    return judged


def _issue(row: CertificateRequest, judged: Judged, *, now: datetime) -> Certificate:
    try:
        return issuance.issue(
            judged.request,
            purpose=AuthorityPurpose.KMP,
            now=now,
            alternative_names=tuple(row.alternative_names),
        )
    except RequestRefused as error:
        raise NotSignable("The CSR’s key became unacceptable after it was submitted. Make a new key.") from error


def _add_entry(row: CertificateRequest, certificate: Certificate, *, now: datetime) -> InventoryEntry:
    if row.application is None:
        raise WrongState(f"{row.number} names no application.")
    return add_entry(
        company=row.company,
        application=row.application,
        environment=row.environment,
        profile=row.profile,
        certificate=certificate,
        alternative_names=tuple(row.alternative_names),
        renews=row.expiring,
        now=now,
    )
