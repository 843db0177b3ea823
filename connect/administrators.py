"""Security Administrators: who decides in a company which of its people may open what."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet

from connect.models import AccessRequest, Company, User


def security_administrators_of(company: Company) -> QuerySet[User]:
    """The company's Security Administrators who may sign in, by name."""
    return _administrators().filter(company=company).order_by("name", "email")


def site_staff() -> QuerySet[User]:
    """The site's own staff who may sign in."""
    return User.objects.filter(is_staff=True, is_active=True).order_by("name", "email")


def decidable_by(user: User) -> QuerySet[AccessRequest]:
    """The access requests, in whatever state, that this person may decide on.

    A Security Administrator decides for the same company, and nobody on a request of their own. Staff decide where the
    company has no Security Administrator, or where the only one is who asks.
    """
    if not user.is_active:
        return AccessRequest.objects.none()
    rule = Q(pk__in=[])
    if user.is_security_administrator and user.company_id is not None:
        rule |= Q(company=user.company_id)
    if user.is_staff:
        others = _administrators().filter(company=OuterRef("company")).exclude(pk=OuterRef("user"))
        rule |= Q(~Exists(others))
    return AccessRequest.objects.filter(rule).exclude(user=user)


def has_inbox(user: User) -> bool:
    """Whether this person may ever decide on access requests."""
    return user.is_staff or (user.is_security_administrator and user.company_id is not None)


def may_decide(user: User, request: AccessRequest) -> bool:
    """Whether this person may decide on the request, and withdraw what it grants."""
    return decidable_by(user).filter(pk=request.pk).exists()


def deciders_of(request: AccessRequest) -> Iterable[User]:
    """Whom to tell that somebody waits for a decision."""
    administrators = list(security_administrators_of(request.company).exclude(pk=request.user_id))
    return administrators or list(site_staff().exclude(pk=request.user_id))


def _administrators() -> QuerySet[User]:
    return User.objects.filter(is_security_administrator=True, is_active=True)
