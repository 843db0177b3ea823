"""Who is told what about access to an application. Called inside the transaction that makes the change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from connect import notices
from connect.administrators import deciders_of
from connect.catalogue import application_of
from connect.models import AccessRequest, AccessState, User
from connect.records import names_of


def tell_requested(request: AccessRequest, *, now: datetime) -> None:
    """Tell those who can decide."""
    link = reverse("connect:inbox_item", args=[request.pk])
    _tell("connect.access-requested", request, to=deciders_of(request), link=link, now=now)


def tell_decided(request: AccessRequest, *, now: datetime) -> None:
    """Tell the person who asked."""
    if request.state == AccessState.REFUSED:
        _tell("connect.access-refused", request, to=[request.user], link=reverse("connect:items"), now=now)
        return
    application = application_of(request.application)
    link = reverse(application.url_name) if application else reverse("connect:items")
    _tell("connect.access-granted", request, to=[request.user], link=link, now=now)


def tell_withdrawn(request: AccessRequest, *, now: datetime) -> None:
    """Tell the person who has lost access; where the person gave it up, those who could have withdrawn it."""
    if request.decided_by_id == request.user_id:
        link = reverse("connect:inbox_item", args=[request.pk])
        _tell("connect.access-withdrawn", request, to=deciders_of(request), link=link, now=now)
        return
    _tell("connect.access-withdrawn", request, to=[request.user], link=reverse("connect:items"), now=now)


def _tell(kind: str, request: AccessRequest, *, to: Iterable[User], link: str, now: datetime) -> None:
    application, level = names_of(request)
    by = request.decided_by
    notices.announce(
        kind,
        event=f"{kind}:{request.pk}",
        to=notices.people(to),
        company=request.company,
        # Those who decide may be of the site's staff, whom the company's page does not name.
        scope=str(request.company_id) if to == [request.user] else "",
        link=link,
        now=now,
        context={
            "person": request.user.name,
            "email": request.user.email,
            "company_name": request.company.name,
            "application": application,
            "level": level,
            "reason": request.reason,
            "decided_by": by.name if by else "",
            "is_given_up": by == request.user,
        },
    )
