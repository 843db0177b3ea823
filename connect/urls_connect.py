"""Addresses of Connect: the Store, what a person may open, and the company."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "connect"

urlpatterns: list[URLPattern | URLResolver] = []
