"""When thresholds are reached: by UTC calendar dates, whatever the year does and wherever the server stands."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as site_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from connect.expiry.thresholds import first_after, passed, thresholds_of
from connect.lifecycle import days_left

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  naive bounds are asked for


def reached_on(not_after: datetime, days: int) -> str:
    (at,) = [threshold.at for threshold in thresholds_of(not_after) if threshold.days == days]
    assert (at.hour, at.minute, at.second, at.microsecond, at.utcoffset()) == (0, 0, 0, 0, timedelta(0))
    return f"{at:%Y-%m-%d}"


@pytest.mark.parametrize(
    ("end", "days", "day"),
    [
        ("2028-02-29T12:00:00+00:00", 0, "2028-02-29"),
        ("2028-02-29T12:00:00+00:00", -7, "2028-03-07"),
        ("2028-03-01T00:00:00+00:00", 1, "2028-02-29"),
        ("2028-03-30T23:59:59+00:00", 30, "2028-02-29"),
        ("2027-03-01T00:00:00+00:00", 1, "2027-02-28"),
        ("2027-03-30T08:00:00+00:00", 30, "2027-02-28"),
        ("2027-02-28T08:00:00+00:00", -7, "2027-03-07"),
        ("2100-03-01T08:00:00+00:00", 1, "2100-02-28"),
        ("2027-12-31T23:59:59+00:00", 0, "2027-12-31"),
        ("2027-12-31T23:59:59+00:00", -7, "2028-01-07"),
        ("2028-01-01T00:00:00+00:00", 1, "2027-12-31"),
        ("2028-01-01T00:00:00+00:00", 90, "2027-10-03"),
        # The day begins in UTC, whatever offset the moment is written with.
        ("2027-07-01T01:30:00+05:30", 1, "2027-06-29"),
        ("2027-06-30T23:30:00-08:00", 1, "2027-06-30"),
    ],
)
def test_a_threshold_is_reached_at_midnight_utc(end: str, days: int, day: str) -> None:
    assert reached_on(datetime.fromisoformat(end), days) == day


@pytest.fixture(params=["America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server, and a visitor, in another time zone."""
    name: str = request.param
    monkeypatch.setenv("TZ", name)
    time.tzset()
    with timezone.override(name):
        yield name
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("change", ["2027-03-14", "2027-03-28", "2027-10-31", "2027-11-07", "2027-04-04"])
def test_summer_time_and_the_servers_place_change_nothing(change: str) -> None:
    end = datetime.fromisoformat(f"{change}T02:30:00+00:00")
    assert os.environ["TZ"] != "UTC"
    for days in site_settings.NOTICE_THRESHOLD_DAYS:
        expected = datetime.fromisoformat(f"{change}T00:00:00+00:00") - timedelta(days=days)
        assert reached_on(end, days) == f"{expected:%Y-%m-%d}"
        assert passed(end, since=expected, now=expected)[0].days == days
        assert not passed(end, since=expected - timedelta(hours=1), now=expected - timedelta(microseconds=1))


@given(MOMENTS)
def test_a_threshold_is_reached_when_so_many_days_are_left(end: datetime) -> None:
    found = thresholds_of(end)
    assert [threshold.days for threshold in found] == sorted(site_settings.NOTICE_THRESHOLD_DAYS, reverse=True)
    for threshold in found:
        assert days_left(end, now=threshold.at) == threshold.days
        assert days_left(end, now=threshold.at - timedelta(microseconds=1)) == threshold.days + 1


@given(MOMENTS, st.lists(st.timedeltas(timedelta(days=-120), timedelta(days=30)), min_size=1, max_size=12))
def test_however_often_one_looks_each_threshold_passes_once(end: datetime, offsets: list[timedelta]) -> None:
    due: datetime | None = first_after(end, end - timedelta(days=200))
    seen: list[int] = []
    for now in sorted(end + offset for offset in offsets):
        if due is not None and due <= now:
            seen += [threshold.days for threshold in passed(end, since=due, now=now)]
            due = first_after(end, now)
    last = max(end + offset for offset in offsets)
    assert seen == [threshold.days for threshold in thresholds_of(end) if threshold.at <= last]


def test_other_thresholds_count_at_once(settings: Settings) -> None:
    end = datetime(2027, 6, 1, 12, tzinfo=UTC)
    assert first_after(end, end - timedelta(days=20)) == datetime(2027, 5, 18, tzinfo=UTC)
    settings.NOTICE_THRESHOLD_DAYS = (5, 45)
    assert [threshold.days for threshold in thresholds_of(end)] == [45, 5]
    assert first_after(end, end - timedelta(days=20)) == datetime(2027, 5, 27, tzinfo=UTC)
