"""Where the bars, ticks, overlaps and gaps of a timeline stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.expiry.coverage import grouped
from connect.expiry.sources import Lifetime
from connect.expiry.timeline import MOST_BARS, Frame, Meaning, Timeline, timeline
from connect.lifecycle import Status
from tests.connect.lifetimes import day, make_lifetime, succeeded

NOW = day("2027-01-04T12:00")
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=2922)).map(lambda age: datetime(2024, 1, 1, tzinfo=UTC) + age)
LENGTHS = st.integers(1, 1200)


def drawn(*lifetimes: Lifetime, now: datetime = NOW) -> Timeline:
    return timeline(lifetimes, now=now)


def test_the_frame_is_the_month_before_and_fifteen_months_ahead() -> None:
    frame = Frame.around(NOW)
    assert (frame.begins_at, frame.ends_at) == (day("2026-12-01"), day("2028-04-04T12:00"))


@pytest.mark.parametrize(
    ("now", "begins_on", "ends_on"),
    [
        ("2027-03-31", "2027-02-01", "2028-06-30"),
        ("2026-11-29", "2026-10-01", "2028-02-29"),
        ("2026-12-31T23:59", "2026-11-01", "2028-03-31T23:59"),
    ],
    ids=["end of a 31-day month", "into a leap day", "last minute of the year"],
)
def test_the_frame_counts_months_of_the_calendar(now: str, begins_on: str, ends_on: str) -> None:
    frame = Frame.around(day(now))
    assert (frame.begins_at, frame.ends_at) == (day(begins_on), day(ends_on))


def test_each_month_has_its_line_and_january_its_year() -> None:
    months = drawn(make_lifetime(expires_at=day("2027-06-01"))).months
    assert [month.begins_at for month in months][:3] == [day("2026-12-01"), day("2027-01-01"), day("2027-02-01")]
    assert len(months) == 17
    assert [(month.label, month.year) for month in months if month.year] == [("Jan", "2027"), ("Jan", "2028")]
    assert [month.label for month in months if not month.is_minor] == ["Jan", "Apr", "Jul", "Oct", "Jan", ""]
    assert months[-1].begins_at == day("2028-04-01"), "there is no room for its word at the edge"


def test_a_bar_reaches_from_beginning_to_end() -> None:
    frame = Frame.around(NOW)
    (bar,) = drawn(make_lifetime(begins_at=day("2026-12-20"), expires_at=day("2027-06-01"))).bars
    whole = (frame.ends_at - frame.begins_at) / timedelta(days=1)
    assert bar.box.span.begin == pytest.approx(100 * 19 / whole)
    assert bar.box.span.end == pytest.approx(100 * (31 + 31 + 28 + 31 + 30 + 31) / whole)
    assert bar.days_left == 148


def test_what_began_before_the_frame_begins_at_its_edge() -> None:
    (bar,) = drawn(make_lifetime(begins_at=day("2020-01-01"), expires_at=day("2040-01-01"))).bars
    assert (bar.box.span.x, bar.box.span.width) == ("0.00%", "100.00%")
    assert bar.gap is None, "it lasts longer than the picture"
    assert bar.ticks == ()


def test_the_ticks_are_the_days_when_people_are_told() -> None:
    (bar,) = drawn(make_lifetime(expires_at=day("2028-03-02T08:00"))).bars
    assert [(tick.days, tick.at.date().isoformat()) for tick in bar.ticks] == [
        (90, "2027-12-03"),
        (60, "2028-01-02"),
        (30, "2028-02-01"),
        (14, "2028-02-17"),
        (7, "2028-02-24"),
        (3, "2028-02-28"),
        (1, "2028-03-01"),
        (0, "2028-03-02"),
        (-7, "2028-03-09"),
    ], "the leap day counts"
    frame = Frame.around(NOW)
    assert [tick.place for tick in bar.ticks] == [frame.at(tick.at) for tick in bar.ticks]


@pytest.mark.parametrize(
    ("expires_at", "status", "meaning"),
    [
        ("2027-06-01", Status.ACTIVE, Meaning.ACTIVE),
        ("2027-02-03T10:00", Status.EXPIRING_SOON, Meaning.EXPIRING_SOON),
        ("2027-01-04T11:59", Status.EXPIRED, Meaning.EXPIRED),
    ],
    ids=["active", "30 days left", "a minute ago"],
)
def test_a_bar_has_the_colour_of_its_status(expires_at: str, status: Status, meaning: Meaning) -> None:
    (bar,) = drawn(make_lifetime(expires_at=day(expires_at))).bars
    assert (bar.status, bar.meaning) == (status, meaning)


def test_without_a_successor_a_gap_follows_to_the_edge() -> None:
    timeline_of_one = drawn(make_lifetime("payouts", expires_at=day("2027-03-02T08:00")))
    (bar,) = timeline_of_one.bars
    assert bar.gap is not None
    assert bar.gap_box is not None
    assert bar.gap.begins_at == day("2027-03-02T08:00")
    assert bar.gap_box.span.begin == bar.box.span.end
    assert bar.gap_box.span.end == 100
    assert timeline_of_one.sentences == ("payouts: no certificate from 2 March 2027.",)


def test_a_rotation_stands_together_and_shows_its_overlap() -> None:
    new = make_lifetime("new", begins_at=day("2026-12-24"), expires_at=day("2028-01-24"))
    old = succeeded(make_lifetime("old", begins_at=day("2026-01-18"), expires_at=day("2027-01-18")), new)
    other = make_lifetime("between", expires_at=day("2027-05-01"))
    picture = drawn(new, other, old)
    assert [bar.lifetime.name for bar in picture.bars] == ["old", "new", "between"]
    assert [bar.meaning for bar in picture.bars] == [Meaning.EXPIRING_SOON, Meaning.SUCCESSOR, Meaning.ACTIVE]
    (overlap,) = picture.overlaps
    frame = picture.frame
    assert overlap.span.begin == frame.at(day("2026-12-24"))
    assert overlap.span.end == frame.at(day("2027-01-18"))
    older, newer, _ = picture.bars
    assert overlap.y < older.box.y
    assert overlap.y + overlap.height > newer.bottom
    assert older.gap is None
    assert newer.gap is not None
    assert picture.sentences[0] == "old and new overlap from 24 December 2026 to 18 January 2027."


def test_a_successor_that_came_too_late_leaves_a_gap_between() -> None:
    new = make_lifetime("new", begins_at=day("2026-12-24"), expires_at=day("2028-01-24"))
    old = succeeded(make_lifetime("old", begins_at=day("2025-12-01"), expires_at=day("2026-12-10")), new)
    picture = drawn(old, new)
    first = picture.bars[0]
    assert first.lifetime.name == "old"
    assert first.gap is not None
    assert (first.gap.begins_at, first.gap.ends_at) == (day("2026-12-10"), day("2026-12-24"))
    assert not first.gap.is_open
    assert picture.overlaps == ()
    assert "old: no certificate from 10 December 2026 to 24 December 2026." in picture.sentences


def test_a_successor_that_is_not_shown_closes_the_gap_if_it_lasts_longer() -> None:
    old = make_lifetime("old", expires_at=day("2027-03-02"))
    unseen = make_lifetime("unseen", expires_at=day("2028-01-02"))
    assert drawn(succeeded(old, unseen)).bars[0].gap is None
    ends_sooner = make_lifetime("unseen", expires_at=day("2027-03-01"))
    assert drawn(succeeded(old, ends_sooner)).bars[0].gap is not None


def test_a_successor_that_ends_first_covers_nothing() -> None:
    short = make_lifetime("short", begins_at=day("2026-12-20"), expires_at=day("2027-02-01"))
    long = succeeded(make_lifetime("long", begins_at=day("2026-06-01"), expires_at=day("2027-03-01")), short)
    gaps = {bar.lifetime.name: bar.gap for bar in drawn(long, short).bars}
    assert gaps["short"] is None
    assert gaps["long"] is not None
    assert gaps["long"].begins_at == day("2027-03-01")


def test_certificates_that_name_each_other_end_nowhere_and_are_drawn_once() -> None:
    one, two = make_lifetime("one"), make_lifetime("two")
    picture = drawn(succeeded(one, two), succeeded(two, one), now=datetime.now(UTC))
    assert sorted(bar.lifetime.name for bar in picture.bars) == ["one", "two"]


def test_the_picture_grows_with_its_bars() -> None:
    one = drawn(make_lifetime())
    two = drawn(make_lifetime(), make_lifetime())
    assert two.height > one.height
    assert max(bar.bottom for bar in two.bars) <= two.height


def test_a_name_in_another_picture_leaves_this_one_as_it_is() -> None:
    lifetime = make_lifetime(expires_at=day("2027-06-01"))
    assert drawn(lifetime).bars[0].box == drawn(replace(lifetime, name="another")).bars[0].box


@given(st.lists(st.tuples(MOMENTS, LENGTHS, st.booleans()), max_size=MOST_BARS), MOMENTS)
def test_everything_stands_inside_the_frame_and_nothing_on_top_of_another(
    pieces: list[tuple[datetime, int, bool]], now: datetime
) -> None:
    lifetimes: list[Lifetime] = []
    for begins_at, length, follows in pieces:
        new = make_lifetime(begins_at=begins_at, expires_at=begins_at + timedelta(days=length))
        if follows and lifetimes:
            lifetimes[-1] = succeeded(lifetimes[-1], new)
        lifetimes.append(new)
    picture = timeline(lifetimes, now=now)
    assert sorted(bar.lifetime.key for bar in picture.bars) == sorted(lifetime.key for lifetime in lifetimes)
    rows = [(bar.name_y - 14, bar.bottom) for bar in picture.bars]
    assert all(upper[1] <= lower[0] for upper, lower in pairwise(rows))
    spans = [bar.box.span for bar in picture.bars]
    spans += [bar.gap_box.span for bar in picture.bars if bar.gap_box is not None]
    spans += [box.span for box in picture.overlaps]
    assert all(0 <= span.begin <= span.end <= 100 for span in spans)
    assert all(0 <= tick.place <= 100 for bar in picture.bars for tick in bar.ticks)
    assert all(row[1] <= picture.height for row in rows)


@given(st.lists(st.tuples(MOMENTS, LENGTHS), min_size=1, max_size=8), MOMENTS)
def test_from_the_first_beginning_on_each_moment_is_covered_or_in_a_gap(
    pieces: list[tuple[datetime, int]], moment: datetime
) -> None:
    until = datetime(2040, 1, 1, tzinfo=UTC)
    chain = [make_lifetime(begins_at=begin, expires_at=begin + timedelta(days=length)) for begin, length in pieces]
    linked = [succeeded(older, newer) for older, newer in pairwise(chain)] + chain[-1:]
    (group,) = grouped(linked, until=until)
    first = min(member.begins_at for member in group.members)
    is_covered = any(member.begins_at <= moment < member.expires_at for member in group.members)
    gaps = [gap for member in group.members if (gap := group.gap_after(member)) is not None]
    is_in_gap = any(gap.begins_at <= moment < gap.ends_at for gap in gaps)
    if moment >= first:
        assert is_covered != is_in_gap
    else:
        assert not is_in_gap
