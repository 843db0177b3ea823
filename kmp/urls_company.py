"""Addresses of My Company, and of the company's notices."""

from __future__ import annotations

from django.urls import path

from kmp.views import company, notices

urlpatterns = [
    path("company/", company.company, name="company"),
    path("notices/", notices.notices, name="notices"),
]
