"""The forms of sign-in: django-allauth's, in this site's words."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm
from allauth.core import context
from django.conf import settings
from django.core.exceptions import ValidationError

from connect.accounts import begin_attempt, end_failed_attempt, end_good_attempt
from connect.models import User
from connect.typed_fields import EmailField


class SignInForm(LoginForm):
    """E-mail address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email, password = EmailField(label="E-mail address", max_length=254), self.fields["password"]
        email.error_messages["invalid"] = "This is not an e-mail address. It looks like name@company.example."
        email.widget.attrs = {"autocomplete": "username", "maxlength": "254"}
        self.fields["login"] = email
        password.label = "Password"
        password.widget.attrs = {"autocomplete": "current-password", "maxlength": "4096"}
        password.help_text = (
            f"{settings.SIGN_IN_FAILURES} failed attempts lock an account for "
            f"{settings.SIGN_IN_LOCK_SECONDS // 60} minutes."
        )


class PasswordForm(ChangePasswordForm):
    """The current password and, twice, a new one. Wrong current passwords count like failed sign-ins."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label, autocomplete in (
            ("oldpassword", "Current password", "current-password"),
            ("password1", "New password", "new-password"),
            ("password2", "New password, again", "new-password"),
        ):
            self.fields[name].label = label
            self.fields[name].help_text = ""
            self.fields[name].widget.attrs = {"autocomplete": autocomplete, "maxlength": "4096"}
        self.fields[
            "password1"
        ].help_text = (
            "At least 12 characters, not only digits, not a common password, and not like your name or address."
        )

    def clean_oldpassword(self) -> str:
        user = self.user
        if not isinstance(user, User):
            raise TypeError("only a signed-in person changes a password")
        begin_attempt(user.email)
        try:
            password = str(super().clean_oldpassword())
        except ValidationError:
            end_failed_attempt(context.request, user.email)
            raise
        end_good_attempt(user.email)
        return password
