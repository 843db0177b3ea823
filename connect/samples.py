"""Samples of notices: everybody can have each kind sent to themselves, to see what it looks like where they read mail.

Each app registers an invented and complete example of each of its kinds. A sample goes the way of a real notice.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

from connect import notices
from connect.expiry.sources import sources
from connect.models import User

log = logging.getLogger(__name__)

_HOUR = 3600
_EXPIRY, _COMPANY, _SIGN_IN = "Expiry", "Company and access", "Sign-in"
_ABOUT_EXPIRY = ("connect.certificate-", "connect.digest")


class SampleRefused(Exception):
    """It is not sent. The text is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Example:
    """What an invented notice tells: the context of its templates, and the path of its next step."""

    link: str
    context: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of notice. ``group`` and ``label`` are what the page calls it; ``make`` invents one for a person."""

    name: str
    label: str
    make: Callable[[User, datetime], Example]

    @property
    def group(self) -> str:
        """The part of the site that it comes from."""
        if self.name.startswith(_ABOUT_EXPIRY):
            return _EXPIRY
        groups = {"connect": _COMPANY, "account": _SIGN_IN} | {source.name: source.label for source in sources()}
        return groups[self.name.partition(".")[0]]


_kinds: dict[str, Kind] = {}


def register(kind: str, label: str, make: Callable[[User, datetime], Example]) -> None:
    """Let people have a sample of this kind of notice."""
    _kinds[kind] = Kind(kind, label, make)


def kinds() -> list[Kind]:
    """Every kind, by group and label; what tells of expiries comes first."""
    order = [_EXPIRY, *(source.label for source in sources()), _COMPANY, _SIGN_IN]
    return sorted(_kinds.values(), key=lambda kind: (order.index(kind.group), kind.label))


def send_sample(kind: str, *, to: User, now: datetime) -> None:
    """Send this person a sample, by mail and to the bell; each time another.

    Raises:
        SampleRefused: there is no such kind, or the person has had ``NOTICE_SAMPLES_AN_HOUR`` already.
    """
    found = _kinds.get(kind)
    if found is None:
        raise SampleRefused("There is no such notice. Choose one of the list.")
    _count(to)
    example = found.make(to, now)
    with transaction.atomic():
        notices.announce(
            kind,
            event=f"sample:{uuid.uuid4()}",
            to=[notices.Recipient(to.email, to)],
            company=to.company,
            link=example.link,
            now=now,
            context={**example.context, "is_sample": True},
        )


def _count(user: User) -> None:
    key = f"notice-samples:{user.pk}"
    try:
        cache.add(key, 0, timeout=_HOUR)
        sent = int(cache.incr(key))
    except (RedisError, OSError, ValueError) as error:
        log.warning("samples of notices cannot be counted: %s", type(error).__name__)
        raise SampleRefused(
            "No sample can be sent at the moment, because samples cannot be counted. Try again in a few minutes."
        ) from error
    if sent > settings.NOTICE_SAMPLES_AN_HOUR:
        raise SampleRefused(
            f"You have had {settings.NOTICE_SAMPLES_AN_HOUR} samples in an hour, and no more are sent. Try again later."
        )
