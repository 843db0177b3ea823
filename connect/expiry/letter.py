"""What the mail about a certificate's end says, as its templates read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from connect.certificate_facts import Fact, day_in_words, fact, identity, in_words
from connect.expiry.snooze import snooze_url
from connect.expiry.sources import Lifetime, source_of
from connect.expiry.thresholds import thresholds_of
from connect.lifecycle import days_left
from connect.text import one_line

NEVER_SEEN = "Never seen at this site’s mTLS endpoint"
_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Clocks:
    """A company's clock that is ahead, and the real one."""

    company: str
    real: str


def context_of(lifetime: Lifetime, *, address: str, is_over: bool, real: datetime, now: datetime) -> dict[str, object]:
    """Everything that the templates of an expiry mail need. ``now`` is of the company's time, ``real`` is not.

    Where both are the same the mail tells of one clock, even if the company's was moved since the notice was stored.
    """
    upcoming = next_notice(lifetime, now=now)
    source = source_of(lifetime)
    last_used = _last_used(lifetime, is_ahead=now != real)
    return {
        "name": _line(lifetime.name),
        "environment": _line(lifetime.environment),
        "place": _line(lifetime.place),
        "ends_at": in_words(lifetime.expires_at),
        "end_day": day_in_words(lifetime.expires_at),
        "is_over": is_over,
        "days": days_left(lifetime.expires_at, now=now),
        "successor": _line(lifetime.successor),
        "successor_has_expired": successor_has_expired(lifetime, now=now),
        "successor_since": in_words(lifetime.successor_since) if lifetime.successor_since else "",
        "last_used": last_used,
        "action": _line(lifetime.at(now).act_label),
        "facts": list(_facts(lifetime, source.place_label, last_used=last_used, is_over=is_over, now=now)),
        "clocks": Clocks(in_words(now), in_words(real)) if now != real else None,
        "next_notice": upcoming,
        "snooze_url": snooze_url(lifetime, address) if upcoming else "",
        "why": source.told_because.format(place=_line(lifetime.place), company=_line(lifetime.company.name)),
    }


def successor_has_expired(lifetime: Lifetime, *, now: datetime) -> bool:
    """Whether what replaces it has ended before ``now``, of the company's time, so that nothing can take over."""
    return lifetime.successor_expires_at is not None and lifetime.successor_expires_at < now


def next_notice(lifetime: Lifetime, *, now: datetime) -> str:
    """When the next notice about this certificate comes, as a sentence; empty after the last."""
    later = next((threshold for threshold in thresholds_of(lifetime.expires_at) if threshold.at > now), None)
    if later is None:
        return ""
    return f"The next notice comes on {day_in_words(later.at)}, {_before(later.days)}."


def _before(days: int) -> str:
    if days == 0:
        return "the day on which it expires"
    unit = "day" if abs(days) == 1 else "days"
    return f"{days} {unit} before it expires" if days > 0 else f"{-days} {unit} after it has expired"


def _facts(lifetime: Lifetime, place_label: str, *, last_used: str, is_over: bool, now: datetime) -> Iterator[Fact]:
    yield fact("Certificate", lifetime.name)
    yield fact(place_label, lifetime.place)
    yield fact("Environment", lifetime.environment)
    yield from identity(
        common_name=lifetime.common_name,
        serial=lifetime.serial,
        fingerprint=lifetime.fingerprint,
        issuer=lifetime.issuer,
    )
    yield Fact("Expired" if is_over else "Expires", in_words(lifetime.expires_at))
    yield Fact("Last used", last_used or NEVER_SEEN)
    yield Fact("Successor", _successor(lifetime, now=now))


def _successor(lifetime: Lifetime, *, now: datetime) -> str:
    if not lifetime.successor or lifetime.successor_since is None:
        return "None"
    since = in_words(lifetime.successor_since)
    state = "expired" if successor_has_expired(lifetime, now=now) else f"live since {since}"
    return f"{_line(lifetime.successor)}, {state}"


def _last_used(lifetime: Lifetime, *, is_ahead: bool) -> str:
    """Where and when, in real time: the endpoint sees real calls. Empty where it has seen none."""
    if lifetime.last_used_at is None:
        return ""
    clock = " (real time)" if is_ahead else ""
    return f"{in_words(lifetime.last_used_at)} at this site’s mTLS endpoint{clock}"


def _line(text: str) -> str:
    return one_line(text, at_most=_LENGTH)
