"""Whether a certificate may be revoked without anybody noticing, as far as this site knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from certauthority.models import CertificateUse
from connect.lifecycle import Status
from portal.credentials import Row


@dataclass(frozen=True, slots=True)
class Safety:
    """A verdict in one bold sentence, and what it rests on."""

    meaning: Literal["ok", "warn", "info"]
    title: str
    text: str


def safety_of(row: Row, *, now: datetime) -> Safety:
    """Whether a live certificate is safe to revoke now."""
    if row.status == Status.EXPIRED:
        return Safety("ok", "It is safe to revoke", "It has expired, so nothing can be using it any more.")
    successor = row.replaced_by
    if successor is None:
        return Safety(
            "warn",
            "No live certificate is noted as its successor",
            "Whatever still uses it will be refused. To replace it first, choose Rotate.",
        )
    if successor.certificate.not_after < now:
        return Safety(
            "warn",
            f"{successor.alias}, which replaces it, has expired",
            "Whatever uses either of them is refused. Add a new certificate first.",
        )
    return _by_use(row, use=_use_of(successor.certificate_id), successor=successor.alias)


def _use_of(certificate_id: UUID) -> CertificateUse | None:
    return CertificateUse.objects.filter(certificate_id=certificate_id).first()


def _by_use(row: Row, *, use: CertificateUse | None, successor: str) -> Safety:
    """What the use of both certificates at this site's endpoint tells."""
    if use is None and row.last_used_at is None:
        return Safety(
            "info",
            f"{successor} is live and can take over",
            "This site has seen neither of them in use, so it cannot say whether every system has moved. Look into "
            "the logs of the server that you call before you revoke.",
        )
    if use is None:
        return Safety(
            "warn",
            f"It is not safe to revoke yet: {successor} has not been used",
            "Move your code over to the new certificate, and wait for its first use.",
        )
    if row.last_used_at is not None and row.last_used_at >= use.first_used_at:
        return Safety(
            "warn",
            "It is not safe to revoke yet: both are in use",
            f"It was last used on {row.last_used_at:%-d %B %Y at %H:%M} UTC, after {successor} had taken over. Find "
            "the system that still uses it.",
        )
    return Safety(
        "ok",
        "It is safe to revoke",
        f"{successor} is live and has been in use since {use.first_used_at:%-d %B %Y at %H:%M} UTC; this one has not "
        "been used since.",
    )
