"""Addresses of the Key Management Portal."""

from __future__ import annotations

from django.urls import include, path

app_name = "kmp"

urlpatterns = [
    path("", include("kmp.urls_company")),
    path("", include("kmp.urls_inventory")),
    path("", include("kmp.urls_requests")),
    path("", include("kmp.urls_review")),
    path("", include("kmp.urls_support")),
]
