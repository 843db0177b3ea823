"""Questions about the requests of all companies: what waits for Key Management, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.db.models import Q

from kmp.inventory_pages import Total
from kmp.keyset import KeyOrder, find, total_of
from kmp.models import CertificateRequest, RequestState
from kmp.moves import UNDECIDED
from kmp.request_list import loaded
from kmp.request_search import LENGTH, found_by, has_too_many_words

_LONGEST_WAITING_FIRST = KeyOrder(("submitted_at", "id"))
_LAST_DECIDED_FIRST = KeyOrder(("ended_at", "id"), is_descending=True)


class Show(models.TextChoices):
    """The filter of the queue, as it stands in the address."""

    WAITING = "waiting", "Waiting"
    AUTOMATIC = "automatic", "Automatic review"
    SIGNED = "signed", "Signed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"

    @property
    def is_waiting(self) -> bool:
        """Whether these requests are not decided yet."""
        return self in (Show.WAITING, Show.AUTOMATIC)

    @property
    def condition(self) -> Q:
        """The same for the database. Drafts, and those cancelled as drafts, are their company's own matter."""
        if self is Show.WAITING:
            return Q(state__in=UNDECIDED, decide_at=None)
        if self is Show.AUTOMATIC:
            return Q(state__in=UNDECIDED, decide_at__isnull=False)
        return Q(state=RequestState(self.value), submitted_at__isnull=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests: all that meet every condition that is given. ``application`` is a code."""

    show: Show = Show.WAITING
    search: str = ""
    application: str = ""

    @classmethod
    def read(cls, values: dict[str, str]) -> Wanted:
        """What an address asks for; what waits, where it asks for nothing that there is."""
        show = values.get("show", "")
        return cls(
            show=Show(show) if show in Show.values else Show.WAITING,
            search=values.get("q", "").strip()[:LENGTH],
            application=values.get("application", "")[:40],
        )

    @property
    def is_narrow(self) -> bool:
        """Whether something beside the state is asked for."""
        return bool(self.search or self.application)

    @property
    def is_cut(self) -> bool:
        """Whether the search has more words than are looked for."""
        return has_too_many_words(self.search)


@dataclass(frozen=True, slots=True)
class Page:
    """Some requests. ``previous`` and ``next`` are numbers: that page ends before, or begins after, that request."""

    requests: tuple[CertificateRequest, ...]
    total: Total
    previous: str = ""
    next: str = ""


def page_of(wanted: Wanted, *, after: str = "", before: str = "") -> Page:
    """Requests that are wanted: what waits longest first, what was decided last first.

    The page begins after, or ends before, the request with this number; it is the first one for none.
    """
    matching = CertificateRequest.objects.filter(wanted.show.condition)
    if wanted.search:
        matching = matching.filter(found_by(wanted.search))
    if wanted.application:
        matching = matching.filter(application__code=wanted.application)
    order = _LONGEST_WAITING_FIRST if wanted.show.is_waiting else _LAST_DECIDED_FIRST
    found = find(matching, order, is_search=wanted.is_narrow, after=after, before=before)
    return Page(
        requests=loaded(found.numbers),
        total=found.total,
        previous=found.numbers[0] if found.has_previous else "",
        next=found.numbers[-1] if found.has_next else "",
    )


def waiting_count() -> Total:
    """How many requests wait for Key Management."""
    return total_of(CertificateRequest.objects.filter(Show.WAITING.condition))
