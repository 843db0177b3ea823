"""Sessions that end when nothing is done for a while, and some hours after sign-in in any case (Django's engine).

When a session ends stands in its row, where every page looks anyway: the end moves while somebody works, with a write
at most once in five minutes, and pages that ask for news by themselves do not move it. All of it is real time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.http import HttpRequest
from django.utils import timezone

# In a session: when its person signed in, in seconds since 1970.
_BEGAN = "began_at"
_MOVED_AT_MOST_EVERY: Final = timedelta(minutes=5)


class SessionStore(DatabaseStore):
    """One session, whose end is the nearer of two: so long after the last activity, so long after sign-in.

    ``ended_user`` is the key of who was signed in, where the cookie names a session whose time is over.
    ``is_passive`` is set for a request that nobody made by hand: it leaves the end where it is.
    """

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.ended_user = ""
        self.is_passive = False
        self._ends_at: datetime | None = None

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        row = self.model.objects.filter(session_key=self.session_key).first()
        if row is not None and row.expire_date > timezone.now():
            self._ends_at = row.expire_date
            return row
        self.ended_user = str(self.decode(row.session_data).get(SESSION_KEY, "")) if row is not None else ""
        self._session_key = None
        return None

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """The row to save; also one that is saved again has the end that is due to it."""
        row = super().create_model_instance(data)
        row.expire_date = self._ends_at = self._end(data, now=timezone.now())
        return row

    def move_end(self, *, now: datetime) -> None:
        """Note that somebody did something: the session goes on from now. Nothing is written for a small step."""
        if self._ends_at is None or not self.session_key:
            return
        end = self._end(dict(self.items()), now=now)
        step = min(_MOVED_AT_MOST_EVERY, timedelta(seconds=settings.SESSION_IDLE_SECONDS / 4))
        if abs(end - self._ends_at) < step:
            return
        self.model.objects.filter(session_key=self.session_key, expire_date__gt=now).update(expire_date=end)
        self._ends_at = end

    def _end(self, data: dict[str, Any], *, now: datetime) -> datetime:
        end = now + timedelta(seconds=settings.SESSION_IDLE_SECONDS)
        if SESSION_KEY not in data:
            return end
        # One that began under an older release keeps the end that it had.
        if self._ends_at is not None and (self.is_passive or _BEGAN not in data):
            return self._ends_at
        began = datetime.fromtimestamp(data[_BEGAN], UTC) if _BEGAN in data else now
        return min(end, began + timedelta(seconds=settings.SESSION_COOKIE_AGE))


def note_sign_in(sender: type[AbstractBaseUser], request: HttpRequest, **_: object) -> None:
    """Receives Django's signal that somebody has signed in: the hours of this session begin."""
    request.session[_BEGAN] = int(timezone.now().timestamp())
