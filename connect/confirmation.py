"""Whoever changes how they sign in confirms first that it is they, and not somebody at their open browser."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from connect.actors import signed_in

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponse]


def is_confirmed(request: HttpRequest) -> bool:
    """Whether this session's person has confirmed it in the last minutes (``ACCOUNT_REAUTHENTICATION_TIMEOUT``)."""
    since = timezone.now().timestamp() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    records = get_authentication_records(request, signed_in(request))
    return any(record.get("reauthenticated") and record["at"] > since for record in records)


def confirm(request: HttpRequest, method: str) -> None:
    """Remember that the person has confirmed it by ``password`` or ``mfa``."""
    record_authentication(request, signed_in(request), method=method, reauthenticated=True)


def confirmed(view: View[Arguments]) -> View[Arguments]:
    """Lead to the page that asks first. What was sent is not kept: the person does it again."""

    @wraps(view)
    def asked_first(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        if is_confirmed(request):
            return view(request, *args, **kwargs)
        if request.method == "POST":
            messages.info(request, "Nothing was changed. Confirm that it is you, and do it again.")
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")

    return asked_first
