"""A public key of another company was offered: one of the two has a private key that is not its own."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from audit.events import Actor, AuditedObject, record
from audit.models import AuditEvent
from certauthority.x509.verdicts import Verdict, broken
from connect.models import Company

log = logging.getLogger(__name__)

ACTION = "key.of-another-company"
RULE = "key.holder"
_TYPE = "public-key"
# Whoever sends the same CSR again and again raises one alarm a day.
_AGAIN_AFTER = timedelta(days=1)


def raise_alarm(
    verdicts: Iterable[Verdict], *, fingerprint: str, company: Company, actor: Actor, now: datetime
) -> None:
    """Record, and log as an error, that this company offered a key (SHA-256, hex) that another one holds.

    Nothing happens where no such rule is among the broken ``verdicts``. The person sees the refusal, and never whose
    key it is; the event is in no project's activity. Call it where what it records is not undone with the refusal.
    """
    if all(verdict.id != RULE for verdict in broken(verdicts)):
        return
    named = AuditedObject(
        type=_TYPE,
        id=fingerprint,
        label=f"public key with SHA-256 {fingerprint}",
        company=str(company.pk),
        clock_ahead=company.clock_ahead,
    )
    told = AuditEvent.objects.filter(object_type=_TYPE, object_id=fingerprint, company=named.company, action=ACTION)
    if told.filter(at__gt=now - _AGAIN_AFTER).exists():
        return
    record(ACTION, actor=actor, on=named, now=now)
    log.error("The company %s offered a public key that another company holds: SHA-256 %s.", company.pk, fingerprint)
