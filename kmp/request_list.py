"""Questions about a company's requests: which ones a page lists, newest first, and from where on."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from connect.models import Company
from kmp.inventory_pages import Total
from kmp.keyset import KeyOrder, find
from kmp.models import CertificateRequest, RequestKind, RequestState
from kmp.request_search import LENGTH, found_by, has_too_many_words

_NEWEST_FIRST = KeyOrder(("number",), is_descending=True)


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
            search=values.get("q", "").strip()[:LENGTH],
            state=state if state in RequestState.values else "",
            kind=kind if kind in RequestKind.values else "",
            application=values.get("application", "")[:40],
        )

    @property
    def is_everything(self) -> bool:
        """Whether no condition is given."""
        return self == Wanted()

    @property
    def is_cut(self) -> bool:
        """Whether the search has more words than are looked for."""
        return has_too_many_words(self.search)

    def condition(self, company: Company) -> Q:
        """The conditions for the database."""
        met = found_by(self.search, company=company) if self.search else Q()
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
    total: Total
    newer: str = ""
    older: str = ""


def page_of(company: Company, wanted: Wanted, *, after: str = "", before: str = "") -> Page:
    """The page that begins after, or ends before, the request with this number; the newest ones for none."""
    matching = CertificateRequest.objects.filter(wanted.condition(company), company=company)
    found = find(matching, _NEWEST_FIRST, is_search=not wanted.is_everything, after=after, before=before)
    return Page(
        requests=loaded(found.numbers),
        total=found.total,
        newer=found.numbers[0] if found.has_previous else "",
        older=found.numbers[-1] if found.has_next else "",
    )


def loaded(numbers: tuple[str, ...]) -> tuple[CertificateRequest, ...]:
    """The requests with these numbers, in this order, with what tables show."""
    rows = CertificateRequest.objects.filter(number__in=numbers).defer("csr")
    found = {row.number: row for row in rows.select_related("application", "officer", "company", "expiring", "entry")}
    return tuple(found[number] for number in numbers if number in found)
