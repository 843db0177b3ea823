"""Notices: the company's page of Connect, inside KMP's navigation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from connect.views.company_notices import company_notices_page
from kmp import access


@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """What was sent, what is due and what is to come about the company's certificates."""
    officer = access.officer_of(request)
    extra = {"officer": officer, "section": "notices", "may_open": True, "may_see_webhooks": True}
    return company_notices_page(request, officer.company, template="kmp/notices.html", extra=extra)
