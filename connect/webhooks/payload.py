"""What a message to a webhook says (docs/webhooks.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from django.conf import settings

from connect.clock import company_time
from connect.lifecycle import days_left
from connect.models import Company

if TYPE_CHECKING:  # It imports `connect.notices`, which queues.
    from connect.expiry.sources import Lifetime

JSON: TypeAlias = "str | int | float | bool | Mapping[str, JSON] | Sequence[JSON] | None"

BODY_BYTES = 64 * 1024
_TEXT_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """Something that happened in a ``scope``: a project's public id, or the company's for KMP.

    ``event`` names it once in the life of the site (at most 200 characters); ``kind`` is the notice's. ``text`` may be
    empty, ``link`` is a path on this site. ``data`` joins the message, and cannot replace what is the message's own.
    ``now`` is the real moment.
    """

    scope: str
    company: Company
    event: str
    kind: str
    subject: str
    text: str
    link: str
    data: Mapping[str, JSON] = field(default_factory=dict)
    now: datetime


def body_of(event: WebhookEvent, message_id: UUID) -> str:
    """The message as it is signed and sent: JSON in ASCII, at most 64 KiB.

    A text of more than 8,000 characters is cut. Where that is not enough, text and data are left out, and
    ``shortened`` says so.
    """
    company = event.company
    message: dict[str, JSON] = {
        "id": str(message_id),
        "type": event.kind,
        "event": event.event,
        "occurred_at": moment(event.now),
        "company_time": moment(company_time(company, event.now)),
        "company": {"id": str(company.pk), "name": company.name, "cid": company.cid},
        "scope": event.scope,
        "subject": event.subject,
        "text": event.text[:_TEXT_CHARACTERS],
        "link": f"{settings.SITE_URL}{event.link}",
    }
    whole = json.dumps({**message, **event.data, **message})  # The message's own keys come first, and win.
    if len(whole) <= BODY_BYTES:
        return whole
    return json.dumps({**message, "text": "", "shortened": True})


def certificate_facts(lifetime: Lifetime, *, now: datetime) -> dict[str, JSON]:
    """The certificate as messages name it, under ``certificate``; days are counted at ``now`` of the company's time."""
    return {
        "name": lifetime.name,
        "common_name": lifetime.common_name,
        "serial": lifetime.serial,
        "fingerprint": lifetime.fingerprint,
        "issuer": lifetime.issuer,
        "environment": lifetime.environment,
        "place": lifetime.place,
        "expires_at": moment(lifetime.expires_at),
        "days_left": days_left(lifetime.expires_at, now=now),
        "successor": lifetime.at(now).successor or None,
    }


def moment(at: datetime) -> str:
    """A moment as RFC 3339 writes it, in UTC and whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
