"""What OCSP is measured against: a bare Django view that reads one stored response from PostgreSQL.

A site of its own, without middleware, apps or sessions; it never meets the site's settings. Its connection stays open,
and statements are prepared, as the site's are.
"""

from __future__ import annotations

import os
from typing import Any

import dj_database_url
from django.conf import settings

if not settings.configured:
    database: dict[str, Any] = dict(dj_database_url.parse(os.environ["DATABASE_URL"], conn_max_age=60))
    database["OPTIONS"] = {**database.get("OPTIONS", {}), "server_side_binding": True, "prepare_threshold": 5}
    settings.configure(
        ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], LOGGING_CONFIG=None, DATABASES={"default": database}
    )

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path


def stored_response(request: HttpRequest, number: int) -> HttpResponse:
    """One row by its primary key, without the ORM."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT response FROM bench_ocsp WHERE id = %s", [number])
        (response,) = cursor.fetchone()
    body = bytes(response)
    return HttpResponse(body, content_type="application/ocsp-response", headers={"Content-Length": str(len(body))})


urlpatterns: list[Any] = [path("<int:number>", stored_response)]
application = get_wsgi_application()
