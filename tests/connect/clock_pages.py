"""The page ``Clock`` as a person uses it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client

from connect.models import Company

CLOCK = "/connect/clock/"


def url_of(company: Company, what: str = "") -> str:
    return f"{CLOCK}{company.pk}/{what}"


def state_on(page: Any) -> str:
    return str(page.context["clock"].state)


def press(client: Client, step: str, *, url: str = CLOCK, state: str | None = None, **fields: str) -> Any:
    """Press a button of the page as it is, or of one that was opened earlier, and look at what comes then."""
    state = state_on(client.get(url)) if state is None else state
    return client.post(url, {"step": step, "state": state, **fields}, follow=True)


def ahead(company: Company) -> timedelta:
    return Company.objects.get(pk=company.pk).clock_ahead
