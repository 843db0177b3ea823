"""Addresses of the webhooks of one's own company."""

from __future__ import annotations

from django.urls import path

from connect.views import webhooks

_ONE = "company/webhooks/<uuid:company_webhook_id>/"

urlpatterns = [
    path("company/webhooks/", webhooks.webhooks, name="webhooks"),
    path(_ONE, webhooks.webhook, name="webhook"),
    path(f"{_ONE}secret/", webhooks.webhook_secret, name="webhook_secret"),
    path(f"{_ONE}end/", webhooks.webhook_end, name="webhook_end"),
    path(f"{_ONE}test/", webhooks.webhook_test, name="webhook_test"),
    path(f"{_ONE}messages/<uuid:company_message_id>/", webhooks.webhook_message, name="webhook_message"),
    path(f"{_ONE}messages/<uuid:company_message_id>/replay/", webhooks.webhook_replay, name="webhook_replay"),
]
