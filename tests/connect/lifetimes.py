"""Lifetimes of certificates that are nowhere stored, for rules that are plain Python."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from connect.expiry.sources import Lifetime
from connect.models import Company

_numbers = itertools.count(1)


def day(text: str) -> datetime:
    """Midnight UTC of a day such as 2027-01-31, or a moment such as 2027-01-31T12:00."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make_lifetime(name: str = "", **fields: Any) -> Lifetime:
    """A certificate in Sandbox that ends in 100 days, unless told otherwise."""
    number = next(_numbers)
    begins_at = fields.get("begins_at", datetime.now(UTC) - timedelta(days=200))
    values: dict[str, Any] = {
        "source": "portal",
        "key": UUID(int=number),
        "company": Company(name="Acme Payments Ltd"),
        "scope": str(UUID(int=1)),
        "name": name or f"alias-{number}",
        "common_name": f"{number}-Client-MTF-123456",
        "serial": f"{number:x}",
        "fingerprint": f"{number:064x}",
        "issuer": "Developers CA",
        "environment": "Sandbox",
        "place": "Checkout API",
        "begins_at": begins_at,
        "expires_at": datetime.now(UTC) + timedelta(days=100),
        "since": begins_at,
        "url": f"/certificates/{number}/",
        "act_label": f"Rotate {name}",
        "act_url": f"/certificates/{number}/rotate/",
    }
    return Lifetime(**{**values, **fields})


def succeeded(older: Lifetime, newer: Lifetime) -> Lifetime:
    """The older one as it is once the newer one has taken over."""
    return replace(
        older,
        successor=newer.name,
        successor_key=newer.key,
        successor_since=newer.since,
        successor_expires_at=newer.expires_at,
    )
