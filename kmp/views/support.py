"""Support: what every application asks of a name, with this company's own values."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from certauthority.x509.ready_commands import unique_part
from connect.actors import signed_in
from kmp import access
from kmp.dn_requirements import SAMPLE_COMPANY
from kmp.support import applications_shown


@require_safe
def support(request: HttpRequest) -> HttpResponse:
    """The requirements of every application. Staff who are no officers see them with sample values."""
    officer = access.officer_if_any(request) if signed_in(request).is_staff else access.officer_of(request)
    company = officer.company if officer else None
    context = {
        "officer": officer,
        "section": "support",
        "company": company or SAMPLE_COMPANY,
        "applications": applications_shown(company=company, unique=unique_part(timezone.now())),
    }
    return render(request, "kmp/support.html", context)
