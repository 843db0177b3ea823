"""The weekly digest: one mail with everything that ends in the next 90 days, to who has asked for it.

Here is what it tells; ``connect.expiry.digest_run`` sends it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.db.models import DateTimeField, ExpressionWrapper, F, Value
from django.urls import reverse

from connect.clock import company_time, is_ahead
from connect.expiry.letter import successor_has_expired
from connect.expiry.sources import Lifetime, Source, sources
from connect.lifecycle import days_left
from connect.models import User
from connect.notices import absolute
from connect.text import one_line

KIND = "connect.digest"
DUE_DAYS = 90
# Expired ones stay in it for so many days, as long as they are neither revoked nor replaced.
EXPIRED_DAYS = 7
LISTED = 200
_READ = 1000  # Of each portal, so that no worker holds more in its memory.
_SALT = "connect.digest"
_LONGEST_TOKEN = 200
_NAME_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Item:
    """A certificate in the digest, and how it stands by the time of its company."""

    lifetime: Lifetime
    days_left: int
    is_snoozed: bool
    is_over: bool = False
    successor_has_expired: bool = False

    @property
    def name(self) -> str:
        """Alias or reference, and the environment."""
        return f"{_plain(self.lifetime.name)} ({_plain(self.lifetime.environment)})"

    @property
    def where(self) -> str:
        """Project or application, and the common name."""
        return f"{_plain(self.lifetime.place)}, {_plain(self.lifetime.common_name)}"

    @property
    def successor(self) -> str:
        """Alias or reference of what replaces it; empty where nothing does."""
        return _plain(self.lifetime.successor)

    @property
    def action(self) -> str:
        """The one next step in words."""
        return _plain((self.successor_has_expired and self.lifetime.renew_label) or self.lifetime.act_label)

    @property
    def expires(self) -> str:
        """When it ends: ``expires in 5 days``, ``expires today``, ``expired today``, ``expired 2 days ago``."""
        count = "1 day" if abs(self.days_left) == 1 else f"{abs(self.days_left)} days"
        if self.days_left < 0:
            return f"expired {count} ago"
        if self.is_over:
            return "expired today"
        return f"expires in {count}" if self.days_left else "expires today"

    @property
    def link(self) -> str:
        """The address of the one next step."""
        return absolute((self.successor_has_expired and self.lifetime.renew_url) or self.lifetime.act_url)


def items_for(user: User, *, now: datetime) -> list[Item]:
    """What the digest of this person tells, the next to end first. ``now`` is real time.

    Certificates of every scope that the person may see today; those that are replaced and unused are silent.
    """
    found = [item for source in sources() for item in _items(source, user, now=now)]
    return sorted(found, key=lambda item: (item.lifetime.expires_at, item.lifetime.name))


def context_of(items: Sequence[Item], user: User, *, now: datetime) -> dict[str, object]:
    """What the templates of the mail show."""
    told = [item for item in items if not item.is_snoozed]
    ahead = is_ahead(user.company)
    return {
        "subject_line": _subject(told),
        "items": told[:LISTED],
        "more": max(0, len(told) - LISTED),
        "count": len(told),
        "snoozed": [item for item in items if item.is_snoozed][:LISTED],
        "days": DUE_DAYS,
        "first": told[0] if told else None,
        "unsubscribe_url": absolute(unsubscribe_path(user)),
        "settings_url": absolute(reverse("connect:notice_settings")),
        "company_now": company_time(user.company, now) if ahead else None,
        "now": now,
    }


def unsubscribe_path(user: User) -> str:
    """The path that ends this person's digest without signing in (RFC 8058). It ages never, and opens nothing else."""
    return reverse("connect:digest_unsubscribe", args=[token_of(user)])


def token_of(user: User) -> str:
    """What the link holds: whose digest it is, signed; each time the same."""
    return signing.Signer(salt=_SALT).sign_object(str(user.pk))


def reader_of(token: str) -> User | None:
    """Whose digest the link of a mail is about; nobody's where it was not made here."""
    if len(token) > _LONGEST_TOKEN:
        return None
    try:
        key = uuid.UUID(signing.Signer(salt=_SALT).unsign_object(token))
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        return None
    return User.objects.filter(pk=key).select_related("company").first()


def _subject(told: Sequence[Item]) -> str:
    if not told:
        return f"Weekly digest: nothing expires in the next {DUE_DAYS} days"
    first, more = told[0], len(told) - 1
    return f"Weekly digest: {first.name} {first.expires}{f', and {more} more' if more else ''}"


def _plain(text: str) -> str:
    """A name that makes no line of its own, whatever it holds."""
    return one_line(text, at_most=_NAME_LENGTH)


def _items(source: Source, user: User, *, now: datetime) -> Iterator[Item]:
    scopes = source.scopes_of(user)
    if not scopes:
        return
    shown = ExpressionWrapper(F(f"{source.company}__clock_ahead") + Value(now), DateTimeField())
    rows = source.speaking(source.of_scopes(scopes).annotate(clock_shows=shown), now=F("clock_shows"))
    # A day more at both ends: what counts are calendar dates.
    near = {
        f"{source.expiry}__gte": F("clock_shows") - timedelta(days=EXPIRED_DAYS + 1),
        f"{source.expiry}__lte": F("clock_shows") + timedelta(days=DUE_DAYS + 1),
    }
    for lifetime in source.lifetimes(rows.filter(**near)[:_READ]):
        company_now = company_time(lifetime.company, now)
        left = days_left(lifetime.expires_at, now=company_now)
        if -EXPIRED_DAYS <= left <= DUE_DAYS:
            yield Item(
                lifetime,
                left,
                is_snoozed=lifetime.is_snoozed(company_now),
                is_over=lifetime.expires_at < company_now,
                successor_has_expired=successor_has_expired(lifetime, now=company_now),
            )
