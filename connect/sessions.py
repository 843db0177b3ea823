"""Where somebody is signed in: allauth's rows of sessions, kept up to date at most once in five minutes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from allauth.core.internal.httpkit import HTTP_USER_AGENT_MAX_LENGTH
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from redis.exceptions import RedisError

from audit.events import Actor, record
from connect.actors import address_of, audited_account
from connect.browsers import browser_in_words
from connect.models import User
from connect.session_store import SessionStore

log = logging.getLogger(__name__)

# Of a request that a page makes by itself, and nobody by hand.
PASSIVE_HEADER = "X-By-Itself"
_SEEN_EVERY_SECONDS = 5 * 60
LISTED = 50


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One place where a person is signed in. ``user_agent`` is what the browser said of itself."""

    browser: str
    user_agent: str
    address: str
    signed_in_at: datetime
    last_seen_at: datetime
    is_current: bool


def begin_session(request: HttpRequest, user: User, *, now: datetime) -> None:
    """List a session that has just begun, and forget the person's sessions that ended by themselves."""
    UserSession.objects.filter(user=user).exclude(pk__in=_open(user, now=now).values("pk")).delete()
    UserSession.objects.create(
        user=user,
        session_key=request.session.session_key,
        ip=address_of(request),
        user_agent=_agent_of(request),
        created_at=now,
        last_seen_at=now,
    )


def count_elsewhere(user: User, *, current: str | None, now: datetime) -> int:
    """In how many other places this person is signed in."""
    return int(_open(user, now=now).exclude(session_key=current or "").count())


def sessions_of(user: User, *, current: str | None, now: datetime) -> list[OpenSession]:
    """The sessions that are open, the current one first, then the ``LISTED`` others that were last seen latest."""
    found = _open(user, now=now).order_by("-last_seen_at")
    here, others = found.filter(session_key=current or ""), found.exclude(session_key=current or "")
    return [
        OpenSession(
            browser=browser_in_words(row.user_agent),
            user_agent=row.user_agent,
            address=str(row.ip),
            signed_in_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_current=row.session_key == current,
        )
        for row in [*here, *others[:LISTED]]
    ]


@transaction.atomic
def sign_out_elsewhere(user: User, *, keep: str | None, actor: Actor, now: datetime) -> int:
    """End every session of this person but one. How many were open; the audit log has an event where any was."""
    count = count_elsewhere(user, current=keep, now=now)
    end_sessions(user, keep=keep)
    if count:
        after = {"sessions": count}
        record("account.signed_out_elsewhere", actor=actor, on=audited_account(user), now=now, after=after)
    return count


def end_sessions(user: User, *, keep: str | None = None) -> None:
    """End the sessions of this person, but the one with the key ``keep``. A request under way cannot revive one."""
    rows = UserSession.objects.filter(user=user).exclude(session_key=keep or "")
    Session.objects.filter(session_key__in=rows.values("session_key")).delete()
    rows.delete()


def _open(user: User, *, now: datetime) -> QuerySet[UserSession]:
    alive = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    found: QuerySet[UserSession] = UserSession.objects.filter(Exists(alive), user=user)
    return found


class LastSeenMiddleware:
    """Lets a session go on while it is used, and notes when and from where it was.

    A page that asks for news by itself says so (`static/js/answers.js`), and is no use. What stands in the list of
    sessions is a courtesy: without Redis nothing is noted there.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_by_hand = PASSIVE_HEADER not in request.headers
        if isinstance(request.session, SessionStore):
            request.session.is_passive = not is_by_hand
        response = self.get_response(request)
        # A page that did not look at its session, such as a CRL, needs no query for it now.
        # Nor has one that failed: where the database is away, it would be waited for twice.
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return response
        session = request.session
        if is_by_hand and session.accessed and session.session_key and request.user.is_authenticated:
            if isinstance(session, SessionStore):
                session.move_end(now=timezone.now())
            _note_seen(request, session.session_key)
        return response


def _note_seen(request: HttpRequest, session_key: str) -> None:
    try:
        digest = hashlib.sha256(session_key.encode()).hexdigest()
        if not cache.add(f"session-seen:{digest}", 1, timeout=_SEEN_EVERY_SECONDS):
            return
    except (RedisError, OSError) as error:
        log.warning("the last use of a session was not noted: %s", type(error).__name__)
        return
    UserSession.objects.filter(session_key=session_key).update(
        last_seen_at=timezone.now(), ip=address_of(request), user_agent=_agent_of(request)
    )


def _agent_of(request: HttpRequest) -> str:
    return str(request.META.get("HTTP_USER_AGENT", ""))[:HTTP_USER_AGENT_MAX_LENGTH]
