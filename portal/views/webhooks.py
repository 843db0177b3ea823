"""The webhooks of a project, for its admins."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from connect.private_key_guard import names_private_keys
from connect.views import webhook_pages as pages
from connect.views.htmx_request import HtmxRequest
from connect.webhooks.forms import WebhookForm
from connect.webhooks.place import Place
from portal import access


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(WebhookForm)
def webhooks(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The list, and a form for another one."""
    return pages.listing(request, _place(request, project_id))


@require_safe
@vary_on_headers("HX-Request")
def webhook(request: HtmxRequest, project_id: UUID, webhook_id: UUID) -> HttpResponse:
    """One webhook and its messages."""
    return pages.detail(request, _place(request, project_id), webhook_id)


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_secret(request: HttpRequest, project_id: UUID, webhook_id: UUID) -> HttpResponse:
    """Another secret."""
    return pages.secret(request, _place(request, project_id), webhook_id)


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_end(request: HttpRequest, project_id: UUID, webhook_id: UUID) -> HttpResponse:
    """The end of a webhook."""
    return pages.end(request, _place(request, project_id), webhook_id)


@require_POST
def webhook_test(request: HttpRequest, project_id: UUID, webhook_id: UUID) -> HttpResponse:
    """A message that tells of nothing."""
    return pages.test(request, _place(request, project_id), webhook_id)


@require_safe
def webhook_message(request: HttpRequest, project_id: UUID, webhook_id: UUID, message_id: UUID) -> HttpResponse:
    """What was sent, and what came back."""
    return pages.message(request, _place(request, project_id), webhook_id, message_id)


@require_POST
def webhook_replay(request: HttpRequest, project_id: UUID, webhook_id: UUID, message_id: UUID) -> HttpResponse:
    """The same message once more."""
    return pages.replay(request, _place(request, project_id), webhook_id, message_id)


def _place(request: HttpRequest, project_id: UUID) -> Place:
    """The place of a project. Raises 404 for strangers, 403 for read-only members."""
    project = access.admin_membership_of(access.signed_in(request), project_id).project
    return Place(
        scope=str(project.pk),
        company=project.company,
        app="portal",
        base="base_project.html",
        about=f"the certificates of {project.name}",
        arguments=(project.pk,),
        context={"project": project, "section": "notices"},
        crumbs=(
            ("My Projects", reverse("portal:projects")),
            (project.name, reverse("portal:project", args=[project.pk])),
            ("Notices", reverse("portal:notices", args=[project.pk])),
        ),
    )
