"""Samples of notices, as a part of a page."""

from __future__ import annotations

from itertools import groupby

from django.template import Library

from connect import samples

register = Library()


@register.inclusion_tag("connect/_samples.html", takes_context=True)
def notice_samples(context: dict[str, object]) -> dict[str, object]:
    """A button for each kind of notice. The page loads this library: ``{% load samples %}{% notice_samples %}``."""
    by_group = groupby(samples.kinds(), key=lambda kind: kind.group)
    return {"groups": [(group, list(kinds)) for group, kinds in by_group], "csrf_token": context.get("csrf_token")}
