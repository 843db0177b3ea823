"""Pages of requests, found by keys and not by counting rows: the last page costs what the first does.

Where a search has to look at every row anyway, the keys of all that are found come with one look, and the page is cut
from them. Where more are found than anybody counts, or nothing is searched for, the database walks along an index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from heapq import nlargest, nsmallest
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from kmp.inventory_pages import COUNTED, Total
from kmp.models import CertificateRequest

PAGE_SIZE = 25

Requests = QuerySet[CertificateRequest]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """Sorted by these columns, the last of which is unique."""

    fields: tuple[str, ...]
    is_descending: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The order as ``order_by`` takes it."""
        return tuple(f"{'-' if self.is_descending else ''}{name}" for name in self.fields)

    @property
    def reverse(self) -> KeyOrder:
        """The same columns the other way round."""
        return KeyOrder(self.fields, not self.is_descending)


First = Callable[[KeyOrder, Key | None], list[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """Numbers of the requests of one page, what lies around it, and how many there are on all pages."""

    numbers: tuple[str, ...]
    total: Total
    has_previous: bool = False
    has_next: bool = False


def find(matching: Requests, order: KeyOrder, *, is_search: bool, after: str = "", before: str = "") -> Found:
    """The page that begins after, or ends before, the request with this number; the first page for any other text.

    Where nothing lies after it, and where less than a page lies before it, that is the first page, too.
    """
    place, is_back = _key_of(after or before, order), not after
    if not is_search:
        return _page(partial(_walk, matching), order, place, is_back=is_back, total=total_of(matching))
    keys = list(matching.order_by().values_list(*order.fields, "number")[: COUNTED + 1])
    total = Total(len(keys))
    first = partial(_walk, matching) if total.is_capped else partial(_pick, keys)
    return _page(first, order, place, is_back=is_back, total=total)


def total_of(requests: Requests) -> Total:
    """How many there are, without counting further than anybody reads."""
    return Total(requests.order_by()[: COUNTED + 1].count())


def _key_of(number: str, order: KeyOrder) -> Key | None:
    """Where the request with this number stands. One that may not be seen tells nothing: only its place is used."""
    if not number:
        return None
    if order.fields == ("number",):
        return (number,)
    key = CertificateRequest.objects.filter(number=number).values_list(*order.fields).first()
    return key if key is not None and None not in key else None


def _page(first: First, order: KeyOrder, place: Key | None, *, is_back: bool, total: Total) -> Found:
    """The page that ``first`` gives: numbers of one page and of one request more, in order, beyond a place if any."""
    if place is not None and is_back:
        numbers = first(order.reverse, place)
        if len(numbers) > PAGE_SIZE:
            return Found(tuple(numbers[PAGE_SIZE - 1 :: -1]), total, has_previous=True, has_next=True)
    if place is not None and not is_back:
        numbers = first(order, place)
        if numbers:
            return Found(tuple(numbers[:PAGE_SIZE]), total, has_previous=True, has_next=len(numbers) > PAGE_SIZE)
    numbers = first(order, None)
    return Found(tuple(numbers[:PAGE_SIZE]), total, has_next=len(numbers) > PAGE_SIZE)


def _pick(keys: list[Key], order: KeyOrder, place: Key | None) -> list[str]:
    """Out of the keys of all, which are in no order."""
    width = len(order.fields)
    if place is not None and order.is_descending:
        keys = [key for key in keys if key[:width] < place]
    elif place is not None:
        keys = [key for key in keys if key[:width] > place]
    return [key[-1] for key in (nlargest if order.is_descending else nsmallest)(PAGE_SIZE + 1, keys)]


def _walk(requests: Requests, order: KeyOrder, place: Key | None) -> list[str]:
    """Along the index of the order. A comparison of whole rows is answered by one (PostgreSQL, 9.25.5)."""
    if place is not None and len(order.fields) == 1:
        requests = requests.filter(**{f"{order.fields[0]}__{'lt' if order.is_descending else 'gt'}": place[0]})
    elif place is not None:
        row = Tuple(*order.fields)
        requests = requests.filter(TupleLessThan(row, place) if order.is_descending else TupleGreaterThan(row, place))
    return list(requests.order_by(*order.names).values_list("number", flat=True)[: PAGE_SIZE + 1])
