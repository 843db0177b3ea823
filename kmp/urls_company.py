"""Address of My Company."""

from __future__ import annotations

from django.urls import path

from kmp.views import company

urlpatterns = [
    path("company/", company.company, name="company"),
]
