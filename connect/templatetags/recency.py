"""Template tags for the use of certificates. A builtin library: templates need no ``{% load %}`` for it."""

from __future__ import annotations

from datetime import UTC, datetime

from django.template import Library
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from connect.recency import recency, within_the_hour
from connect.templatetags.look import when

register = Library()


@register.simple_tag
def last_used(moment: datetime | None, style: str = "glance", none: str = "Never used") -> SafeString:
    """When a certificate was last used, measured in real time, wherever the company's clock stands.

    ``style``: glance (Just now, 3 minutes ago, Today, 14:05, else the date) or full (4 Jan 2027, 09:41 UTC, just now).
    """
    if moment is None:
        return conditional_escape(none)
    now = timezone.now()
    if style == "full":
        recent = within_the_hour(moment, now=now)
        return format_html("<span>{}, {}</span>", when(moment, "time"), recent) if recent else when(moment, "time")
    moment = moment.astimezone(UTC)
    # Numbers, and names of months: nothing to escape.
    title = f"{moment.day} {moment:%b %Y, %H:%M:%S UTC}"
    return SafeString(f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}" title="{title}">{recency(moment, now=now)}</time>')


@register.filter
def thousands(number: int) -> str:
    """A number of calls, with commas: ``12,345``."""
    return f"{number:,}"
