"""A person's calendar of what will end: one event for each certificate, as iCalendar (RFC 5545).

An event stands at the real moment of the certificate's end, wherever the company's clock is. It has an alarm at 30, 7
and 1 days before, but for certificates that are replaced and unused, and for the days on which one is snoozed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from icalendar import Alarm, Calendar, Event

from connect.clock import company_time, is_ahead
from connect.expiry.sources import Lifetime, sources
from connect.models import User
from connect.notices import absolute
from connect.text import one_line

ALARM_DAYS = (30, 7, 1)
# What has ended stays for a while, so that nobody wonders where it went.
KEPT_DAYS = 90
MOST_EVENTS = 500
_NAME_LENGTH = 64
_REFRESH = timedelta(hours=1)


def feed_of(user: User, *, now: datetime) -> bytes:
    """The calendar as a file. ``now`` is real time; the same certificates give the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", "-//mTLS Rehearsal//Certificates//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Certificates that expire")
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    ahead = _in_order(_lifetimes(user, ends_from=now, ends_before=None))
    if len(ahead) > MOST_EVENTS:
        calendar.add("x-wr-caldesc", f"The {MOST_EVENTS:,} certificates that expire next. There are more.")
    room = max(0, MOST_EVENTS - len(ahead))
    ended = _in_order(_lifetimes(user, ends_from=now - timedelta(days=KEPT_DAYS), ends_before=now)) if room else []
    for lifetime in [*ended[max(0, len(ended) - room) :], *ahead[:MOST_EVENTS]]:
        calendar.add_component(_event(lifetime.at(company_time(lifetime.company, now))))
    return bytes(calendar.to_ical())


def _lifetimes(user: User, *, ends_from: datetime, ends_before: datetime | None) -> Iterator[Lifetime]:
    """What this person may see today: the next to end, or where it has ended the last, and one more than fits."""
    for source in sources():
        scopes = source.scopes_of(user)
        if not scopes:
            continue
        rows = source.of_scopes(scopes).filter(**{f"{source.expiry}__gte": ends_from})
        if ends_before is not None:
            rows = rows.filter(**{f"{source.expiry}__lt": ends_before}).order_by(f"-{source.expiry}", "pk")
        yield from source.lifetimes(rows[: MOST_EVENTS + 1])


def _in_order(found: Iterable[Lifetime]) -> list[Lifetime]:
    return sorted(found, key=lambda lifetime: (lifetime.expires_at, str(lifetime.key)))


def _event(lifetime: Lifetime) -> Event:
    name = one_line(lifetime.name, at_most=_NAME_LENGTH)
    changed = max(filter(None, (lifetime.since, lifetime.successor_since)))
    event = Event()
    event.add("uid", f"{lifetime.source}-{lifetime.key}@{urlsplit(settings.SITE_URL).hostname or 'localhost'}")
    event.add("dtstamp", _whole(changed))
    event.add("last-modified", _whole(changed))
    # The end never moves; that a successor came changes what there is to do.
    event.add("sequence", 1 if lifetime.successor else 0)
    event.add("dtstart", _whole(lifetime.expires_at))
    event.add("summary", f"{name} ({lifetime.environment}) expires{_replaced(lifetime)}")
    event.add("description", "\n".join(_description(lifetime)))
    event.add("url", absolute(lifetime.url))
    event.add("categories", ["Certificates", lifetime.environment])
    event.add("transp", "TRANSPARENT")
    for alarm in _alarms(lifetime, name):
        event.add_component(alarm)
    return event


def _description(lifetime: Lifetime) -> Iterator[str]:
    yield f"Common name: {_plain(lifetime.common_name)}"
    yield f"Serial number: {lifetime.serial.upper()}"
    yield f"Issuer: {_plain(lifetime.issuer)}"
    yield f"Where: {_plain(lifetime.place)}, {lifetime.environment}"
    yield f"Successor: {_plain(lifetime.successor) or 'none'}"
    if lifetime.snoozed_until is not None:
        yield f"Snoozed until {_day(lifetime.snoozed_until)}"
    company = lifetime.company
    if is_ahead(company):
        days = round(company.clock_ahead / timedelta(days=1))
        yield (
            f"The clock of {_plain(company.name)} is {days} day{'' if days == 1 else 's'} ahead of this calendar: "
            f"there it ends when the calendar shows {_moment(lifetime.expires_at - company.clock_ahead)}."
        )
    yield f"{_plain(lifetime.act_label)}: {absolute(lifetime.act_url)}"


def _alarms(lifetime: Lifetime, name: str) -> Iterator[Alarm]:
    if lifetime.is_replaced_and_unused:
        return
    for days in ALARM_DAYS:
        before = timedelta(days=days)
        if lifetime.is_snoozed(company_time(lifetime.company, lifetime.expires_at - before)):
            continue
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", f"{name} ({lifetime.environment}) expires in {days} day{'' if days == 1 else 's'}")
        alarm.add("trigger", -before)
        yield alarm


def _replaced(lifetime: Lifetime) -> str:
    return f", replaced by {_plain(lifetime.successor)}" if lifetime.successor else ", and nothing replaces it"


def _plain(text: str) -> str:
    return one_line(text, at_most=200)


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _moment(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    return f"{_day(moment.date())}, {moment:%H:%M} UTC"
