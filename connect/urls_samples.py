"""The address of samples of notices."""

from __future__ import annotations

from django.urls import path

from connect.views import samples

urlpatterns = [
    path("notices/sample/", samples.notice_sample, name="notice_sample"),
]
