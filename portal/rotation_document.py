"""The rotation report as JSON for a change ticket. ``docs/rotation-report.md`` describes it.

Keys stay as they are within one ``version``; new ones may come. Times are ISO 8601 in UTC, to the second.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from portal.credentials import Row
from portal.rotation_report import Report, Source, Total
from portal.rotation_verdict import Side

VERSION: Final = 1


def document_of(report: Report, *, link: str) -> dict[str, Any]:
    """Everything that the page says. ``link`` is the page's address."""
    verdict, change, credential = report.verdict, report.change, report.pair.old.credential
    return {
        "version": VERSION,
        "kind": "rotation-report",
        "writtenAt": _at(report.now),
        "companyTime": _at(report.company_now),
        "link": link,
        "project": {"id": str(credential.project_id), "name": credential.project.name},
        "environment": credential.environment,
        "verdict": {
            "code": verdict.code.value,
            "safe": verdict.is_safe,
            "text": verdict.title,
            "detail": verdict.text,
            "safeAt": _at(verdict.safe_at),
        },
        "change": {
            "kind": change.kind.value,
            "beginsAt": _at(change.begins_at),
            "endsAt": _at(change.ends_at),
            "seconds": int(change.duration.total_seconds()),
            "refused": change.refused,
            "text": change.text,
        },
        "old": _side(report.pair.old, report.old, report.old_total),
        "new": _side(report.pair.new, report.new, report.new_total),
        "refusedSinceNewWasAdded": {"old": report.old_since.refused, "new": report.new_since.refused},
        "last24Hours": {"old": _total(report.old_day), "new": _total(report.new_day)},
        "sourcesOfOldSinceChange": [_source(source) for source in report.sources],
        "sourcesNotSeenWithNew": list(report.unseen),
    }


def _side(row: Row, side: Side, total: Total) -> dict[str, Any]:
    certificate = row.certificate
    return {
        "id": str(row.credential.pk),
        "alias": row.credential.alias,
        "commonName": certificate.common_name,
        "serial": certificate.serial,
        "sha256": certificate.fingerprint,
        "status": row.status.value,
        "notBefore": _at(certificate.not_before),
        "notAfter": _at(certificate.not_after),
        "daysLeft": row.days_left,
        "addedAt": _at(row.credential.created_at),
        "endedAt": _at(row.credential.ended_at),
        "endReason": row.credential.end_reason or None,
        "firstUsedAt": _at(side.seen.first_at),
        "lastUsedAt": _at(side.seen.last_at),
        "lastHour": {
            "accepted": side.seen.calls,
            "refused": side.seen.refused,
            "addresses": list(side.seen.addresses),
            "refusedFrom": list(side.seen.refused_from),
        },
        "last90Days": _total(total),
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "address": source.address,
        "lastAcceptedAt": _at(source.last_at),
        "accepted": source.accepted,
        "refused": source.refused,
        "lastAcceptedWithNewAt": _at(source.with_new_at),
        "hasMoved": source.has_moved,
    }


def _total(total: Total) -> dict[str, int]:
    return {"accepted": total.accepted, "refused": total.refused}


def _at(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment is not None else None
