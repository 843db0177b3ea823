"""Addresses of the Key Management Portal."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "kmp"

urlpatterns: list[URLPattern | URLResolver] = []
