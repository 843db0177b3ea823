"""The notices of a company: about its certificates of KMP, and about the company itself."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from connect import access
from connect.actors import actor_of, signed_in
from connect.models import Company
from connect.notice_log import try_again
from connect.notice_pages import notices_context
from connect.officers import is_officer
from connect.records import audited_company


@require_safe
def company_notices(request: HttpRequest) -> HttpResponse:
    """What was sent, what is due and what is to come, for its security officers and Security Administrators."""
    user = signed_in(request)
    own = access.company_with_notices(user)
    extra = {"may_open": is_officer(user), "may_see_webhooks": True}
    return company_notices_page(request, own, template="connect/company_notices.html", extra=extra)


def company_notices_page(
    request: HttpRequest, own: Company, *, template: str, extra: Mapping[str, object]
) -> HttpResponse:
    """The same page inside another navigation. ``extra`` is context; who may see it was judged already."""
    context = notices_context(
        request,
        scope=str(own.pk),
        company=own,
        here=request.path,
        retry_url=lambda key: reverse("connect:company_notice_retry", args=[key]),
        now=timezone.now(),
    )
    return render(request, template, {"company": own, **context, **extra})


@require_POST
def company_notice_retry(request: HttpRequest, company_notice_id: UUID) -> HttpResponse:
    """Have the failed mails of one event sent again."""
    own, mail = access.company_mail_of(signed_in(request), company_notice_id)
    count = try_again(mail, on=audited_company(own), actor=actor_of(request), now=timezone.now())
    messages.success(request, said_of_retry(count))
    return redirect("connect:company_notices")


def said_of_retry(count: int) -> str:
    """What a page says when mails were made due again."""
    if not count:
        return "Nothing of it has failed any more."
    return f"{count} mail{'' if count == 1 else 's'} will be tried again within a minute."
