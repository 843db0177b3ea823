"""Addresses of a project's webhooks."""

from __future__ import annotations

from django.urls import path

from portal.views import webhooks

_ALL = "projects/<uuid:project_id>/webhooks/"
_ONE = f"{_ALL}<uuid:webhook_id>/"

urlpatterns = [
    path(_ALL, webhooks.webhooks, name="webhooks"),
    path(_ONE, webhooks.webhook, name="webhook"),
    path(f"{_ONE}secret/", webhooks.webhook_secret, name="webhook_secret"),
    path(f"{_ONE}end/", webhooks.webhook_end, name="webhook_end"),
    path(f"{_ONE}test/", webhooks.webhook_test, name="webhook_test"),
    path(f"{_ONE}messages/<uuid:message_id>/", webhooks.webhook_message, name="webhook_message"),
    path(f"{_ONE}messages/<uuid:message_id>/replay/", webhooks.webhook_replay, name="webhook_replay"),
]
