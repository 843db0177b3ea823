"""The inventory of a company at one noon, page after page."""

from __future__ import annotations

from datetime import UTC, datetime

from connect.models import Company
from kmp.inventory import Order, Wanted
from kmp.inventory_pages import Page, page_of

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def forward(company: Company, wanted: Wanted, order: Order) -> list[Page]:
    """Every page, from the first to the last."""
    pages = [page_of(company, wanted, order, now=NOON)]
    while pages[-1].next:
        pages.append(page_of(company, wanted, order, after=pages[-1].next, now=NOON))
    return pages


def references(*pages: Page) -> list[str]:
    """What stands on these pages, in order."""
    return [row.entry.reference for page in pages for row in page.rows]
