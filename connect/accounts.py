"""What sign-in does differently from django-allauth's own way: closed registration, the lock, and the audit log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone

from audit.events import AuditedObject, record
from connect.actors import actor_of, address_of, audited_account
from connect.models import User
from connect.second_factor_notices import tell_locked
from connect.second_factors import SESSION_KEY, has_second_factor
from connect.sessions import begin_session, end_sessions
from connect.sign_in_limit import SignInError, SignInLimit, SignInLocked, SignInUncounted

log = logging.getLogger(__name__)

# The code of a form's error where nothing is wrong with what was typed: Redis is away.
UNCOUNTED = "uncounted"


class AccountAdapter(DefaultAccountAdapter):
    """The site's settings of django-allauth that are code."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "The e-mail address or the password is not right. Check both and try again.",
        "enter_current_password": "This is not your current password. Check it and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: the site's staff create accounts."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The user with this e-mail address and password, else None; inactive accounts answer like wrong passwords.

        Raises:
            ValidationError: the address is locked, or failed attempts cannot be counted.
        """
        user = super().authenticate(request, **credentials)
        if not isinstance(user, User):
            return None
        if not user.is_active:
            self.authentication_failed(request, **credentials)
            return None
        if request.user.is_authenticated or not has_second_factor(user):
            end_good_attempt(user.email)
        else:
            give_attempt_back(user.email)
        return user

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address in the list of sessions, as in the audit log."""
        return address_of(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt, before the password is looked at."""
        begin_attempt(str(credentials["email"]))

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Lock after the last failure that is allowed."""
        end_failed_attempt(request, str(credentials["email"]))

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse | None:
        """Give the session another key before the second step, too: nobody else shares what stands there."""
        request.session.cycle_key()
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Begin a session, and say so in the audit log."""
        with transaction.atomic():
            super().login(request, user)
            if isinstance(user, User):
                begin_session(request, user, now=timezone.now())
                if has_second_factor(user):
                    request.session[SESSION_KEY] = True
            _record(request, "account.signed_in", user)

    def logout(self, request: HttpRequest) -> None:
        """End the session, and say so in the audit log."""
        if request.user.is_authenticated:
            _record(request, "account.signed_out", request.user)
        super().logout(request)

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Store the new password and the audit event. Every other session of the user ends: its hash no longer fits."""
        with transaction.atomic():
            super().set_password(user, password)
            if isinstance(user, User):
                end_sessions(user, keep=self.request.session.session_key)
            _record(self.request, "account.password_changed", user)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to work; the message there says that it is done."""
        return resolve_url("home")


def begin_attempt(email: str) -> None:
    """Count an attempt to give the password of this address.

    Raises:
        ValidationError: locked, or not countable; with a sentence for the person.
    """
    with _refusal_as_form_error():
        SignInLimit(email).begin(timezone.now())


def end_good_attempt(email: str) -> None:
    """The password was right: forget the failures before it.

    Raises:
        ValidationError: not countable; with a sentence for the person.
    """
    with _refusal_as_form_error():
        SignInLimit(email).succeeded()


def give_attempt_back(email: str) -> None:
    """The password was right, and a second step follows: neither a failure nor yet a success.

    Raises:
        ValidationError: not countable; with a sentence for the person.
    """
    with _refusal_as_form_error():
        SignInLimit(email).give_back()


def end_failed_attempt(request: HttpRequest, email: str, *, knew_password: bool = False) -> None:
    """The password or code was wrong: lock if this was one too many, and say so in the audit log.

    Where the lock follows wrong codes after the right password, its owner is told.

    Raises:
        ValidationError: locked now, or not countable; with a sentence for the person.
    """
    # Not the address that was typed: people type passwords there, too.
    log.warning("A sign-in from %s failed at the %s.", address_of(request), "code" if knew_password else "password")
    with _refusal_as_form_error():
        try:
            SignInLimit(email).failed(timezone.now())
        except SignInLocked:
            # Written for unknown addresses too, without naming them, so that both take the same time.
            user = User.objects.filter(email=email.strip().lower()).first()
            with transaction.atomic():
                _record(request, "account.locked", user)
                if user is not None and knew_password:
                    tell_locked(user, now=timezone.now())
            raise


@contextmanager
def _refusal_as_form_error() -> Iterator[None]:
    try:
        yield
    except SignInUncounted as error:
        raise ValidationError(str(error), code=UNCOUNTED) from error
    except SignInError as error:
        raise ValidationError(str(error), code="refused") from error


def _record(request: HttpRequest, action: str, user: AbstractBaseUser | None) -> None:
    account = AuditedObject(type="account", id="", label="an unknown address")
    if isinstance(user, User):
        account = audited_account(user)
    record(action, actor=actor_of(request), on=account, now=timezone.now())
