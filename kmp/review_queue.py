"""Questions about the requests of all companies: what waits for Key Management, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.db.models import Q, QuerySet

from kmp.models import CertificateRequest, RequestState
from kmp.moves import UNDECIDED

PAGE_SIZE = 25
_SEARCH_LENGTH = 200
_SEARCHED = (
    "number",
    "common_name",
    "company__name",
    "company__cid",
    "officer__name",
    "officer__email",
    "expiring__reference",
    "entry__reference",
)


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
            search=values.get("q", "").strip()[:_SEARCH_LENGTH],
            application=values.get("application", "")[:40],
        )

    @property
    def is_narrow(self) -> bool:
        """Whether something beside the state is asked for."""
        return bool(self.search or self.application)


def listed(wanted: Wanted) -> QuerySet[CertificateRequest]:
    """The requests that are wanted: what waits longest first, what was decided last first."""
    found = CertificateRequest.objects.filter(wanted.show.condition)
    for word in dict.fromkeys(wanted.search.split()):
        found = found.filter(Q(*((f"{name}__icontains", word) for name in _SEARCHED), _connector=Q.OR))
    if wanted.application:
        found = found.filter(application__code=wanted.application)
    order = ("submitted_at", "id") if wanted.show.is_waiting else ("-ended_at", "id")
    return found.select_related("company", "officer", "application", "expiring", "entry").defer("csr").order_by(*order)


def waiting_count() -> int:
    """How many requests wait for Key Management."""
    return CertificateRequest.objects.filter(Show.WAITING.condition).count()
