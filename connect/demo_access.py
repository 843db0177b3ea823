"""The demo data of Connect: who was granted access when, made by the use-cases that users call, with ``now`` given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from audit.events import SYSTEM, Actor, record
from connect.access_requests import decide, request_access
from connect.actors import audited_account
from connect.companies import set_group_email
from connect.demo import DEMO_ACCOUNTS
from connect.models import User
from connect.officers import KMP, OFFICER_LEVEL

ACME_GROUP_EMAIL: Final = "certificates@acme.example"

# Who asked so many days ago, and who decided a day later.
_GRANTED: Final = (
    ("officer1@acme.example", 420, "security-admin@acme.example"),
    ("officer2@acme.example", 419, "security-admin@acme.example"),
    ("officer@globex.example", 60, "keymanagement@rehearsal.example"),
)


@transaction.atomic
def create_demo_access(people: Mapping[str, User], now: datetime) -> None:
    """Name the Security Administrator, give Acme its group mailbox, and grant KMP to the security officers.

    ``people`` are the demo accounts by e-mail address. Globex has no Security Administrator, so staff decide there,
    and no group mailbox.
    """
    begin = now - timedelta(days=421)
    for account in DEMO_ACCOUNTS:
        if account.is_security_administrator:
            _name_security_administrator(people[account.email], now=begin)
    sam = people["security-admin@acme.example"]
    if sam.company is not None:
        set_group_email(sam.company, address=ACME_GROUP_EMAIL, by=sam, actor=Actor(sam.email), now=begin)
    for email, days, decider in _GRANTED:
        _grant(people[email], by=people[decider], asked_at=now - timedelta(days=days))


def _name_security_administrator(user: User, *, now: datetime) -> None:
    """What staff do in the admin."""
    user.is_security_administrator = True
    user.save(update_fields=["is_security_administrator"])
    before, after = {"is_security_administrator": False}, {"is_security_administrator": True}
    record("account.changed", actor=SYSTEM, on=audited_account(user), now=now, before=before, after=after)


def _grant(user: User, *, by: User, asked_at: datetime) -> None:
    asked = request_access(user, application=KMP, level=OFFICER_LEVEL, actor=Actor(user.email), now=asked_at)
    decide(asked, by=by, grant=True, reason="", actor=Actor(by.email), now=asked_at + timedelta(days=1))
