"""Addresses of Connect: the Store, what a person may open, and the company."""

from __future__ import annotations

from django.urls import include, path

app_name = "connect"

urlpatterns = [
    path("", include("connect.urls_access")),
    path("", include("connect.urls_clock")),
    path("", include("connect.urls_notices")),
    path("", include("connect.urls_samples")),
    path("", include("connect.urls_snooze")),
    path("", include("connect.urls_webhooks")),
]
