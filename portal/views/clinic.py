"""The CSR clinic: every rule's verdict on a CSR, and the certificate that it would get. Nothing is stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from certauthority.errors import CAError
from certauthority.policy import judge_request
from certauthority.x509.verdicts import acceptable
from connect.models import User
from connect.private_key_guard import names_private_keys
from connect.views.htmx_request import HtmxRequest
from portal import expected_rules
from portal.access import signed_in
from portal.forms.clinic import ClinicForm
from portal.models import Environment, Project
from portal.preview import preview_of
from portal.views.judgement import judgement_context
from portal.views.places import Place
from portal.views.refusals import report
from portal.ways import UPLOAD_CSR, Judged


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@names_private_keys(ClinicForm)
def clinic(request: HtmxRequest) -> HttpResponse:
    """Judge a CSR for one of the person's projects, or by its structure, signature and key alone."""
    now = timezone.now()
    user = signed_in(request)
    form = ClinicForm(request.POST or None, request.FILES or None, user=user)
    context: dict[str, Any] = {"form": form, "expected": expected_rules.of_requests(None)}
    if form.is_bound:
        form.is_valid()
        context |= _findings(request, form, user, now=now)
    if request.htmx:
        problems = [sentence for found in form.errors.values() for sentence in found]
        return render(request, "portal/_clinic_findings.html", {**context, "problems": problems})
    return render(request, "portal/clinic.html", context)


def _findings(request: HtmxRequest, form: ClinicForm, user: User, *, now: datetime) -> dict[str, Any]:
    project: Project | None = form.cleaned_data.get("project")
    environment: Environment = form.cleaned_data.get("environment") or Environment.SANDBOX
    content = form.content
    if not content and not form.errors and not request.htmx:
        form.add_error("csr", "Paste the text of a CSR, or choose a file.")
    if project is None:
        if not content:
            return {}
        judgement = judge_request(content, requirement=None, holder=str(user.company_id or ""))
        return {"verdicts": judgement.verdicts}
    place = Place(user, project, environment, may_change=False)
    judged = UPLOAD_CSR.judge(content, project=project, environment=environment, now=now) if content else None
    context = judgement_context(place, UPLOAD_CSR, judged, alias="", now=now)
    return {**context, "for_project": project, "environment": environment, **_preview(form, judged, project, now=now)}


def _preview(form: ClinicForm, judged: Judged | None, project: Project, *, now: datetime) -> dict[str, Any]:
    if judged is None or judged.csr is None or not acceptable(judged.verdicts):
        return {}
    try:
        return {"preview": preview_of(judged.csr, company=project.company, now=now)}
    except CAError as refusal:
        report(form, refusal)
        return {}
