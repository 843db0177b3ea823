"""`My Company`: the officers of the company, and where its notices go."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from connect.views.company import company_page
from kmp import access


@require_http_methods(["GET", "HEAD", "POST"])
def company(request: HttpRequest) -> HttpResponse:
    """The company's page of Connect, inside KMP's navigation."""
    officer = access.officer_of(request)
    extra = {"officer": officer, "section": "company"}
    return company_page(request, template="kmp/company.html", url_name="kmp:company", extra=extra)
