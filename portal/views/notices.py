"""Notices: what the people of a project were told and will be told."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from connect.actors import actor_of
from connect.notice_log import mail_of, try_again
from connect.notice_pages import notices_context
from connect.views.company_notices import said_of_retry
from portal import access
from portal.models import Role
from portal.records import audited_project


@require_safe
def notices(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """What was sent, what is due and what is to come, for the team."""
    membership = access.membership_of(access.signed_in(request), project_id)
    project, is_admin = membership.project, membership.role == Role.ADMIN

    def retry_url(key: UUID) -> str:
        return reverse("portal:notice_retry", args=[project.pk, key])

    context = notices_context(
        request,
        scope=str(project.pk),
        company=project.company,
        here=request.path,
        retry_url=retry_url if is_admin else None,
        now=timezone.now(),
    )
    extra = {"project": project, "section": "notices", "may_open": True, "may_see_webhooks": is_admin}
    return render(request, "portal/notices.html", {**context, **extra})


@require_POST
def retry(request: HttpRequest, project_id: UUID, project_notice_id: UUID) -> HttpResponse:
    """Have the failed mails of one event sent again."""
    project = access.admin_membership_of(access.signed_in(request), project_id).project
    mail = mail_of(str(project.pk), project_notice_id)
    count = try_again(mail, on=audited_project(project), actor=actor_of(request), now=timezone.now())
    messages.success(request, said_of_retry(count))
    return redirect("portal:notices", project_id)
