"""Write to the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.insertion import insert, new_row
from audit.models import AuditEvent

JsonScalar = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person by e-mail address, or a part of the system by name, and the IP address where there is one."""

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class AuditedObject:
    """What is acted on, in words that stay true after it is gone.

    ``clock_ahead`` is how far its company's own clock is ahead of real time.
    """

    type: str
    id: str
    label: str
    company: str = ""
    project: str = ""
    clock_ahead: timedelta = timedelta(0)


SYSTEM = Actor(name="system")


def record(
    action: str,
    *,
    actor: Actor,
    on: AuditedObject,
    now: datetime,
    before: Mapping[str, JsonScalar] | None = None,
    after: Mapping[str, JsonScalar] | None = None,
) -> AuditEvent:
    """Insert one event. Call it inside the transaction that makes the change, so that both are kept or neither."""
    event = new_row(
        AuditEvent,
        at=now,
        company_at=now + on.clock_ahead if on.clock_ahead else None,
        actor=actor.name[:254],
        address=actor.address,
        action=action,
        object_type=on.type,
        object_id=on.id,
        object_label=on.label[:254],
        company=on.company,
        project=on.project,
        before=dict(before or {}),
        after=dict(after or {}),
    )
    return insert(event)
