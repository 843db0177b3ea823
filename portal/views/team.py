"""Team: who is on a project, and as what."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connect.actors import actor_of
from connect.private_key_guard import names_private_keys
from portal import access
from portal import team as use_cases
from portal.errors import NotAllowed
from portal.forms.team import InviteForm, RoleForm
from portal.models import Membership, Role


@require_safe
def team(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The team, and for admins what they may change."""
    membership = access.membership_of(access.signed_in(request), project_id)
    return _page(request, membership)


@require_POST
@names_private_keys(InviteForm)
def invite(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Put an existing account on the team."""
    membership = access.admin_membership_of(access.signed_in(request), project_id)
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            member = use_cases.invite(
                membership.project, **form.cleaned_data, actor=actor_of(request), now=timezone.now()
            )
        except NotAllowed as refusal:
            form.add_error("email", str(refusal))
        else:
            messages.success(request, f"{member.user.name} is on the team as {member.get_role_display()}.")
            return redirect("portal:team", project_id)
    return _page(request, membership, invite_form=form)


@require_POST
def role(request: HttpRequest, project_id: UUID, user_id: UUID) -> HttpResponse:
    """Give a member another role."""
    membership = access.admin_membership_of(access.signed_in(request), project_id)
    member = access.member_of(membership.project, user_id)
    form = RoleForm(request.POST)
    if form.is_valid():
        new = form.cleaned_data["role"]
        try:
            use_cases.change_role(member, role=new, actor=actor_of(request), now=timezone.now())
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{member.user.name} is now {_as(new)}.")
            return redirect("portal:team", project_id)
    return _page(request, membership, role_form=form, member=member)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, project_id: UUID, user_id: UUID) -> HttpResponse:
    """Take a member off the team, after asking."""
    user = access.signed_in(request)
    membership = access.membership_of(user, project_id)
    member = access.removable_member_of(membership, user_id)
    context = {
        "project": membership.project,
        "section": "team",
        "member": member,
        "is_self": member.user_id == user.pk,
        "refusal": "",
    }
    if request.method == "POST":
        try:
            use_cases.remove(member, actor=actor_of(request), now=timezone.now())
        except NotAllowed as refusal:
            context["refusal"] = str(refusal)
        else:
            if context["is_self"]:
                messages.success(request, f"You have left {membership.project.name}.")
                return redirect("portal:projects")
            messages.success(request, f"{member.user.name} is not on the team any more.")
            return redirect("portal:team", project_id)
    return render(request, "portal/team_remove.html", context)


def _page(
    request: HttpRequest,
    membership: Membership,
    *,
    invite_form: InviteForm | None = None,
    role_form: RoleForm | None = None,
    member: Membership | None = None,
) -> HttpResponse:
    members = list(access.team_of(membership.project))
    context = {
        "project": membership.project,
        "section": "team",
        "membership": membership,
        "is_admin": membership.role == Role.ADMIN,
        "members": members,
        "admins": sum(member.role == Role.ADMIN for member in members),
        "max_admins": settings.PROJECT_MAX_ADMINS,
        "max_members": settings.PROJECT_MAX_MEMBERS,
        "invite_form": invite_form or InviteForm(),
        "role_form": role_form,
        "role_form_member": member,
    }
    return render(request, "portal/team.html", context)


def _as(role: Role) -> str:
    return "an admin" if role == Role.ADMIN else "a read-only member"
