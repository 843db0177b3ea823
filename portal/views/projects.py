"""My Projects, and what is done with a project as a whole."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from connect.actors import actor_of
from connect.clock import company_time
from connect.private_key_guard import names_private_keys
from portal import access, overview
from portal.ending import ending_with
from portal.errors import NotAllowed
from portal.forms.projects import DeleteProjectForm, ProjectForm
from portal.projects import create_project, delete_project
from portal.readiness import readiness_of
from portal.views import guided_rotation


@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    """My Projects: what runs out next, and one card for each project."""
    overview_now = overview.my_projects(access.signed_in(request), now=timezone.now())
    return render(request, "portal/projects.html", {"overview": overview_now})


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(ProjectForm)
def create(request: HttpRequest) -> HttpResponse:
    """Create a project of the person's own company."""
    user = access.signed_in(request)
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            project = create_project(form.cleaned_data["name"], by=user, actor=actor_of(request), now=timezone.now())
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{project.name} was created. Add its first certificate, or invite your team.")
            return redirect("portal:project", project.pk)
    return render(request, "portal/project_form.html", {"form": form, "company": user.company})


@require_safe
def summary(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Project summary: what is live, what runs out next, and what has nothing to replace it."""
    user = access.signed_in(request)
    membership = access.membership_of(user, project_id)
    project = membership.project
    real_now = timezone.now()
    found = overview.summary_of(project, now=company_time(project.company, real_now), real_now=real_now)
    context = {
        **guided_rotation.of_project(membership, ending=found.ending, pairs=found.pairs),
        "project": project,
        "section": "summary",
        "membership": membership,
        "summary": found,
        "timeline": found.timeline,
        "readiness": readiness_of(project),
        "may_verify": user.company_id == project.company_id,
    }
    return render(request, "portal/project.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(DeleteProjectForm)
def delete(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Delete a project, once its name has been typed."""
    membership = access.admin_membership_of(access.signed_in(request), project_id)
    project = membership.project
    now = timezone.now()
    form = DeleteProjectForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        ended = delete_project(project, actor=actor_of(request), now=now)
        messages.success(request, f"{project.name} was deleted. {_ended(ended)}")
        return redirect("portal:projects")
    context = {
        "project": project,
        "section": "summary",
        "membership": membership,
        "form": form,
        "ending": ending_with(project, now=company_time(project.company, now), real_now=now),
    }
    return render(request, "portal/project_delete.html", context)


def _ended(count: int) -> str:
    if count == 0:
        return "It had no live certificate."
    return "Its live certificate has ended." if count == 1 else f"Its {count:,} live certificates have ended."
