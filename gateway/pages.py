"""Addresses of the portal's pages, and moments, as the endpoint's answers write them."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.urls import reverse


def page(name: str, *arguments: object) -> str:
    """The absolute address of a page of the site. It never comes from a request."""
    return f"{settings.SITE_URL}{reverse(name, args=arguments)}"


def moment_text(moment: datetime) -> str:
    """Such as 21 November 2026, 18:05 UTC."""
    return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC"
