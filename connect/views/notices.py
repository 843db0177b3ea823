"""The bell: what the signed-in person was told on this site."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from connect import notices
from connect.actors import signed_in
from connect.models import Notice, User

_ON_PAGE = 25


@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """Notices of the signed-in person, newest first; ``?before=`` names the last one that was seen."""
    user = signed_in(request)
    rows = notices.bell_of(user)
    before = request.GET.get("before", "")
    if before:
        last = _own(user, before)
        rows = rows.filter(created_at__lte=last.created_at).exclude(created_at=last.created_at, pk__gte=last.pk)
    found = list(rows[: _ON_PAGE + 1])
    context = {
        "notices": found[:_ON_PAGE],
        "older": found[_ON_PAGE - 1].pk if len(found) > _ON_PAGE else None,
        "is_first": not before,
        "unread": notices.unread_count(user, at_most=1),
    }
    return render(request, "connect/notices.html", context)


@require_POST
def open_notice(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Mark one notice as read, and go where it leads."""
    user = signed_in(request)
    notice = _own(user, str(notice_id))
    notices.mark_read(user, now=timezone.now(), only=notice)
    leads_here = notice.link and url_has_allowed_host_and_scheme(notice.link, allowed_hosts=None)
    return redirect(notice.link if leads_here else "connect:notices")


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark every notice as read."""
    notices.mark_read(signed_in(request), now=timezone.now())
    return redirect("connect:notices")


def _own(user: User, key: str) -> Notice:
    """One notice of this person. Raises 404 for any other."""
    try:
        notice = notices.bell_of(user).filter(pk=UUID(key)).first()
    except ValueError:
        notice = None
    if notice is None:
        raise Http404
    return notice
