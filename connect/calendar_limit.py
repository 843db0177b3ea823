"""How often the address of a calendar may be read. The count lives in the shared cache."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from connect.preferences import digest_of

log = logging.getLogger(__name__)


def is_read_too_often(secret: str) -> bool:
    """Count one look at this address: whether it was one too many (``CALENDAR_READS_AN_HOUR``).

    A cache that does not answer refuses nobody: what the address gives away, it gives to who knows it anyway.
    """
    key = f"calendar-reads:{digest_of(secret)}"
    try:
        cache.add(key, 0, timeout=3600)
        return int(cache.incr(key)) > settings.CALENDAR_READS_AN_HOUR
    except (RedisError, OSError, ValueError) as error:
        log.warning("looks at a calendar cannot be counted: %s", type(error).__name__)
        return False
