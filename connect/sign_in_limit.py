"""How many failed sign-ins an e-mail address may have before it is locked for a while.

The count lives in the shared cache, so that all web processes count together. An attempt is counted before its
password is looked at and given back when it succeeds: ten requests at once are ten attempts, not one.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.cache import BaseCache, cache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class SignInError(Exception):
    """No attempt is possible now. The text is a sentence for the person."""


class SignInLocked(SignInError):
    """The address is locked. ``until`` says when it opens again."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        minute = (until + timedelta(seconds=59)).astimezone(UTC)
        super().__init__(
            f"After {settings.SIGN_IN_FAILURES} failed attempts, sign-in with this e-mail address is locked until "
            f"{minute:%H:%M} UTC. Try again then."
        )


class SignInUncounted(SignInError):
    """The count cannot be read, so nobody is let in."""

    def __init__(self) -> None:
        super().__init__(
            "Nobody can sign in at the moment, because failed attempts cannot be counted. Try again in a few minutes; "
            "if that does not help, tell whoever runs this site that its Redis does not answer."
        )


class SignInLimit:
    """The attempts for one e-mail address. Whether an account has that address makes no difference."""

    def __init__(self, email: str, *, store: BaseCache = cache) -> None:
        # A digest, so that the cache holds no addresses and any text makes a valid key.
        digest = hashlib.sha256(email.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()
        self._count_key = f"sign-in-count:{digest}"
        self._lock_key = f"sign-in-lock:{digest}"
        self._store = store

    def begin(self, now: datetime) -> None:
        """Count an attempt.

        Raises:
            SignInLocked: before any password is looked at.
            SignInUncounted: the cache does not answer.
        """
        with _answering():
            ends = self._store.get(self._lock_key)
            if ends is not None:
                raise SignInLocked(datetime.fromtimestamp(ends, UTC))
            if self._count() > settings.SIGN_IN_FAILURES:
                raise SignInLocked(self._lock(now))

    def failed(self, now: datetime) -> None:
        """The attempt's password was wrong.

        Raises:
            SignInLocked: this failure was one too many.
            SignInUncounted: the cache does not answer.
        """
        with _answering():
            if int(self._store.get(self._count_key, 0)) >= settings.SIGN_IN_FAILURES:
                raise SignInLocked(self._lock(now))

    def succeeded(self) -> None:
        """The right password: earlier failures are forgotten.

        Raises:
            SignInUncounted: the cache does not answer.
        """
        with _answering():
            self._store.delete_many([self._count_key, self._lock_key])

    def give_back(self) -> None:
        """The right password, and a second step follows: earlier failures count on, this attempt does not.

        Were they forgotten here, whoever knows the password could guess codes without end.

        Raises:
            SignInUncounted: the cache does not answer.
        """
        with _answering(), suppress(ValueError):  # Forgotten meanwhile: there is nothing to give back.
            self._store.decr(self._count_key)

    def _count(self) -> int:
        # add() and incr() are single commands of Redis: no two processes get the same number.
        self._store.add(self._count_key, 0, timeout=settings.SIGN_IN_LOCK_SECONDS)
        attempts = int(self._store.incr(self._count_key))
        self._store.touch(self._count_key, settings.SIGN_IN_LOCK_SECONDS)
        return attempts

    def _lock(self, now: datetime) -> datetime:
        """Lock, unless another process just did; either way, when it ends."""
        ends = int(now.timestamp()) + settings.SIGN_IN_LOCK_SECONDS
        # The count must not outlive the lock, or the first attempt after it would lock again.
        self._store.touch(self._count_key, settings.SIGN_IN_LOCK_SECONDS - 1)
        if not self._store.add(self._lock_key, ends, timeout=settings.SIGN_IN_LOCK_SECONDS):
            ends = int(self._store.get(self._lock_key, ends))
        return datetime.fromtimestamp(ends, UTC)


@contextmanager
def _answering() -> Iterator[None]:
    """Fail closed: without a count there is no limit to guessing.

    ValueError is what Django's cache raises when a key that it just made is gone again.
    """
    try:
        yield
    except (RedisError, OSError, ValueError) as error:
        log.warning("failed sign-ins cannot be counted: %s", type(error).__name__)
        raise SignInUncounted from error
