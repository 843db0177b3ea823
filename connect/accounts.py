"""What sign-in does differently from django-allauth's own way: closed registration, the lock, and the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils import timezone

from audit.events import AuditedObject, record
from connect.actors import actor_of
from connect.models import User
from connect.sign_in_limit import SignInError, SignInLimit, SignInLocked


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
        end_good_attempt(user.email)
        return user

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt, before the password is looked at."""
        begin_attempt(str(credentials["email"]))

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Lock after the last failure that is allowed."""
        end_failed_attempt(request, str(credentials["email"]))

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Begin a session, and say so in the audit log."""
        with transaction.atomic():
            super().login(request, user)
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


def end_failed_attempt(request: HttpRequest, email: str) -> None:
    """The password was wrong: lock if this was one too many, and say so in the audit log.

    Raises:
        ValidationError: locked now, or not countable; with a sentence for the person.
    """
    with _refusal_as_form_error():
        try:
            SignInLimit(email).failed(timezone.now())
        except SignInLocked:
            # Written for unknown addresses too, without naming them, so that both take the same time.
            _record(request, "account.locked", User.objects.filter(email=email.strip().lower()).first())
            raise


@contextmanager
def _refusal_as_form_error() -> Iterator[None]:
    try:
        yield
    except SignInError as error:
        raise ValidationError(str(error), code="refused") from error


def _record(request: HttpRequest, action: str, user: AbstractBaseUser | None) -> None:
    account = AuditedObject(type="account", id="", label="an unknown address")
    if isinstance(user, User):
        company = str(user.company_id or "")
        account = AuditedObject(type="account", id=str(user.pk), label=user.email, company=company)
    record(action, actor=actor_of(request), on=account, now=timezone.now())
