"""The rotation report: a page to print, and JSON for a change ticket."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from connect.clock import company_time
from connect.use_chart import Series, draw
from portal.access import credential_of, signed_in
from portal.models import Credential, Environment
from portal.rotation import pair_of
from portal.rotation_document import document_of
from portal.rotation_report import Report, report_of
from portal.views.places import Place, place_to_see

# A page holds so many addresses; the JSON has all.
MOST_SOURCES = 50


@require_safe
def rotation_report(
    request: HttpRequest, project_id: UUID, environment: Environment, credential_id: UUID
) -> HttpResponse:
    """The report of the rotation that a certificate belongs to. A page of its own, with 404, where it has none."""
    place = place_to_see(signed_in(request), project_id, environment)
    credential = credential_of(place.project, environment, credential_id)
    report = _report(place, credential)
    if report is None:
        context = {**place.context, "credential": credential, "rotate_query": f"?rotate={credential.pk}"}
        return render(request, "portal/rotation_none.html", context, status=HTTPStatus.NOT_FOUND)
    return render(request, "portal/rotation_report.html", {**place.context, **_shown(report), "asked": credential})


@require_safe
def rotation_json(
    request: HttpRequest, project_id: UUID, environment: Environment, credential_id: UUID
) -> HttpResponse:
    """The same facts for programs. 404 with the error envelope where there is no rotation."""
    place = place_to_see(signed_in(request), project_id, environment)
    credential = credential_of(place.project, environment, credential_id)
    report = _report(place, credential)
    if report is None:
        return JsonResponse(_no_rotation(credential), status=HTTPStatus.NOT_FOUND)
    page = reverse("portal:rotation_report", args=[place.project.pk, environment, credential.pk])
    document = document_of(report, link=request.build_absolute_uri(page))
    return JsonResponse(document, json_dumps_params={"indent": 2, "ensure_ascii": False})


def _report(place: Place, credential: Credential) -> Report | None:
    now = timezone.now()
    company_now = company_time(place.project.company, now)
    pair = pair_of(credential, now=company_now)
    return report_of(pair, now=now, company_now=company_now) if pair is not None else None


def _shown(report: Report) -> dict[str, Any]:
    series = (
        Series(report.old.alias, "before", report.old_hours),
        Series(report.new.alias, "use", report.new_hours),
    )
    return {
        "report": report,
        "chart": draw(
            series, until=report.chart_until, hours=report.chart_hours, is_past=report.chart_until < report.now
        ),
        "sources": report.sources[:MOST_SOURCES],
        "more_sources": max(len(report.sources) - MOST_SOURCES, 0),
    }


def _no_rotation(credential: Credential) -> dict[str, Any]:
    error = {
        "Source": "rotation-report",
        "ReasonCode": "NOT_IN_ROTATION",
        "Description": f"{credential.alias} replaces no certificate, and none replaces it.",
        "Recoverable": False,
        "Details": "Add a certificate with Rotate, so that the old one is noted as its predecessor.",
    }
    return {"Errors": {"Error": [error]}}
