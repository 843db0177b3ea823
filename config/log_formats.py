"""How a log line is written: one line of JSON for machines, or one line of text for people.

Both hold every record on one line whose values cannot pretend to be another line: new lines and control characters are
escaped. Both leave out the site's own secrets and whatever looks like a private key, should one ever get that far.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from config import env
from connect import request_ids

_HIDDEN = "…"
# Shorter ones would be found in harmless words and numbers.
_SHORTEST_SECRET = 8
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)


def without_secrets(text: str) -> str:
    """The text without the site's secrets and without private keys."""
    for secret in _SECRETS:
        text = text.replace(secret, _HIDDEN)
    return _PRIVATE_KEY.sub(_HIDDEN, text) if "PRIVATE KEY-----" in text else text


def _secrets() -> tuple[str, ...]:
    mail = env.MAIL_SERVER.password if env.MAIL_SERVER else ""
    passwords = [urlsplit(url).password or "" for url in (env.DATABASE_URL, env.REDIS_URL, env.SENTRY_DSN)]
    own = [getattr(env, name, "") for name in env.SECRET_NAMES]
    return tuple(secret for secret in {*own, *passwords, mail} if len(secret) >= _SHORTEST_SECRET)


_SECRETS = _secrets()


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, pid, and request_id, status, exception if any."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, str | int] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
            "pid": record.process or 0,
        }
        if request_id := request_ids.current():
            line["request_id"] = request_id
        if isinstance(status := getattr(record, "status_code", None), int):
            line["status"] = status
        if record.exc_info:
            line["exception"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(line)  # Everything beyond ASCII is escaped, and so is every control character.


class LineFormatter(logging.Formatter):
    """Time, level, logger, request id and message on one line; those of a traceback follow, each behind a bar."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S")
        request_id = f"[{request_ids.current()}] " if request_ids.current() else ""
        message = _escaped(without_secrets(record.getMessage()))
        line = f"{at} {record.levelname} {record.name} {request_id}{message}"
        if not record.exc_info:
            return line
        told = without_secrets(self.formatException(record.exc_info)).splitlines()
        return "\n".join([line, *(f"  | {_escaped(part)}" for part in told)])


def _escaped(text: str) -> str:
    """Without controls, what some programs take for a new line, what cannot be seen, and what turns its direction."""
    return text if text.isprintable() else "".join(map(_seen, text))


def _seen(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def chosen_formatter() -> logging.Formatter:
    """The formatter that LOG_FORMAT names."""
    return JsonFormatter() if env.LOG_FORMAT == "json" else LineFormatter()
