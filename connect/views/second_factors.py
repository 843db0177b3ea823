"""`Sign-in and security`: the password, the second factors, the recovery codes, and where one is signed in."""

from __future__ import annotations

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from certauthority.sealing import Unreadable, seal, unseal
from connect import passkeys, second_factors
from connect.actors import actor_of, signed_in
from connect.confirmation import confirmed
from connect.errors import ConnectError
from connect.factor_forms import AppForm, NewPasskeyForm, PasskeyNameForm
from connect.qr_code import qr_code
from connect.recovery_codes import begin_showing
from connect.second_factors import SESSION_KEY, factors_of
from connect.sessions import count_elsewhere
from connect.two_factor_rule import why_needed

_SECRET = "second_factor_secret"  # noqa: S105  the name of a place in the session


@never_cache
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Everything about one's own sign-in, on one page."""
    user = signed_in(request)
    others = count_elsewhere(user, current=request.session.session_key, now=timezone.now())
    context = {"factors": factors_of(user), "why": why_needed(user), "others": others}
    return render(request, "mfa/index.html", context)


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@confirmed
def set_up_app(request: HttpRequest) -> HttpResponse:
    """Show a secret as a QR code and as text, and take the first code that an app makes of it."""
    user = signed_in(request)
    if factors_of(user).app:
        return redirect("account_security")
    secret = _pending_secret(request)
    form = AppForm(request.POST or None)
    if form.is_valid():
        code, keep = form.cleaned_data["code"], request.session.session_key
        try:
            is_first = second_factors.add_app(
                user, secret=secret, code=code, keep=keep, actor=actor_of(request), now=timezone.now()
            )
        except ConnectError as error:
            form.add_error("code", str(error))
        else:
            del request.session[_SECRET]
            return _factor_added(request, "The authenticator app is set up.", is_first=is_first)
    url = get_adapter().build_totp_url(user, secret)
    grouped = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    context = {"form": form, "url": url, "code": qr_code(url), "secret": secret, "grouped": grouped}
    return render(request, "mfa/totp.html", context)


@never_cache
@sensitive_post_parameters("credential")
@require_http_methods(["GET", "POST"])
@confirmed
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Have the browser make a passkey, and keep its public part."""
    user = signed_in(request)
    name = f"Passkey {len(factors_of(user).passkeys) + 1}"
    form = NewPasskeyForm(request.POST or None, initial={"name": name})
    if form.is_valid():
        is_first = second_factors.add_passkey(
            user,
            name=form.cleaned_data["name"],
            credential=form.checked,
            keep=request.session.session_key,
            actor=actor_of(request),
            now=timezone.now(),
        )
        return _factor_added(request, "The passkey is added.", is_first=is_first)
    options = passkeys.creation_options(user)
    return render(request, "mfa/passkey_add.html", {"form": form, "options": options})


@require_http_methods(["GET", "POST"])
@confirmed
def rename_passkey(request: HttpRequest, factor_id: int) -> HttpResponse:
    """Give one's passkey another name."""
    row = second_factors.passkey_of(signed_in(request), factor_id)
    if row is None:
        raise Http404
    form = PasskeyNameForm(request.POST or None, initial={"name": row.data["name"]})
    if form.is_valid():
        name = form.cleaned_data["name"]
        second_factors.rename_passkey(row, name=name, actor=actor_of(request), now=timezone.now())
        messages.success(request, "The passkey has its new name.")
        return redirect("account_security")
    return render(request, "mfa/passkey_rename.html", {"form": form, "name": row.data["name"]})


@require_http_methods(["GET", "POST"])
@confirmed
def remove_factor(request: HttpRequest, factor_id: int) -> HttpResponse:
    """Remove one's app or one of one's passkeys."""
    user = signed_in(request)
    own = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    row = get_object_or_404(own, pk=factor_id)
    factors = factors_of(user)
    is_last = len(factors.passkeys) + bool(factors.app) == 1
    if request.method == "POST":
        keep = request.session.session_key
        try:
            is_last = second_factors.remove(user, row, keep=keep, actor=actor_of(request), now=timezone.now())
        except ConnectError as error:
            messages.error(request, str(error))
            return redirect("account_security")
        if is_last:
            request.session.pop(SESSION_KEY, None)
        messages.success(
            request, "It is removed. Sign-in asks for your password alone." if is_last else "It is removed."
        )
        return redirect("account_security")
    name = row.data["name"] if row.type == Authenticator.Type.WEBAUTHN else ""
    context = {"name": name, "is_last": is_last, "why": why_needed(user) if is_last else ""}
    return render(request, "mfa/remove.html", context)


def _factor_added(request: HttpRequest, sentence: str, *, is_first: bool) -> HttpResponse:
    request.session[SESSION_KEY] = True
    messages.success(request, sentence)
    if not is_first:
        return redirect("account_security")
    begin_showing(request)
    return redirect("account_recovery_codes")


def _pending_secret(request: HttpRequest) -> str:
    """The secret that this session is setting up: the same after a reload, or the QR code just scanned were wrong."""
    try:
        return unseal(str(request.session.get(_SECRET, "")), purpose=_SECRET)
    except Unreadable:
        secret = str(generate_totp_secret())
        request.session[_SECRET] = seal(secret, purpose=_SECRET)
        return secret
