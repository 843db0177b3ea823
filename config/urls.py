"""Addresses of the whole site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from certauthority.views import ocsp
from config import health
from config.metrics import metrics

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="portal:projects"), name="home"),
    path("", include("portal.urls")),
    path("kmp/", include("kmp.urls")),
    path("connect/", include("connect.urls_connect")),
    path("accounts/", include("connect.urls")),
    path("ca/", include("certauthority.urls")),
    path("ocsp/<path:address>", ocsp, name="ocsp"),
    path("admin/", admin.site.urls),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics, name="metrics"),
]

handler403 = "connect.views.errors.forbidden"
handler500 = "connect.views.errors.failed"
