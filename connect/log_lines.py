"""What Django's log lines leave out: addresses that open something for whoever knows them."""

from __future__ import annotations

import logging
import re

# Calendar programs ask with OPTIONS and PROPFIND: each refusal is a line with the path.
_SECRET = re.compile(r"(/connect/(?:calendar|digest|snooze)/)[^/\s]+")


class SecretAddresses(logging.Filter):
    """Writes … for the secret of a calendar's address, and for the signed part of a mail's link."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_SECRET.sub(r"\1…", part) if isinstance(part, str) else part for part in record.args)
        return True
