"""What the top bar offers to whom."""

from __future__ import annotations

from django.template import Library
from django.urls import reverse

from connect.administrators import has_inbox
from connect.models import User
from connect.officers import is_officer

register = Library()


@register.simple_tag
def kmp_url(user: User, officer: object = None) -> str:
    """Where KMP begins for this person: officers have the inventory, staff the review queue, others nothing.

    ``officer`` is what a page of KMP knows of the same person already, and saves the question whether it is one.
    """
    if user.company_id and (getattr(officer, "user", None) == user or is_officer(user)):
        return reverse("kmp:inventory")
    return reverse("kmp:review_queue") if user.is_staff else ""


@register.filter
def decides(user: User) -> bool:
    """Whether this person has an inbox of access requests."""
    return has_inbox(user)
