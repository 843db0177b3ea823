"""What is logged, and where to: everything goes to the standard error stream of its process."""

from __future__ import annotations

from typing import Any

from config import env

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"chosen": {"()": "config.log_formats.chosen_formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "chosen"}},
    "root": {"handlers": ["console"], "level": env.LOG_LEVEL},
    "filters": {"secret addresses": {"()": "connect.log_lines.SecretAddresses"}},
    "loggers": {
        # Django's own handlers write in a form of their own.
        "django": {"handlers": [], "propagate": True},
        # They would tell what a message between the processes holds.
        "amqp": {"level": "INFO"},
        "kombu": {"level": "INFO"},
        # It would log the id of every passkey that is used.
        "fido2": {"level": "WARNING"},
        "django.request": {"filters": ["secret addresses"]},
        "django.security.csrf": {"filters": ["secret addresses"]},
        # The web server has set itself up before it loads the site.
        "_granian": {"handlers": [], "propagate": True},
        "granian.access": {"handlers": [], "propagate": True},
    },
}
