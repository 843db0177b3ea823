"""Two addresses for whoever watches the site: is it alive, and can it do its work. Neither tells a secret."""

from __future__ import annotations

import logging
import time

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from certauthority import readiness, server_certificates
from config import heartbeats

log = logging.getLogger(__name__)

REDIS_TIMEOUT_SECONDS = 2


@login_not_required
@never_cache
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """Answer that this process serves requests, and nothing more: it asks no other service."""
    return HttpResponse("alive\n", content_type="text/plain; charset=utf-8")


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 where everything that the site needs works, else 503 with a sentence for each thing that does not."""
    problems = _database_problem() or _authority_problems() | _endpoint_problem()
    problems |= _redis_problem()
    return JsonResponse({"ready": not problems, "problems": problems}, status=503 if problems else 200)


def _database_problem() -> dict[str, str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        log.exception("The database does not answer.")
        return {"database": "The database does not answer."}
    return {}


def _authority_problems() -> dict[str, str]:
    try:
        return readiness.problems(now=timezone.now())
    except DatabaseError:
        log.exception("The tables cannot be read.")
        return {"database": "The database's tables cannot be read. Run manage.py migrate."}


def _endpoint_problem() -> dict[str, str]:
    problem = server_certificates.problem(now=timezone.now())
    return {"endpoint": problem} if problem else {}


def _redis_problem() -> dict[str, str]:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS
    )
    try:
        client.ping()
        return heartbeats.problems(now=time.time())
    except redis.RedisError:
        log.exception("Redis does not answer.")
        return {"redis": "Redis does not answer."}
    finally:
        client.close()
