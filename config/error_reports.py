"""Reports errors to Sentry, or to what speaks as it does, where ``SENTRY_DSN`` names one. Nothing is sent otherwise.

What is reported is what is logged as an error, with its traceback: nothing of the request, of the person or of local
variables, which may hold passwords and private keys. None of Sentry's integrations for Django or Celery is used: they
would gather just that, and both log their errors anyway.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger
from sentry_sdk.integrations.threading import ThreadingIntegration
from sentry_sdk.utils import BadDsn

from config.log_formats import without_secrets
from connect import request_ids

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

# Anybody can ask for a host that is not ours, as often as they like: no error of the site.
_NOT_OURS = ("django.security.DisallowedHost",)
# What an event may keep; whatever a later version of the library adds is left out until somebody has looked at it.
_KEPT = frozenset(
    {
        *("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "server_name", "sdk"),
        *("exception", "threads", "logentry", "tags", "transaction_info", "contexts", "type"),
    }
)


def start(dsn: str, *, environment: str) -> None:
    """Report from now on; nothing where the address is empty.

    Raises:
        ImproperlyConfigured: the address is not one of a Sentry.
    """
    if not dsn:
        return
    try:
        sentry_sdk.init(
            dsn=dsn,
            environment=environment,
            before_send=_stripped,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            auto_session_tracking=False,
            send_client_reports=False,
            traces_sample_rate=None,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[
                LoggingIntegration(level=None, event_level=logging.ERROR),
                ExcepthookIntegration(),
                ThreadingIntegration(),
                DedupeIntegration(),
                AtexitIntegration(callback=lambda pending, timeout: None),
            ],
        )
    except BadDsn:
        raise ImproperlyConfigured(
            "SENTRY_DSN is not the address of a Sentry project. It must look like https://key@sentry.example.com/1."
        ) from None
    for name in _NOT_OURS:
        ignore_logger(name)


def _stripped(event: Event, hint: Hint) -> Event | None:
    """The event with what says where and why it failed, and nothing of what somebody sent."""
    kept: dict[str, Any] = {name: value for name, value in event.items() if name in _KEPT}
    entry = kept.get("logentry") or {}
    if entry:
        kept["logentry"] = {"formatted": without_secrets(str(entry.get("formatted") or entry.get("message") or ""))}
    for part in ("exception", "threads"):
        for value in (kept.get(part) or {}).get("values", []):
            if isinstance(value.get("value"), str):
                value["value"] = without_secrets(value["value"])
            for frame in (value.get("stacktrace") or {}).get("frames", []):
                frame.pop("vars", None)
    kept["contexts"] = {name: value for name, value in kept.get("contexts", {}).items() if name in ("runtime", "trace")}
    kept["tags"] = {"request_id": request_ids.current()} if request_ids.current() else {}
    return kept  # type: ignore[return-value]  # a part of what it was
