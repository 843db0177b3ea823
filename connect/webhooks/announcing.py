"""Tell webhooks what ``connect.notices.announce`` tells people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from connect.clock import company_time
from connect.models import Company
from connect.webhooks.payload import JSON, certificate_facts
from connect.webhooks.queueing import queue_event, scopes_with_webhooks

if TYPE_CHECKING:  # It imports `connect.notices`, which calls this module.
    from connect.expiry.sources import Lifetime


class Text(Protocol):
    """What a message says."""

    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...


def tell(
    kind: str,
    *,
    event: str,
    company: Company,
    scope: str,
    watched: str,
    link: str,
    write: Callable[[], Text],
    now: datetime,
) -> None:
    """Queue the notice for the webhooks of its scope; it is written only where there is one.

    ``watched`` names the certificate that it is about, live or ended (``connect.expiry.sources``), or is empty.
    """
    if not scopes_with_webhooks([scope]):
        return
    lifetime = _lifetime_of(watched)
    data: dict[str, JSON] = {}
    if lifetime is not None:
        data["certificate"] = certificate_facts(lifetime, now=company_time(company, now))
    written = write()
    queue_event(
        scope=scope,
        company=company,
        event=event,
        kind=kind,
        subject=written.subject,
        text=written.text,
        link=link,
        data=data,
        now=now,
    )


def _lifetime_of(watched: str) -> Lifetime | None:
    """The certificate, also when it has just ended: that is what may be told."""
    from connect.expiry.sources import sources  # noqa: PLC0415  it imports `connect.notices`, which calls this module

    name, _, key = watched.partition(":")
    source = next((source for source in sources() if source.name == name), None)
    if source is None:
        return None
    rows = source.rows().model._default_manager.filter(pk=UUID(key))
    return next(iter(source.lifetimes(rows)), None)
