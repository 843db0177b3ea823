"""Who needs a second factor to sign in: whoever decides or signs for others (``TWO_FACTOR_REQUIRED``)."""

from __future__ import annotations

from django.conf import settings

from connect.models import User
from connect.officers import is_officer


def why_needed(user: User) -> str:
    """The sentence that says why this person needs a second factor; "" where it is their own choice."""
    if not settings.TWO_FACTOR_REQUIRED:
        return ""
    if user.is_staff:
        return "You belong to the site’s staff, who can change every account."
    if user.is_security_administrator:
        return "You are a Security Administrator, and decide who of your company gets access."
    if is_officer(user):
        return "You are a security officer, and request certificates in the name of your company."
    return ""
