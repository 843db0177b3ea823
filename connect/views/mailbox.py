"""`Mailbox`: the mails of demo mode. Where there is a mail server, as in production, these addresses do not exist."""

from __future__ import annotations

from uuid import UUID

from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from connect.actors import signed_in
from connect.mailbox import mails_for

_ON_PAGE = 25
# A mail styles itself, as mail programs need it, and may do nothing else.
_MAIL_POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'none'"],
    "connect-src": ["'none'"],
    "img-src": ["'none'"],
    "font-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "frame-ancestors": ["'none'"],
    "form-action": ["'none'"],
    "base-uri": ["'none'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox", "allow-top-navigation-by-user-activation"],
}


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """The newest mails that reached the signed-in person, or their company's group mailbox."""
    _only_without_mail_server()
    rows = mails_for(signed_in(request))
    before = request.GET.get("before", "")
    if before:
        try:
            last = get_object_or_404(rows, pk=UUID(before))
        except ValueError:
            raise Http404 from None
        rows = rows.filter(received_at__lte=last.received_at).exclude(received_at=last.received_at, pk__gte=last.pk)
    found = list(rows[: _ON_PAGE + 1])
    older = found[_ON_PAGE - 1].pk if len(found) > _ON_PAGE else None
    return render(request, "connect/mailbox.html", {"mails": found[:_ON_PAGE], "older": older, "is_first": not before})


@require_safe
def mail(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """One mail as text."""
    _only_without_mail_server()
    found = get_object_or_404(mails_for(signed_in(request)), pk=mail_id)
    return render(request, "connect/mail.html", {"mail": found})


@require_safe
@csp_replace(_MAIL_POLICY)  # type: ignore[arg-type]  # the library types views without arguments only
def mail_html(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """One mail as mail programs show it."""
    _only_without_mail_server()
    found = get_object_or_404(mails_for(signed_in(request)).exclude(html=""), pk=mail_id)
    return HttpResponse(found.html)


def _only_without_mail_server() -> None:
    if not settings.HAS_MAILBOX:
        raise Http404
