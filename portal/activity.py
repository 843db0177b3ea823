"""The audit log of a project, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import Http404

from audit.models import AuditEvent
from portal.models import CredentialMethod, Environment, Project

EVENTS_ON_PAGE = 50

# What an action did, in words. {label} is the object's own name; the other names are values after the change, or
# before it where nothing is left.
_SENTENCES = {
    "project.created": "Created the project {label}",
    "project.deleted": "Deleted the project {label}",
    "member.invited": "Invited {member} as {role}",
    "member.role-changed": "Made {member} {role}",
    "member.removed": "Took {member} ({role}) off the team",
    "credential.added": "Added the certificate {label} to {environment}",
    "credential.keystore-saved": "Noted that the keystore of {label} is saved",
    "credential.revoked": "Revoked the certificate {label}",
    "credential.use-ended": "Ended the use of the certificate {label}",
}
# Names of values whose key does not read well by itself.
_NAMES = {
    "method": "Added by",
    "serial": "Serial number",
    "fingerprint": "Certificate SHA-256",
    "not_after": "Expires",
    "ended": "Certificates ended",
}
# Said by the sentence already, or on the certificate's own page.
_SAID = {
    "project.created": {"name"},
    "project.deleted": {"name"},
    "member.invited": {"member", "role"},
    "member.role-changed": {"member"},
    "member.removed": {"member", "role"},
    "credential.added": {"environment", "fingerprint"},
    "credential.keystore-saved": {"keystore_saved"},
    "credential.revoked": {"live"},
    "credential.use-ended": {"live"},
}


@dataclass(frozen=True, slots=True)
class Change:
    """One value that an event set. ``before`` is empty where there was none. ``kind``: text, time or hex."""

    name: str
    before: object
    after: object
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as the page shows it."""

    event: AuditEvent
    sentence: str
    changes: tuple[Change, ...]


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


def entry(event: AuditEvent) -> Entry:
    """An event in words. An action without words of its own is shown by its name."""
    values = {"label": event.object_label, **_in_words(event.before), **_in_words(event.after)}
    pattern = _SENTENCES.get(event.action, "")
    try:
        sentence = pattern.format_map(values)
    except KeyError:
        sentence = ""
    return Entry(
        event=event,
        sentence=sentence or f"{event.action} {event.object_label}",
        changes=tuple(_changes(event, said=_SAID.get(event.action, set()) if sentence else set())),
    )


def _event(project: Project, reference: str) -> AuditEvent:
    try:
        event = AuditEvent.objects.filter(project=str(project.pk), reference=UUID(reference)).first()
    except ValueError:
        event = None
    if event is None:
        raise Http404
    return event


def _changes(event: AuditEvent, *, said: set[str]) -> list[Change]:
    changes = []
    for name in dict.fromkeys([*event.before, *event.after]):
        before, after = _in_words(event.before).get(name, ""), _in_words(event.after).get(name, "")
        if name in said or before == after == "":
            continue
        if name == "not_after":
            changes.append(Change(_NAMES[name], _moment(before), _moment(after), kind="time"))
            continue
        kind = "hex" if name in ("serial", "fingerprint") else "text"
        changes.append(Change(_NAMES.get(name, name.replace("_", " ").capitalize()), before, after, kind=kind))
    return changes


def _in_words(values: Mapping[str, object]) -> dict[str, str]:
    return {name: _word(name, value) for name, value in values.items()}


def _word(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if name == "environment" and text in Environment.values:
        return Environment(text).label
    if name == "method" and text in CredentialMethod.values:
        return CredentialMethod(text).label
    return text


def _moment(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text
