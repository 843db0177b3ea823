"""Access requests and claims for tests, made by the use-cases that users call. A test names only what matters to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from audit.events import Actor
from connect.access_requests import decide, request_access
from connect.models import (
    AccessRequest,
    Channel,
    Company,
    CompanyVerification,
    DeliveryState,
    Notice,
    NoticeState,
    User,
    Webhook,
    WebhookDelivery,
)
from connect.officers import KMP, OFFICER_LEVEL
from connect.verification import verify_company
from connect.webhooks import queue_event
from connect.webhooks.administration import add as add_webhook
from tests.factories import make_company, make_user


def make_staff(**fields: Any) -> User:
    """Somebody of the site's staff, who belongs to no company."""
    return make_user(**{"company": None, "is_staff": True, **fields})


def make_security_administrator(company: Company | None = None, **fields: Any) -> User:
    """A Security Administrator of this company, or of a new one."""
    return make_user(company=company or make_company(), is_security_administrator=True, **fields)


def make_access_request(user: User, *, now: datetime | None = None) -> AccessRequest:
    """A pending request for KMP."""
    return request_access(
        user, application=KMP, level=OFFICER_LEVEL, actor=Actor(user.email), now=now or timezone.now()
    )


def grant_access(user: User, *, by: User | None = None, now: datetime | None = None) -> AccessRequest:
    """KMP granted, so that the person is a security officer: by staff, unless told otherwise."""
    request, by = make_access_request(user, now=now), by or make_staff()
    return decide(request, by=by, grant=True, reason="", actor=Actor(by.email), now=now or timezone.now())


def make_claim(user: User | None = None, *, cid: str = "7654321", now: datetime | None = None) -> CompanyVerification:
    """A claim that waits for staff, of a company without a CID."""
    user = user or make_user(company=make_company(cid=None, verified_at=None))
    company = user.company
    if company is None:
        raise ValueError("only a company claims a CID")
    return verify_company(company, cid=cid, by=user, actor=Actor(user.email), now=now or timezone.now())


def make_mail(scope: str, state: NoticeState = NoticeState.SENT, **fields: Any) -> Notice:
    """A mail on a page of notices, in this state."""
    at = fields.pop("created_at", timezone.now())
    recipient = fields.setdefault("recipient", None)
    values: dict[str, Any] = {
        "event": f"test:{uuid4()}",
        "kind": "test",
        "address": recipient.email if recipient else "certificates@acme.example",
        "subject": "Something happened",
        "text": "And this is what to do about it.",
        "company_at": at,
        "due_at": at,
        "sent_at": at if state == NoticeState.SENT else None,
        "attempts": 1 if state in (NoticeState.SENT, NoticeState.FAILED) else 0,
    }
    return Notice.objects.create(**{**values, **fields}, scope=scope, state=state, channel=Channel.MAIL, created_at=at)


def move_clock(company: Company, by: timedelta) -> Company:
    """The company's clock this much further ahead than it was, in the clock run that is on or in a new one.

    It writes the row and the object, and leaves out what the use-case does besides (a ``ClockJump``, an event).
    """
    company.clock_ahead += by
    company.clock_run = company.clock_run or uuid4()
    Company.objects.filter(pk=company.pk).update(clock_ahead=company.clock_ahead, clock_run=company.clock_run)
    return company


def make_webhook(company: Company, url: str, *, scope: str = "", now: datetime | None = None) -> tuple[Webhook, str]:
    """A webhook of the company, or of this scope, and its secret."""
    return add_webhook(
        scope=scope or str(company.pk), company=company, url=url, actor=Actor("officer"), now=now or timezone.now()
    )


def tell(company: Company, *, scope: str = "", now: datetime | None = None, **fields: Any) -> None:
    """Queue an event for the webhooks of the company, or of this scope."""
    values: dict[str, Any] = {
        "event": f"test:{uuid4()}",
        "kind": "test.happened",
        "subject": "Something happened",
        "text": "",
        "link": "/projects/",
        "data": {},
        **fields,
    }
    with transaction.atomic():
        queue_event(scope=scope or str(company.pk), company=company, now=now or timezone.now(), **values)


def make_webhook_message(
    company: Company, *, scope: str = "", url: str = "https://hooks.acme.example/mtls"
) -> WebhookDelivery:
    """A message to a new webhook of the company, or of this scope, that could not be delivered."""
    webhook, _ = make_webhook(company, url, scope=scope)
    tell(company, scope=scope)
    message = WebhookDelivery.objects.get(webhook=webhook)
    message.state, message.attempts, message.answered_status = DeliveryState.FAILED, 12, 503
    message.answer, message.error = "<h1>Service Unavailable</h1>", "The receiver answered 503."
    message.save()
    return message
