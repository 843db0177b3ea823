"""The second step of sign-in, and the page that asks whoever is signed in to confirm that it is they."""

from __future__ import annotations

from typing import cast

from allauth.account.stages import LoginStageController
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.stages import AuthenticateStage
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from connect.actors import signed_in
from connect.confirmation import confirm
from connect.factor_forms import CodeForm, PasskeyForm, PasswordAnswerForm
from connect.models import User
from connect.passkeys import request_options
from connect.second_factors import Factors, factors_of
from connect.views.errors import status_of

_AnswerForm = CodeForm | PasskeyForm | PasswordAnswerForm


@login_not_required
@never_cache
@sensitive_post_parameters("code", "credential")
@require_http_methods(["GET", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for a code or a passkey, after the right password."""
    if request.user.is_authenticated:
        return redirect("home")
    stage = LoginStageController.enter(request, AuthenticateStage.key)
    if stage is None:
        return redirect("account_login")
    user = User.objects.filter(pk=stage.login.user.pk, is_active=True).first()
    factors = factors_of(user) if user else None
    if user is None or factors is None or not factors.is_on or "cancel" in request.POST:
        # Also where staff have removed the factors meanwhile: the next sign-in asks for the password alone.
        return cast(HttpResponse, stage.abort())
    forms = _forms(request, user, factors)
    sent = _sent(request, forms)
    if sent is not None and sent.is_valid():
        post_authentication(request, sent.row)
        return cast(HttpResponse, stage.exit())
    return render(request, "mfa/authenticate.html", _context(user, factors, forms), status=status_of(sent))


@never_cache
@sensitive_post_parameters("code", "credential", "password")
@require_http_methods(["GET", "POST"])
def confirm_it_is_you(request: HttpRequest) -> HttpResponse:
    """Ask for the password, a code or a passkey, and go on to the page that wanted it."""
    user = signed_in(request)
    factors = factors_of(user)
    forms = _forms(request, user, factors)
    if user.has_usable_password():
        forms["password"] = PasswordAnswerForm(_data(request, "password"), user=user, request=request)
    way = _way(request)
    sent = _sent(request, forms)
    if sent is not None and sent.is_valid():
        if sent.row is None:
            confirm(request, "password")
        else:
            post_authentication(request, sent.row, reauthenticated=True)
        return redirect(way or "account_security")
    context = {**_context(user, factors, forms), "next": way}
    return render(request, "account/reauthenticate.html", context, status=status_of(sent))


def _forms(request: HttpRequest, user: User, factors: Factors) -> dict[str, _AnswerForm]:
    """The ways that this person has, by the name of their field."""
    forms: dict[str, _AnswerForm] = {}
    if factors.app or factors.codes_left:
        forms["code"] = CodeForm(_data(request, "code"), user=user, request=request)
    if factors.passkeys:
        forms["credential"] = PasskeyForm(_data(request, "credential"), user=user, request=request)
    return forms


def _data(request: HttpRequest, name: str) -> dict[str, str] | None:
    """What was sent for this way: a form that holds another is not checked at all."""
    return {name: request.POST[name]} if request.method == "POST" and name in request.POST else None


def _sent(request: HttpRequest, forms: dict[str, _AnswerForm]) -> _AnswerForm | None:
    return next((form for form in forms.values() if form.is_bound), None)


def _context(user: User, factors: Factors, forms: dict[str, _AnswerForm]) -> dict[str, object]:
    return {
        "account": user,
        "factors": factors,
        "password_form": forms.get("password"),
        "code_form": forms.get("code"),
        "passkey_form": forms.get("credential"),
        "options": request_options(user) if "credential" in forms else "",
    }


def _way(request: HttpRequest) -> str:
    """The page of this site to go on to."""
    way = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(way, allowed_hosts=None) and way.startswith("/")
    return way if is_ours else ""
