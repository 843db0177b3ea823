"""What the picture of a timeline says and does not say."""

from __future__ import annotations

from connect.expiry.timeline import timeline
from connect.templatetags.timeline import timeline_drawn
from tests.connect.lifetimes import day, make_lifetime, succeeded

NOW = day("2027-01-04T12:00")


def test_everything_from_outside_is_text() -> None:
    lifetime = make_lifetime(
        "<b>&amp;'\"", environment="<i>Sandbox", place="Checkout <u>API", expires_at=day("2027-03-01")
    )
    picture = timeline_drawn(timeline([lifetime], now=NOW), True)
    assert "<b>" not in picture
    assert "<i>" not in picture
    assert "<u>" not in picture
    assert "<title>&lt;b&gt;&amp;amp;&#x27;&quot;, " in picture
    assert '<tspan class="env minor" dx="6">&lt;i&gt;Sandbox, Checkout &lt;u&gt;API</tspan>' in picture


def test_places_are_named_only_where_they_differ() -> None:
    picture = timeline([make_lifetime(place="Checkout API")], now=NOW)
    assert "Checkout API" in timeline_drawn(picture, True)
    assert "Checkout API" not in timeline_drawn(picture)


def test_a_long_name_stands_twice_and_a_short_one_once() -> None:
    short, long = make_lifetime("x" * 20), make_lifetime("y" * 60)
    picture = timeline_drawn(timeline([short, long], now=NOW))
    assert f">{'x' * 20}<tspan" in picture
    assert f'<tspan class="wide">{"y" * 47}…</tspan><tspan class="slim">{"y" * 19}…</tspan>' in picture


def test_it_says_when_each_ends_and_where_the_gaps_are() -> None:
    gone = make_lifetime("gone", begins_at=day("2026-01-01"), expires_at=day("2026-12-20"))
    near = make_lifetime("near", expires_at=day("2027-01-14"))
    late = make_lifetime("late", begins_at=day("2027-01-02"), expires_at=day("2029-01-01"))
    picture = timeline_drawn(timeline([gone, succeeded(near, late)], now=NOW))
    assert '<text class="halo text-bad" x="100%" text-anchor="end" y="79">Gap since 20 Dec 2026</text>' in picture
    assert "<title>No certificate from 20 Dec 2026</title>" in picture
    assert ">10 days left</text>" in picture
    assert "Today, 4 Jan</text>" in picture


def test_an_overlap_is_drawn_over_both() -> None:
    old = make_lifetime("old", begins_at=day("2026-06-01"), expires_at=day("2027-02-01"))
    new = make_lifetime("new", begins_at=day("2027-01-01"), expires_at=day("2028-01-01"))
    assert 'class="overlap"' in timeline_drawn(timeline([succeeded(old, new), new], now=NOW))
    assert 'class="overlap"' not in timeline_drawn(timeline([old, new], now=NOW))
