"""The audit log of a project, in words."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import Http404

from audit.models import AuditEvent
from connect.activity import Entry, Wording
from portal.models import CredentialMethod, Environment, Project

EVENTS_ON_PAGE = 50

_WORDING = Wording(
    sentences={
        "project.created": "Created the project {label}",
        "project.deleted": "Deleted the project {label}",
        "member.invited": "Invited {member} as {role}",
        "member.role-changed": "Made {member} {role}",
        "member.removed": "Took {member} ({role}) off the team",
        "production-access.requested": "Requested production access",
        "production-access.approved": "Approved the request for production access",
        "production-access.refused": "Refused the request for production access",
        "notice.tried-again": "Tried again to send “{subject}”",
        "credential.added": "Added the certificate {label} to {environment}",
        "credential.keystore-saved": "Noted that the keystore of {label} is saved",
        "credential.revoked": "Revoked the certificate {label}",
        "credential.use-ended": "Ended the use of the certificate {label}",
        "webhook.added": "Added the webhook {label}",
        "webhook.secret-replaced": "Replaced the secret of the webhook {label}",
        "webhook.ended": "Ended the webhook {label}",
        "credential.snoozed": "Snoozed the notices of {label} until {snoozed_until}",
        "credential.woken": "Woke up the notices of {label}",
    },
    names={
        "method": "Added by",
        "serial": "Serial number",
        "fingerprint": "Certificate SHA-256",
        "not_after": "Expires",
        "ended": "Certificates ended",
    },
    said={
        "project.created": {"name"},
        "project.deleted": {"name"},
        "member.invited": {"member", "role"},
        "member.role-changed": {"member"},
        "member.removed": {"member", "role"},
        "notice.tried-again": {"subject", "failed"},
        "credential.added": {"environment", "fingerprint"},
        "credential.keystore-saved": {"keystore_saved"},
        "credential.revoked": {"live"},
        "credential.use-ended": {"live"},
        "webhook.added": {"host"},
        "credential.snoozed": {"snoozed_until"},
        "credential.woken": {"snoozed_until"},
    },
    choices={"environment": Environment, "method": CredentialMethod},
)
entry = _WORDING.entry


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """Some events, newest first. ``older`` names the last of them where there are more."""

    entries: tuple[Entry, ...]
    older: UUID | None


def page_of(project: Project, *, before: str = "") -> ActivityPage:
    """The newest events of a project, or those older than the one with the reference ``before``.

    Raises 404 where the project has no such event.
    """
    events = AuditEvent.objects.filter(project=str(project.pk)).order_by("-id")
    if before:
        events = events.filter(pk__lt=_event(project, before).pk)
    found = list(events[: EVENTS_ON_PAGE + 1])
    shown = found[:EVENTS_ON_PAGE]
    return ActivityPage(
        entries=tuple(entry(event) for event in shown), older=shown[-1].reference if len(found) > len(shown) else None
    )


def _event(project: Project, reference: str) -> AuditEvent:
    try:
        event = AuditEvent.objects.filter(project=str(project.pk), reference=UUID(reference)).first()
    except ValueError:
        event = None
    if event is None:
        raise Http404
    return event
