"""Applications and their DN requirements, as Key Management keeps them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from certauthority.x509.ready_commands import unique_part
from connect.actors import actor_of, signed_in
from connect.private_key_guard import names_private_keys
from kmp import access
from kmp.applications import change_application
from kmp.dn_requirements import SAMPLE_COMPANY, change_requirement
from kmp.errors import NameTaken, RequirementImpossible
from kmp.forms.requirements import ApplicationForm, RequirementForm
from kmp.models import Application, DnRequirement, Profile
from kmp.support import requirement_shown

_UNCHANGED = "Nothing was changed: everything stands as it was."


@require_safe
def requirements(request: HttpRequest) -> HttpResponse:
    """Every application, who reviews its requests, and the way to its requirements."""
    access.require_staff(signed_in(request))
    applications = Application.objects.prefetch_related("requirements").order_by("name")
    return _page(request, "kmp/requirements.html", {"applications": applications})


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(ApplicationForm)
def application(request: HttpRequest, application_code: str) -> HttpResponse:
    """Name, description and review of an application, and whether it is open."""
    access.require_staff(signed_in(request))
    edited = get_object_or_404(Application, code=application_code)
    form = ApplicationForm(request.POST) if request.method == "POST" else ApplicationForm.of(edited)
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_application(edited, **form.cleaned_data, actor=actor_of(request), now=timezone.now())
        except NameTaken as refusal:
            form.add_error("name", str(refusal))
        else:
            name = form.cleaned_data["name"]
            messages.success(request, f"{name} was changed." if changed else _UNCHANGED)
            return redirect("kmp:requirements")
    return _page(request, "kmp/requirement_application.html", {"form": form, "application": edited})


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(RequirementForm)
def requirement(request: HttpRequest, application_code: str, kmp_environment: str) -> HttpResponse:
    """The rule for each attribute, and the types of key, in one environment."""
    access.require_staff(signed_in(request))
    edited = _requirement(application_code, kmp_environment)
    form = RequirementForm(request.POST) if request.method == "POST" else RequirementForm.of(edited)
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_requirement(
                edited,
                attributes=form.cleaned_data["attributes"],
                key_types=form.cleaned_data["key_types"],
                actor=actor_of(request),
                now=timezone.now(),
            )
        except RequirementImpossible as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The requirement of {edited} was changed." if changed else _UNCHANGED)
            return redirect("kmp:requirements")
    shown = requirement_shown(edited, company=None, unique=unique_part(timezone.now()))
    context = {"form": form, "requirement": edited, "shown": shown, "company": SAMPLE_COMPANY}
    return _page(request, "kmp/requirement.html", context)


def _requirement(application_code: str, environment: str) -> DnRequirement:
    """The requirement for client certificates. Raises 404 where there is none."""
    found = DnRequirement.objects.select_related("application").prefetch_related("attributes")
    return get_object_or_404(found, application__code=application_code, environment=environment, profile=Profile.CLIENT)


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    officer = access.officer_if_any(request)
    return render(request, template, {**context, "section": "requirements", "officer": officer})
