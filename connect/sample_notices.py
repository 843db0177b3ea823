"""An invented example of each of Connect's own notices."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from connect.expiry import digest
from connect.expiry.letter import context_of
from connect.expiry.mail import EXPIRED, EXPIRES, subject_of
from connect.expiry.sources import Lifetime, sources
from connect.models import Company, User
from connect.samples import Example, register

_SERIAL = "0d77f12c98b64ee3501ac9846bdf3502"
_FINGERPRINT = "5e1f0c8a9b3d47264f21ac08de7713b95c60fa2e8844d1937b05ce62f9a81d40"


def lifetime(user: User, *, days_left: int, now: datetime) -> Lifetime:
    """A certificate that exists nowhere, of this person's company, with so many days left."""
    ends_at = now + timedelta(days=days_left)
    source = sources()[0]
    return Lifetime(
        source=source.name,
        key=UUID(int=0),
        company=user.company or Company(name="Harbour & Vale Bank"),
        scope="",
        name="payouts-2026",
        common_name="1769990400-Client-PROD-245901",
        serial=_SERIAL,
        fingerprint=_FINGERPRINT,
        issuer="Developers CA 1",
        environment="Production",
        place="Cross-Border Payouts",
        begins_at=ends_at - timedelta(days=396),
        expires_at=ends_at,
        since=ends_at - timedelta(days=396),
        url=reverse("connect:notice_settings"),
        act_label="Rotate payouts-2026",
        act_url=reverse("connect:notice_settings"),
        last_used_at=now - timedelta(hours=3),
    )


def _expiry(days_left: int, user: User, now: datetime) -> Example:
    about = lifetime(user, days_left=days_left, now=now)
    # Shown in real time, so that the sample of a company whose clock is ahead tells of one clock only.
    about = replace(about, company=Company(name=about.company.name))
    context = context_of(about, address=user.email, is_over=days_left < 0, real=now, now=now)
    return Example(about.act_url, {**context, "subject_line": subject_of(about, days_left, now=now)})


def _digest(user: User, now: datetime) -> Example:
    ends = {"payouts-2026": 30, "ledger-test": 5}
    items = [
        digest.Item(
            replace(lifetime(user, days_left=days, now=now), name=name, act_label=f"Rotate {name}"), days, False
        )
        for name, days in sorted(ends.items(), key=lambda end: end[1])
    ]
    # In real time, too.
    context = {**digest.context_of(items, user, now=now), "company_now": None}
    return Example(reverse("connect:notice_settings"), context)


def _access(user: User, now: datetime, *, link: str = "connect:items", is_given_up: bool = False) -> Example:
    context = {
        "person": "Olga Brandt",
        "email": "olga.brandt@harbourvale.example",
        "company_name": "Harbour & Vale Bank",
        "application": "Key Management Portal",
        "level": "Security officer",
        "reason": "Olga has moved to another department.",
        "decided_by": "Sam Whitfield",
        "is_given_up": is_given_up,
    }
    return Example(reverse(link), context)


def _verification(user: User, now: datetime) -> Example:
    context = {
        "person": "Alice Marlow",
        "email": "alice.marlow@harbourvale.example",
        "company_name": "Harbour & Vale Bank",
        "cid": "245901",
        "reason": "The CID on the contract is another one.",
    }
    return Example(reverse("connect:company"), context)


def _account(user: User, now: datetime, **more: object) -> Example:
    return Example(reverse("account_security"), {"name": user.name, **more})


def register_all() -> None:
    """Every kind that Connect tells of."""
    register(EXPIRES, "A certificate expires in 30 days", partial(_expiry, 30))
    register(EXPIRED, "A certificate expired 7 days ago", partial(_expiry, -7))
    register(digest.KIND, "The weekly digest", _digest)
    register("connect.access-requested", "Somebody requests access", partial(_access, link="connect:inbox"))
    register("connect.access-granted", "Access was granted", _access)
    register("connect.access-refused", "Access was refused", _access)
    register("connect.access-withdrawn", "Access was withdrawn", _access)
    register("connect.verification-requested", "A company claims a CID", _verification)
    register("connect.company-verified", "A company was verified", _verification)
    register("connect.verification-refused", "A claim of a CID was refused", _verification)
    added = partial(_account, factor="authenticator app", is_first=True)
    register("account.two-factor-added", "A second factor was added", added)
    removed = partial(_account, factor="passkey “Laptop”", is_last=False, by_staff=False)
    register("account.two-factor-removed", "A second factor was removed", removed)
    register("account.recovery-codes-made", "Recovery codes were made", _account)
    register("account.recovery-code-used", "A recovery code was used", partial(_account, left=7))
    locked = partial(_account, minutes=settings.SIGN_IN_LOCK_SECONDS // 60)
    register("account.second-step-locked", "The second step is locked", locked)
