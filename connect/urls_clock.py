"""Addresses of the company clock."""

from __future__ import annotations

from django.urls import path

from connect.views import clock

urlpatterns = [
    path("clock/", clock.clock, name="clock"),
    path("clock/<uuid:company_id>/", clock.company_clock, name="company_clock"),
    path("clock/<uuid:company_id>/start-over/", clock.clock_start_over, name="clock_start_over"),
]
