"""Recovery codes: shown once, to print or to download, and made anew."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from connect import second_factors
from connect.actors import actor_of, signed_in
from connect.confirmation import confirmed
from connect.errors import NoFactor
from connect.recovery_codes import are_shown, begin_showing, end_showing


@never_cache
@require_http_methods(["GET", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """The new codes while they are shown; else what to know before making new ones."""
    if request.method == "POST" and request.POST.get("do") == "kept":
        end_showing(request)
        return redirect("account_security")
    if request.method == "GET" and are_shown(request):
        codes = [_grouped(code) for code in second_factors.recovery_codes_of(signed_in(request))]
        return render(request, "mfa/recovery_codes.html", {"codes": codes})
    return _make(request)


@never_cache
@require_safe
def download(request: HttpRequest) -> HttpResponse:
    """The codes as a text file, while they are shown."""
    if not are_shown(request):
        raise PermissionDenied("Recovery codes are shown once, when they are made. Make new ones to download them.")
    user = signed_in(request)
    codes = [_grouped(code) for code in second_factors.recovery_codes_of(user)]
    context = {"codes": codes, "email": user.email, "now": timezone.now()}
    response = render(request, "mfa/recovery_codes.txt", context, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
    return response


@confirmed
def _make(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if request.method == "POST":
        try:
            second_factors.make_recovery_codes(user, actor=actor_of(request), now=timezone.now())
        except NoFactor as error:
            messages.error(request, str(error))
            return redirect("account_security")
        begin_showing(request)
        return redirect("account_recovery_codes")
    factors = second_factors.factors_of(user)
    if not factors.is_on:
        return redirect("account_security")
    return render(request, "mfa/recovery_codes_new.html", {"factors": factors})


def _grouped(code: str) -> str:
    """Digits in two groups, as they are copied by hand. Sign-in takes them with or without the hyphen."""
    middle = len(code) // 2
    return f"{code[:middle]}-{code[middle:]}"
