"""When something was, at a glance."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.template import Context, Template

from connect.recency import recency, within_the_hour

NOW = datetime(2026, 11, 21, 14, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=-30), "Just now"),
        (timedelta(), "Just now"),
        (timedelta(minutes=2), "Just now"),
        (timedelta(minutes=2, seconds=1), "2 minutes ago"),
        (timedelta(minutes=3), "3 minutes ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "Today, 13:05"),
        (timedelta(hours=14, minutes=5), "Today, 00:00"),
        (timedelta(hours=14, minutes=6), "Yesterday, 23:59"),
        (timedelta(days=1, hours=14, minutes=5), "Yesterday, 00:00"),
        (timedelta(days=2), "19 Nov 2026"),
        (timedelta(days=365), "21 Nov 2025"),
    ],
    ids=str,
)
def test_it_says_how_long_ago_it_was(ago: timedelta, said: str) -> None:
    assert recency(NOW - ago, now=NOW) == said


def test_within_the_hour_it_can_stand_behind_a_date() -> None:
    assert within_the_hour(NOW, now=NOW) == "just now"
    assert within_the_hour(NOW - timedelta(minutes=5), now=NOW) == "5 minutes ago"
    assert within_the_hour(NOW - timedelta(hours=1), now=NOW) == ""


def test_shortly_after_midnight_minutes_count_and_not_days() -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    assert recency(midnight - timedelta(minutes=5), now=midnight) == "5 minutes ago"
    assert recency(midnight - timedelta(hours=2), now=midnight) == "Yesterday, 22:00"


def words(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def rendered(template: str, moment: datetime | None) -> str:
    with time_machine.travel(NOW, tick=False):
        return Template(template).render(Context({"moment": moment}))


def test_the_tag_carries_the_exact_moment() -> None:
    html = rendered("{% last_used moment %}", NOW - timedelta(minutes=3))
    assert html == '<time datetime="2026-11-21T14:02:30Z" title="21 Nov 2026, 14:02:30 UTC">3 minutes ago</time>'


def test_the_full_form_adds_how_long_ago_for_an_hour() -> None:
    full = '{% last_used moment "full" %}'
    assert words(rendered(full, NOW)) == "21 Nov 2026, 14:05 UTC, just now"
    assert words(rendered(full, NOW - timedelta(hours=2))) == "21 Nov 2026, 12:05 UTC"


def test_a_certificate_without_use_says_so() -> None:
    assert rendered("{% last_used moment %}", None) == "Never used"
    assert rendered('{% last_used moment "full" none="Not seen" %}', None) == "Not seen"
