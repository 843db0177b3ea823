"""Steps of tests about second factors. Codes are made here by RFC 6238, and not by what is tested."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
from datetime import datetime

from django.test import Client
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect import second_factors
from connect.models import Notice, User
from tests.factories import PASSWORD

LOGIN = "/accounts/login/"
STEP = "/accounts/second-step/"
CONFIRM = "/accounts/confirm/"
SECURITY = "/accounts/security/"
APP = "/accounts/security/app/"
CODES = "/accounts/security/recovery-codes/"
SECRET = base64.b32encode(b"12345678901234567890").decode()


def app_code(secret: str = SECRET, *, at: datetime | None = None, steps: int = 0) -> str:
    """What the app shows at this moment, or some steps of 30 seconds later (RFC 6238, 4; RFC 4226, 5.3)."""
    counter = int((at or timezone.now()).timestamp()) // 30 + steps
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    place = digest[-1] & 15
    number = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def wrong_code(secret: str = SECRET) -> str:
    """Six digits that are no code of these minutes."""
    near = {app_code(secret, steps=steps) for steps in range(-5, 6)}
    return next(code for code in (f"{number:06}" for number in range(100)) if code not in near)


def give_app(user: User, *, secret: str = SECRET) -> None:
    """Set up an authenticator app, five minutes ago as far as used codes are concerned."""
    code = app_code(secret)
    actor = Actor(user.email)
    second_factors.add_app(user, secret=secret, code=code, keep=None, actor=actor, now=timezone.now())
    row = second_factors.factors_of(user).app
    assert row is not None
    row.data["last_step"] -= 10
    row.save()


def give_password(client: Client, user: User, **extra: str) -> str:
    """Where the sign-in form led."""
    response = client.post(LOGIN, {"login": user.email, "password": PASSWORD, **extra})
    return response.headers.get("Location", "")


def give_code(client: Client, code: str) -> str:
    """Where the second step led, or "" where it stayed."""
    return client.post(STEP, {"code": code}).headers.get("Location", "")


def confirm(client: Client) -> None:
    """Confirm by password that it is the person."""
    response = client.post(CONFIRM, {"password": PASSWORD})
    assert response.status_code == 302


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def codes_on(html: str) -> list[str]:
    """The recovery codes that a page shows."""
    return re.findall(r"<li>(\d{4}-\d{4})</li>", html)


def secret_on(html: str) -> str:
    """The key on the page that sets up an app."""
    return html.split('id="totp-key"><pre tabindex="0">', 1)[1].split("</pre>", 1)[0].replace(" ", "")


def set_up_app(client: Client) -> str:
    """Set up an app on the page; its key."""
    secret = secret_on(client.get(APP).content.decode())
    assert client.post(APP, {"code": app_code(secret)}).headers["Location"] == CODES
    return secret


def actions() -> list[str]:
    """What the audit log tells, in order."""
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def kinds() -> list[str]:
    """The kinds of the mails that were stored, in order."""
    return list(Notice.objects.filter(channel="mail").order_by("created_at", "id").values_list("kind", flat=True))
