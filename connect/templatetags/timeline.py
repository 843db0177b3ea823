"""What is drawn of a timeline, written in one go: as a template it was a third of the time of its page.

Places are numbers of ``connect.expiry.timeline``; all text is escaped before markup is added to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from django.template import Library
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from connect.expiry.timeline import Bar, Box, Month, Timeline
from connect.lifecycle import Status
from connect.templatetags.look import days_left, visible

register = Library()

# Longer names stand twice: as long as a wide picture has room for, and as long as a narrow one has.
_LONGEST_WIDE, _LONGEST_SLIM, _LONGEST_PLACE = 48, 20, 32


@register.simple_tag
def timeline_drawn(timeline: Timeline, places: object = False) -> SafeString:
    """Grid, overlaps, bars, gaps, ticks, today, and the names; ``places`` adds where each certificate belongs."""
    bottom, today = timeline.height, timeline.today_x
    return SafeString(
        "".join(
            (
                *(_month(month, bottom) for month in timeline.months),
                "\n    ",
                *(f'<rect class="overlap" {_place(box)}/>' for box in timeline.overlaps),
                "\n    ",
                *(_bar(bar) for bar in timeline.bars),
                f'\n    <line class="today" x1="{today}" x2="{today}" y1="46" y2="{bottom}"/>'
                f'\n    <rect class="pill" x="{today}" y="36" width="112" height="20" rx="10"'
                ' transform="translate(-10 0)"/>'
                f'\n    <text class="on-pill" x="{today}" dx="2" y="50">Today, {_day(timeline.frame.now, "%b")}</text>'
                "\n    ",
                *(_words(bar, bool(places)) for bar in timeline.bars),
            )
        )
    )


def _month(month: Month, bottom: int) -> str:
    x, label = month.x, ""
    if month.label:
        year = f'<text class="strong" x="{x}" dx="4" y="12">{month.year}</text>' if month.year else ""
        minor = ' class="minor"' if month.is_minor else ""
        label = f'{year}<text{minor} x="{x}" dx="4" y="29">{month.label}</text>'
    return f'\n    <line class="grid-line" x1="{x}" x2="{x}" y1="18" y2="{bottom}"/>\n    {label}\n    '


def _bar(bar: Bar) -> str:
    lifetime = bar.lifetime
    title = (
        f"{visible(lifetime.name)}, {_day(lifetime.begins_at)} to {_day(lifetime.expires_at)}, "
        f"{bar.status.label.lower()}"
    )
    drawn = f'<rect class="bar {bar.meaning.value}" {_place(bar.box)} rx="4"><title>{title}</title></rect>'
    return f'\n    {drawn}\n    {_gap(bar)}\n    <g class="tick">{"".join(_ticks(bar))}</g>\n    '


def _gap(bar: Bar) -> str:
    if bar.gap is None or bar.gap_box is None:
        return ""
    until = "" if bar.gap.is_open else f" to {_day(bar.gap.ends_at)}"
    title = f"No certificate from {_day(bar.gap.begins_at)}{until}"
    return f'<rect class="bar gap" {_place(bar.gap_box)} rx="4"><title>{title}</title></rect>'


def _ticks(bar: Bar) -> Iterator[str]:
    """The lines at which people are told."""
    top, bottom = bar.tick_y, bar.bottom
    for tick in bar.ticks:
        x = tick.x
        yield f'<line x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'


def _words(bar: Bar, places: bool) -> str:
    """The line over a bar: name and environment, and how long it lasts."""
    y, is_near = bar.name_y, bar.gap is not None and bar.status != Status.ACTIVE
    place = f", {escape(_cut(bar.lifetime.place, _LONGEST_PLACE))}" if places else ""
    return (
        f'\n    <text class="name" y="{y}">{_name(bar.name)}'
        f'<tspan class="env minor" dx="6">{escape(bar.lifetime.environment)}{place}</tspan></text>'
        f'\n    <text class="halo{" text-bad" if is_near else ""}" x="100%" text-anchor="end" y="{y}">{_lasts(bar)}'
        "</text>\n    "
    )


def _name(name: str) -> str:
    if len(name) <= _LONGEST_SLIM:
        return escape(name)
    return (
        f'<tspan class="wide">{escape(_cut(name, _LONGEST_WIDE))}</tspan>'
        f'<tspan class="slim">{escape(_cut(name, _LONGEST_SLIM))}</tspan>'
    )


def _lasts(bar: Bar) -> str:
    if bar.gap is not None:
        return f"Gap {'since' if bar.status == Status.EXPIRED else 'from'} {_day(bar.gap.begins_at)}"
    return "Expired" if bar.status == Status.EXPIRED else days_left(bar.days_left)


def _place(box: Box) -> str:
    return f'x="{box.span.x}" y="{box.y}" width="{box.span.width}" height="{box.height}"'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most and text.isascii() else Truncator(text).chars(most)


def _day(moment: datetime, style: str = "%b %Y") -> str:
    """``4 Jan 2027``, or ``4 Jan``."""
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment.strftime(style)}"
