"""The chart of calls per hour: which hours are on it, how high bars stand, and that its numbers are the calls’."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string

from certauthority.use import HourOfUse
from connect.use_chart import Chart, Series, draw

NOW = datetime(2026, 11, 22, 10, 25, 30, tzinfo=UTC)
LAST = datetime(2026, 11, 22, 10, tzinfo=UTC)


def hour(ago: int, accepted: int = 0, refused: int = 0) -> HourOfUse:
    return HourOfUse(LAST - timedelta(hours=ago), accepted, refused)


def chart_of(*hours: HourOfUse, shown: int = 48) -> Chart:
    return draw([Series("payouts", "use", hours)], until=NOW, hours=shown)


def pair(old: Sequence[HourOfUse], new: Sequence[HourOfUse]) -> Chart:
    return draw([Series("old", "before", old), Series("new", "use", new)], until=NOW, hours=48)


def test_it_ends_with_the_hour_that_is_not_over_yet() -> None:
    chart = chart_of(hour(0, 1), hour(47, 2), hour(48, 4), hour(-1, 8))
    assert chart.begins_at == LAST - timedelta(hours=47)
    assert chart.ends_at == LAST + timedelta(hours=1)
    assert (chart.accepted, chart.busiest) == (3, 2)
    assert [bar.title for bar in chart.bars] == ["Fri 11:00, 2 accepted", "Sun 10:00, 1 accepted"]


def test_on_the_hour_a_new_hour_begins() -> None:
    on_the_hour = draw([Series("payouts", "use", [])], until=LAST, hours=48)
    just_before = draw([Series("payouts", "use", [])], until=LAST - timedelta(microseconds=1), hours=48)
    assert on_the_hour.ends_at == LAST + timedelta(hours=1)
    assert just_before.ends_at == LAST


def test_nothing_is_drawn_where_there_was_no_call() -> None:
    chart = chart_of()
    assert chart.is_empty
    assert (chart.bars, chart.shapes, chart.rows, chart.busiest) == ((), (), (), 0)
    assert chart.title == "Calls per hour in the last 48 hours: 0 accepted, 0 refused"
    assert [line.label for line in chart.grid] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("busiest", "labels"),
    [
        (1, ["0", "1", "2"]),
        (2, ["0", "1", "2"]),
        (3, ["0", "2", "4"]),
        (5, ["0", "3", "6"]),
        (7, ["0", "4", "8"]),
        (9, ["0", "5", "10"]),
        (11, ["0", "10", "20"]),
        (23, ["0", "15", "30"]),
        (88, ["0", "50", "100"]),
        (100, ["0", "50", "100"]),
        (101, ["0", "100", "200"]),
        (2001, ["0", "1,500", "3,000"]),
    ],
)
def test_the_scale_ends_at_a_round_number(busiest: int, labels: list[str]) -> None:
    assert [line.label for line in chart_of(hour(0, busiest)).grid] == labels


def test_heights_go_by_the_number_of_calls() -> None:
    chart = chart_of(hour(1, 100), hour(0, 50))
    high, half = chart.bars
    top, middle, base = (float(line.y) for line in reversed(chart.grid))
    assert (float(high.y), float(high.height)) == (top, base - top)
    assert (float(half.y), float(half.height)) == (middle, base - middle)


def test_a_single_call_beside_thousands_can_be_seen() -> None:
    assert float(chart_of(hour(1, 5000), hour(0, 1)).bars[1].height) >= 2


def test_refused_calls_stand_on_the_accepted_ones() -> None:
    accepted, refused = chart_of(hour(0, 60, 40)).bars
    assert (accepted.css, refused.css) == ("use", "refused")
    assert accepted.x == refused.x
    assert float(refused.y) + float(refused.height) == pytest.approx(float(accepted.y))
    assert refused.title == "Sun 10:00, 40 refused"


def test_two_certificates_are_stacked_and_named() -> None:
    chart = pair([hour(1, 6, 1), hour(0, 2)], [hour(0, 4, 3)])
    assert [(bar.css, bar.title) for bar in chart.bars] == [
        ("before", "Sun 09:00, old: 6 accepted"),
        ("refused", "Sun 09:00, old: 1 refused"),
        ("before", "Sun 10:00, old: 2 accepted"),
        ("use", "Sun 10:00, new: 4 accepted"),
        ("refused", "Sun 10:00, new: 3 refused"),
    ]
    assert (chart.accepted, chart.refused, chart.busiest) == (12, 4, 9)
    assert [(total.series, total.accepted, total.refused) for total in chart.rows[0].totals] == [
        ("old", 2, 0),
        ("new", 4, 3),
    ]
    assert [(total.accepted, total.refused) for total in chart.rows[1].totals] == [(6, 1), (0, 0)]


def test_bars_stand_in_their_hour_and_never_in_the_next() -> None:
    bars = chart_of(*(hour(ago, 1) for ago in range(48))).bars
    for number, bar in enumerate(bars):
        x, width = float(bar.x.rstrip("%")), float(bar.width.rstrip("%"))
        assert 94 * number / 48 <= x <= x + width <= 94 * (number + 1) / 48


def test_the_table_counts_hours_for_two_days_and_days_above() -> None:
    calls = [hour(0, 1), hour(10, 2), hour(11, 4, 1)]
    by_hour = chart_of(*calls)
    assert by_hour.rows_are_hours
    assert [row.begins_at.hour for row in by_hour.rows] == [10, 0, 23]
    by_day = chart_of(*calls, shown=7 * 24)
    assert not by_day.rows_are_hours
    assert [(row.begins_at.day, row.totals[0].accepted, row.totals[0].refused) for row in by_day.rows] == [
        (22, 3, 0),
        (21, 4, 1),
    ]


def test_ninety_busy_days_are_one_small_picture() -> None:
    chart = chart_of(*(hour(ago, 900 + ago, ago % 7) for ago in range(90 * 24)), shown=90 * 24)
    assert chart.bars == ()
    assert [shape.css for shape in chart.shapes] == ["use", "refused"]
    assert chart.shapes[0].path.count("M") == 90 * 24
    html = render_to_string("_use_chart.html", {"chart": chart, "id": "use"})
    assert len(html) < 120_000
    assert chart.title.startswith("Calls per hour in the last 90 days: ")


def test_of_ninety_days_only_hours_with_calls_are_drawn() -> None:
    chart = chart_of(hour(0, 3), hour(2159, 1), hour(2160, 1), shown=90 * 24)
    assert [int(place) for place in re.findall(r"M(\d+)", chart.shapes[0].path)] == [0, 2159]


@pytest.mark.parametrize(("shown", "least", "most"), [(48, 3, 4), (168, 6, 7), (2160, 5, 7)])
def test_the_axis_names_a_few_moments(shown: int, least: int, most: int) -> None:
    ticks = chart_of(shown=shown).ticks
    assert least <= len(ticks) <= most
    assert len({tick.label for tick in ticks if tick.label != "12:00"}) >= 2


def test_the_page_says_the_same_in_numbers_and_lets_no_label_become_markup() -> None:
    chart = draw([Series("<b>old", "before", [hour(0, 7)]), Series("new", "use", [])], until=NOW, hours=48)
    html = render_to_string("_use_chart.html", {"chart": chart, "id": "use"})
    assert "<b>" not in html
    assert "Calls per hour in the last 48 hours: 7 accepted, 0 refused, busiest hour 7" in html
    assert '<td data-label="&lt;b&gt;old: accepted">7</td>' in html
    assert "style=" not in html
