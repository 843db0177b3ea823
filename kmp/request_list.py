"""Questions about a company's requests: which ones a page lists, newest first, and from where on."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from connect.models import Company
from kmp.models import CertificateRequest, RequestKind, RequestState
from kmp.serials import read_serial

PAGE_SIZE = 25
# Counting goes no further: beyond, nobody needs the number.
COUNTED = 1_000
_SEARCH_LENGTH = 200
_SEARCHED = (
    "number",
    "common_name",
    "contact",
    "application__name",
    "officer__name",
    "officer__email",
    "expiring__reference",
    "expiring__common_name",
    "entry__reference",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests: all that meet every condition that is given. ``application`` is a code."""

    search: str = ""
    state: str = ""
    kind: str = ""
    application: str = ""

    @classmethod
    def read(cls, values: dict[str, str]) -> Wanted:
        """What an address asks for; a state or kind that there is none of is not asked for."""
        state, kind = values.get("state", ""), values.get("kind", "")
        return cls(
            search=values.get("q", "").strip()[:_SEARCH_LENGTH],
            state=state if state in RequestState.values else "",
            kind=kind if kind in RequestKind.values else "",
            application=values.get("application", "")[:40],
        )

    @property
    def is_everything(self) -> bool:
        """Whether no condition is given."""
        return self == Wanted()

    @property
    def condition(self) -> Q:
        """The conditions for the database."""
        met = Q()
        for word in dict.fromkeys(self.search.split()):
            met &= Q(*((f"{name}__icontains", word) for name in _SEARCHED), _connector=Q.OR)
        serial = read_serial(self.search)
        if serial:
            met |= Q(entry__serial=serial) | Q(expiring__serial=serial)
        if self.state:
            met &= Q(state=self.state)
        if self.kind:
            met &= Q(kind=self.kind)
        if self.application:
            met &= Q(application__code=self.application)
        return met


@dataclass(frozen=True, slots=True)
class Page:
    """Some requests. ``newer`` and ``older`` are numbers: that page ends before, or begins after, that request."""

    requests: tuple[CertificateRequest, ...]
    count: int
    newer: str = ""
    older: str = ""

    @property
    def count_in_words(self) -> str:
        """The number of all that are wanted, as far as it was counted."""
        if self.count > COUNTED:
            return f"More than {COUNTED:,} requests"
        return f"{self.count:,} request{'' if self.count == 1 else 's'}"


def page_of(company: Company, wanted: Wanted, *, after: str = "", before: str = "") -> Page:
    """The page that begins after, or ends before, the request with this number; the newest ones for none."""
    matching = CertificateRequest.objects.filter(wanted.condition, company=company)
    rows = matching.select_related("application", "officer", "expiring", "entry").defer("csr")
    count = matching.order_by()[: COUNTED + 1].count()
    if before:
        found = list(rows.filter(number__gt=before).order_by("number")[: PAGE_SIZE + 1])
        if len(found) > PAGE_SIZE:
            return _page(found[PAGE_SIZE - 1 :: -1], count, has_newer=True, has_older=True)
        # The beginning is reached: the first page is always a whole one.
        after = ""
    found = list(_after(rows, after)[: PAGE_SIZE + 1])
    return _page(found[:PAGE_SIZE], count, has_newer=bool(after), has_older=len(found) > PAGE_SIZE)


def _after(rows: QuerySet[CertificateRequest], number: str) -> QuerySet[CertificateRequest]:
    return (rows.filter(number__lt=number) if number else rows).order_by("-number")


def _page(found: list[CertificateRequest], count: int, *, has_newer: bool, has_older: bool) -> Page:
    return Page(
        requests=tuple(found),
        count=count,
        newer=found[0].number if has_newer and found else "",
        older=found[-1].number if has_older and found else "",
    )
