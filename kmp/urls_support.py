"""Addresses of the requirements: for officers to read, and for the site's staff to change."""

from __future__ import annotations

from django.urls import path

from kmp.views import requirements, support

urlpatterns = [
    path("support/", support.support, name="support"),
    path("requirements/", requirements.requirements, name="requirements"),
    path("requirements/<slug:application_code>/", requirements.application, name="application"),
    path("requirements/<slug:application_code>/<slug:kmp_environment>/", requirements.requirement, name="requirement"),
]
