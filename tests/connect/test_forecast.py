"""Which notices are still to come: by the thresholds, less what is judged, snoozed or silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from connect.expiry.forecast import Alike, forecast, in_words, outline
from connect.expiry.sources import Lifetime
from connect.expiry.thresholds import first_after, thresholds_of
from tests.connect.lifetimes import day, make_lifetime, succeeded

NOW = day("2027-01-04T12:00")
LATER = day("2028-02-04T12:00")
ALL = [90, 60, 30, 14, 7, 3, 1, 0, -7]


def lifetime(expires: str = "2027-06-30T10:00", **fields: Any) -> Lifetime:
    """A certificate whose thresholds until ``NOW`` are judged."""
    end = day(expires)
    return make_lifetime(**{"expires_at": end, "next_notice_at": first_after(end, NOW), **fields})


def told(*lifetimes: Lifetime, now: datetime = NOW, until: datetime = LATER) -> list[tuple[int, date]]:
    return [(coming.threshold, coming.at.date()) for coming in forecast(lifetimes, now=now, until=until)]


def test_every_threshold_of_the_settings_comes_on_its_day() -> None:
    assert told(lifetime()) == [
        (90, date(2027, 4, 1)),
        (60, date(2027, 5, 1)),
        (30, date(2027, 5, 31)),
        (14, date(2027, 6, 16)),
        (7, date(2027, 6, 23)),
        (3, date(2027, 6, 27)),
        (1, date(2027, 6, 29)),
        (0, date(2027, 6, 30)),
        (-7, date(2027, 7, 7)),
    ]


def test_the_settings_say_which(settings: Settings) -> None:
    settings.NOTICE_THRESHOLD_DAYS = (10, -2)
    assert told(lifetime()) == [(10, date(2027, 6, 20)), (-2, date(2027, 7, 2))]


def test_what_is_judged_comes_no_more() -> None:
    half_way = lifetime(expires="2027-01-20T10:00")
    assert [days for days, _ in told(half_way)] == [14, 7, 3, 1, 0, -7]
    assert told(lifetime(next_notice_at=None)) == []


def test_of_what_was_not_judged_yet_only_the_nearest_comes() -> None:
    missed = lifetime(expires="2027-01-08T10:00", next_notice_at=day("2026-12-25"))
    assert told(missed)[:2] == [(7, date(2027, 1, 1)), (3, date(2027, 1, 5))]


def test_both_ends_are_included() -> None:
    certificate = lifetime()
    first, second = day("2027-04-01"), day("2027-05-01")
    assert told(certificate, now=first, until=second) == [(90, first.date()), (60, second.date())]
    moment = timedelta(microseconds=1)
    assert told(certificate, now=first, until=second - moment) == [(90, first.date())]


def test_a_snooze_silences_what_falls_before_its_day() -> None:
    assert [days for days, _ in told(lifetime(snoozed_until=date(2027, 5, 31)))] == [30, 14, 7, 3, 1, 0, -7]
    assert [days for days, _ in told(lifetime(snoozed_until=date(2027, 6, 1)))] == [14, 7, 3, 1, 0, -7]
    assert told(lifetime(snoozed_until=date(2027, 12, 1))) == []


def test_what_is_overdue_would_go_out_today_and_is_snoozed_today() -> None:
    overdue = lifetime(expires="2027-01-08T10:00", next_notice_at=day("2027-01-01"), snoozed_until=date(2027, 1, 3))
    assert told(overdue)[0] == (7, date(2027, 1, 1)), "the silence has ended before the scan comes to it"
    still = lifetime(expires="2027-01-08T10:00", next_notice_at=day("2027-01-01"), snoozed_until=date(2027, 1, 5))
    assert told(still)[0] == (3, date(2027, 1, 5))


def test_one_that_is_replaced_and_unused_is_silent_and_one_in_use_is_not() -> None:
    newer = lifetime(expires="2028-01-30T10:00", since=day("2027-01-01"))
    older = succeeded(lifetime(), newer)
    assert told(older) == []
    assert told(succeeded(lifetime(), replace(newer, expires_at=day("2026-12-31")))) == told(lifetime())
    used = succeeded(lifetime(last_used_at=day("2027-01-02")), newer)
    assert len(told(used)) == len(ALL)


def test_those_of_several_come_in_the_order_of_time() -> None:
    found = told(lifetime(), lifetime(expires="2027-06-10T10:00"), lifetime(expires="2027-08-01T10:00"))
    assert [at for _, at in found] == sorted(at for _, at in found)
    assert len(found) == 27


@pytest.mark.parametrize(
    ("expires", "first"),
    [
        ("2028-02-29T23:59", date(2027, 12, 1)),
        ("2027-02-28T00:00", date(2027, 1, 29)),
        ("2027-12-31T23:59", date(2027, 10, 2)),
        ("2027-03-28T01:30", date(2027, 1, 27)),
    ],
    ids=["leap-day", "28-days", "last-day-of-the-year", "clocks-go-forward"],
)
def test_days_are_calendar_dates(expires: str, first: date) -> None:
    found = told(lifetime(expires=expires), until=day("2028-12-31"))
    assert found[0][1] == first
    assert (0, day(expires).date()) in found


def group(expires: str, number: int, **fields: Any) -> Alike:
    end = day(expires)
    values: dict[str, Any] = {"next_notice_at": first_after(end, NOW), "snoozed_until": None, **fields}
    return Alike(end.date(), number=number, **values)


def test_months_are_counted_for_all_that_are_alike() -> None:
    found = outline([group("2027-06-30", 3), group("2027-07-15", 2)], now=NOW, until=LATER)
    counts = {f"{month.first:%Y-%m}": month.notices for month in found.months}
    assert counts["2027-04"] == 3 + 2
    assert counts["2027-05"] == 3 + 3 + 2
    assert counts["2027-06"] == 5 * 3 + 2
    assert counts["2027-07"] == 3 + 2 * 6
    assert counts["2027-08"] == 0
    assert (found.notices, found.certificates) == (9 * 5, 5)


def test_there_is_a_month_for_each_that_the_time_touches() -> None:
    months = [month.first for month in outline([], now=NOW, until=LATER).months]
    assert (months[0], months[-1], len(months)) == (date(2027, 1, 1), date(2028, 2, 1), 14)
    at_the_end = outline([], now=day("2027-01-31T23:59"), until=day("2027-03-01")).months
    assert [month.first.month for month in at_the_end] == [1, 2, 3]


def test_what_is_overdue_counts_in_this_month() -> None:
    overdue = group("2027-01-05", 4, next_notice_at=day("2026-12-29"))
    counts = [month.notices for month in outline([overdue], now=NOW, until=LATER).months]
    assert counts[0] == 4 * 3, "the nearest of those that passed, the day itself, and a week after"


def test_a_certificate_of_which_nothing_comes_is_not_counted() -> None:
    quiet = [group("2027-06-30", 2, next_notice_at=None), group("2027-06-30", 2, snoozed_until=date(2028, 1, 1))]
    assert outline(quiet, now=NOW, until=LATER).certificates == 0


@given(
    end=st.integers(0, 500 * 24 * 60).map(lambda minutes: day("2026-10-01") + timedelta(minutes=minutes)),
    snoozed_until=st.none() | st.dates(date(2026, 12, 1), date(2028, 1, 1)),
    judged=st.integers(0, 9),
)
def test_the_numbers_are_those_of_the_list(end: datetime, snoozed_until: date | None, judged: int) -> None:
    moments = [threshold.at for threshold in thresholds_of(end)]
    next_notice_at = moments[judged] if judged < len(moments) else None
    one = make_lifetime(expires_at=end, next_notice_at=next_notice_at, snoozed_until=snoozed_until)
    listed = forecast([one], now=NOW, until=LATER)
    counted = outline([Alike(end.date(), next_notice_at, snoozed_until, 1)], now=NOW, until=LATER)
    assert counted.notices == len(listed)
    assert counted.certificates == bool(listed)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (90, "90 days before expiry"),
        (1, "1 day before expiry"),
        (0, "On the day of expiry"),
        (-1, "1 day after expiry"),
        (-7, "7 days after expiry"),
    ],
)
def test_thresholds_in_words(days: int, words: str) -> None:
    assert in_words(days) == words
