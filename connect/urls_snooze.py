"""Address of the page that the signed link of an expiry mail leads to."""

from __future__ import annotations

from django.urls import path

from connect.views import snooze

urlpatterns = [
    path("snooze/<str:snooze_token>/", snooze.snooze_link, name="snooze_link"),
]
