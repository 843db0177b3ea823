"""What every move of a request shares: the locked row, its end, and the event that tells of it."""

from __future__ import annotations

from datetime import datetime

from audit.events import Actor, JsonScalar, record
from connect.officers import officers_of
from kmp.models import CertificateRequest, RequestState
from kmp.records import audited

REASON_LENGTH = 500
UNDECIDED = (RequestState.SUBMITTED, RequestState.IN_REVIEW)
OPEN = (RequestState.DRAFT, *UNDECIDED)


def locked(request: CertificateRequest) -> CertificateRequest:
    """The row as it is now, held until the end of the transaction."""
    return (
        CertificateRequest.objects.select_for_update(of=("self",))
        .select_related("officer", "company", "application", "expiring__certificate")
        .get(pk=request.pk)
    )


def is_left_behind(request: CertificateRequest) -> bool:
    """Whether its officer is no security officer of its company any more, while it is not decided yet."""
    if request.state not in OPEN:
        return False
    return not officers_of(request.company).filter(pk=request.officer_id).exists()


def end(row: CertificateRequest, state: RequestState, *, by: str, reason: str, now: datetime) -> None:
    """Bring a locked row into a final state; of a signed one the entry is stored, too."""
    row.state, row.ended_at, row.changed_at, row.decide_at = state, now, now, None
    row.decided_by, row.reason = by, reason[:REASON_LENGTH]
    row.save(update_fields=["state", "ended_at", "changed_at", "decide_at", "decided_by", "reason", "entry"])


def record_of(
    action: str,
    request: CertificateRequest,
    *,
    actor: Actor,
    now: datetime,
    before: dict[str, JsonScalar] | None = None,
    after: dict[str, JsonScalar] | None = None,
) -> None:
    """Record an event of a request."""
    record(action, actor=actor, on=audited(request), now=now, before=before, after=after)
