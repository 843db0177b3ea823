"""Pages of requests, found by keys and not by counting rows: the last page costs what the first does.

Where a search has to look at every row anyway, the keys of all that are found come with one look, and the page is cut
from them. Where more are found than anybody counts, or nothing is searched for, the database walks along an index.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
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
    place = _key_of(after or before, order)
    if not is_search:
        return _walk(matching, order, place, is_back=not after, total=total_of(matching))
    keys = list(matching.order_by().values_list(*order.fields, "number")[: COUNTED + 1])
    total = Total(len(keys))
    if total.is_capped:
        return _walk(matching, order, place, is_back=not after, total=total)
    keys.sort(reverse=order.is_descending)
    return _cut(keys, order, place, is_back=not after, total=total)


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


def _cut(keys: list[Key], order: KeyOrder, place: Key | None, *, is_back: bool, total: Total) -> Found:
    """The page out of the keys of all, which are in order."""
    begin = 0
    if place is not None:
        begin = _index(keys, order, place, is_back=is_back)
        if is_back:
            begin = max(begin - PAGE_SIZE, 0)
        elif begin == len(keys):
            begin = 0
    page = keys[begin : begin + PAGE_SIZE]
    return Found(tuple(key[-1] for key in page), total, begin > 0, begin + PAGE_SIZE < len(keys))


def _index(keys: list[Key], order: KeyOrder, place: Key, *, is_back: bool) -> int:
    """How many keys lie before the place; with the place itself, unless ``is_back``."""
    width = len(order.fields)
    ascending = [key[:width] for key in (reversed(keys) if order.is_descending else keys)]
    if order.is_descending:
        return len(keys) - (bisect_right if is_back else bisect_left)(ascending, place)
    return (bisect_left if is_back else bisect_right)(ascending, place)


def _walk(matching: Requests, order: KeyOrder, place: Key | None, *, is_back: bool, total: Total) -> Found:
    """The page along the index of the order."""
    if place is not None and is_back:
        numbers = _first(_beyond(matching, order.reverse, place), order.reverse)
        if len(numbers) > PAGE_SIZE:
            return Found(tuple(numbers[PAGE_SIZE - 1 :: -1]), total, has_previous=True, has_next=True)
    if place is not None and not is_back:
        numbers = _first(_beyond(matching, order, place), order)
        if numbers:
            return Found(tuple(numbers[:PAGE_SIZE]), total, has_previous=True, has_next=len(numbers) > PAGE_SIZE)
    numbers = _first(matching, order)
    return Found(tuple(numbers[:PAGE_SIZE]), total, has_next=len(numbers) > PAGE_SIZE)


def _first(requests: Requests, order: KeyOrder) -> list[str]:
    return list(requests.order_by(*order.names).values_list("number", flat=True)[: PAGE_SIZE + 1])


def _beyond(requests: Requests, order: KeyOrder, place: Key) -> Requests:
    """Those after the place. A comparison of whole rows, which an index answers (PostgreSQL, 9.25.5)."""
    if len(order.fields) == 1:
        return requests.filter(**{f"{order.fields[0]}__{'lt' if order.is_descending else 'gt'}": place[0]})
    row = Tuple(*order.fields)
    return requests.filter(TupleLessThan(row, place) if order.is_descending else TupleGreaterThan(row, place))
