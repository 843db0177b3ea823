"""`Certificates Inventory`: the table, and the same as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import push_url

from connect.clock import now_for
from connect.views.htmx_request import HtmxRequest
from kmp.access import officer_of
from kmp.forms.inventory import InventoryForm
from kmp.inventory import COLUMNS, Order, Sort, expiring_next, live_entries
from kmp.inventory_file import file_lines
from kmp.inventory_pages import Page, page_of, total_of, totals_of

_IN_WORDS = {
    Order(Sort.LIVE): "live first, soonest expiry first",
    Order(Sort.LIVE, is_descending=True): "live last, latest expiry first",
    Order(Sort.EXPIRES): "soonest expiry first",
    Order(Sort.EXPIRES, is_descending=True): "latest expiry first",
    Order(Sort.ISSUED): "oldest first",
    Order(Sort.ISSUED, is_descending=True): "newest first",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One head of the table: its label, the address that sorts by it, and how it sorts now (``aria-sort``)."""

    label: str
    url: str
    sorted: str


@require_safe
@vary_on_headers("HX-Request")
def inventory(request: HtmxRequest) -> HttpResponse:
    """The table. Filter, order and place stand in the address; htmx swaps the table alone."""
    officer = officer_of(request)
    now = now_for(officer.company)
    form, order = InventoryForm(request.GET), Order.read(request.GET.get("sort", ""))
    wanted = form.wanted()
    page = page_of(
        officer.company,
        wanted,
        order,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        now=now,
    )
    context = {"form": form, "page": page, **_addresses(form, order, page)}
    if request.htmx:
        response = render(request, "kmp/_inventory.html", context)
        return push_url(response, _place(request, form, order))
    if wanted.is_everything:
        total, live = page.total, total_of(live_entries(officer.company, now=now))
    else:
        total, live = totals_of(officer.company, now=now)
    context |= {
        "officer": officer,
        "section": "inventory",
        "total": total,
        "live": live,
        "soon": expiring_next(officer.company, now=now),
    }
    return render(request, "kmp/inventory.html", context)


@require_safe
def inventory_file(request: HttpRequest) -> HttpResponseBase:
    """What the table shows with this filter and order, all of it, as CSV. With a wrong filter, back to the table."""
    officer = officer_of(request)
    now = now_for(officer.company)
    form = InventoryForm(request.GET)
    if not form.is_valid():
        return redirect(f"{reverse('kmp:inventory')}?{request.GET.urlencode()}")
    order = Order.read(request.GET.get("sort", ""))
    headers = {
        "Content-Disposition": f'attachment; filename="certificates-{now:%Y-%m-%d}.csv"',
        "X-Content-Type-Options": "nosniff",
    }
    lines = file_lines(officer.company, form.wanted(), order, now=now)
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _addresses(form: InventoryForm, order: Order, page: Page) -> dict[str, Any]:
    used = form.used()
    here, file_url = reverse("kmp:inventory"), reverse("kmp:inventory_file")
    sorted_ = {"sort": str(order)} if order != Order() else {}

    def url(**more: str) -> str:
        return _url(here, {**used, **sorted_, **more})

    return {
        "order": str(order),
        "columns": [_column(here, used, sort, order) for sort in COLUMNS],
        "sorted_by": _IN_WORDS.get(order, f"by {order.sort.label}{', backwards' if order.is_descending else ''}"),
        "is_filtered": bool(used),
        "all_url": _url(here, sorted_),
        "first_url": url() if page.previous else "",
        "previous_url": url(before=page.previous) if page.previous else "",
        "next_url": url(after=page.next) if page.next else "",
        "file_url": _url(file_url, {**used, **sorted_}),
    }


def _column(here: str, used: dict[str, str], sort: Sort, order: Order) -> Column:
    if sort != order.sort:
        return Column(str(sort.label), _url(here, {**used, "sort": sort.value}), "")
    return Column(
        str(sort.label),
        _url(here, {**used, "sort": str(order.reverse)}),
        "descending" if order.is_descending else "ascending",
    )


def _place(request: HtmxRequest, form: InventoryForm, order: Order) -> str:
    """The address of what is shown, without what is empty or wrong in it."""
    place = {name: request.GET[name] for name in ("after", "before") if request.GET.get(name)}
    sorted_ = {"sort": str(order)} if order != Order() else {}
    return _url(reverse("kmp:inventory"), {**form.used(), **sorted_, **place})


def _url(path: str, values: dict[str, str]) -> str:
    return f"{path}?{urlencode(values)}" if values else path
