"""Readers of the weekly digest, and certificates that are due in it."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from audit.events import Actor
from connect.clock import company_time
from connect.models import NoticePreference, User
from connect.preferences import choose_digest
from portal.models import Credential, Project
from tests.factories import let_expire, make_credential


def wants_digest(user: User, *, due_at: datetime | None = None) -> NoticePreference:
    """Somebody who has asked for it, and whose next one is due at this moment of the company's time, or now."""
    now = timezone.now()
    choose_digest(user, weekly=True, actor=Actor(user.email), now=now)
    preference = NoticePreference.objects.get(user=user)
    preference.next_digest_at = due_at or company_time(user.company, now)
    preference.save()
    return preference


def ending(project: Project, days: int, alias: str) -> Credential:
    credential = make_credential(project, alias=alias)
    let_expire(credential, in_days=days)
    return credential
