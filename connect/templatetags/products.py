"""What the top bar offers to whom."""

from __future__ import annotations

from django.template import Library
from django.urls import NoReverseMatch, reverse

from connect.administrators import has_inbox
from connect.models import User
from connect.officers import is_officer

register = Library()

# Key Management's first page, then the one that stands open to every member of the staff.
_STAFF_PAGES = ("kmp:review_queue", "kmp:support")


@register.simple_tag
def kmp_url(user: User) -> str:
    """Where KMP begins for this person: officers have the inventory, staff their queue, others nothing."""
    if user.is_staff and not (user.company_id and is_officer(user)):
        return _first(_STAFF_PAGES)
    return reverse("kmp:inventory") if is_officer(user) else ""


@register.filter
def decides(user: User) -> bool:
    """Whether this person has an inbox of access requests."""
    return has_inbox(user)


def _first(names: tuple[str, ...]) -> str:
    for name in names:
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""
