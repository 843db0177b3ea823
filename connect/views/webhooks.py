"""The webhooks of one's own company: they are told what its KMP certificates and requests are about."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from connect.actors import signed_in
from connect.private_key_guard import names_private_keys
from connect.views import webhook_pages as pages
from connect.views.htmx_request import HtmxRequest
from connect.webhooks.forms import WebhookForm
from connect.webhooks.place import company_place


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(WebhookForm)
def webhooks(request: HttpRequest) -> HttpResponse:
    """The list, and a form for another one."""
    return pages.listing(request, company_place(signed_in(request)))


@require_safe
@vary_on_headers("HX-Request")
def webhook(request: HtmxRequest, company_webhook_id: UUID) -> HttpResponse:
    """One webhook and its messages."""
    return pages.detail(request, company_place(signed_in(request)), company_webhook_id)


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_secret(request: HttpRequest, company_webhook_id: UUID) -> HttpResponse:
    """Another secret."""
    return pages.secret(request, company_place(signed_in(request)), company_webhook_id)


@require_http_methods(["GET", "HEAD", "POST"])
def webhook_end(request: HttpRequest, company_webhook_id: UUID) -> HttpResponse:
    """The end of a webhook."""
    return pages.end(request, company_place(signed_in(request)), company_webhook_id)


@require_POST
def webhook_test(request: HttpRequest, company_webhook_id: UUID) -> HttpResponse:
    """A message that tells of nothing."""
    return pages.test(request, company_place(signed_in(request)), company_webhook_id)


@require_safe
def webhook_message(request: HttpRequest, company_webhook_id: UUID, company_message_id: UUID) -> HttpResponse:
    """What was sent, and what came back."""
    return pages.message(request, company_place(signed_in(request)), company_webhook_id, company_message_id)


@require_POST
def webhook_replay(request: HttpRequest, company_webhook_id: UUID, company_message_id: UUID) -> HttpResponse:
    """The same message once more."""
    return pages.replay(request, company_place(signed_in(request)), company_webhook_id, company_message_id)
