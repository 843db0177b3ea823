"""Forms of the second step and of what it is made of. A code is checked, and used up, while its form is validated."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from audit.events import Actor
from connect import passkeys, second_factors
from connect.accounts import begin_attempt, end_failed_attempt, end_good_attempt
from connect.actors import actor_of
from connect.errors import WrongCode
from connect.models import User
from connect.text import validate_plain_text
from connect.typed_fields import LineField

_CODE_ATTRS = {
    "autocomplete": "one-time-code",
    "inputmode": "numeric",
    "autocapitalize": "off",
    "spellcheck": "false",
    "class": "mono",
}
_NO_PASSKEY = "Your browser sent no passkey. Passkeys need JavaScript; without it, use a code."


class _AnsweringForm(forms.Form):
    """A form by which somebody proves who they are. Failures count like failed sign-ins, and ten lock."""

    def __init__(self, *args: Any, user: User, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.request = user, request
        self.row: Authenticator | None = None

    @property
    def _actor(self) -> Actor:
        return Actor(name=self.user.email, address=actor_of(self.request).address)

    def _refuse(self, sentence: str) -> ValidationError:
        """Count the failure.

        Raises:
            ValidationError: it was one too many.
        """
        # Who is not signed in yet has come here by the right password.
        end_failed_attempt(self.request, self.user.email, knew_password=not self.request.user.is_authenticated)
        return ValidationError(sentence, code="wrong")


class PasswordAnswerForm(_AnsweringForm):
    """The password of who is signed in."""

    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean_password(self) -> str:
        begin_attempt(self.user.email)
        if not self.user.check_password(self.cleaned_data["password"]):
            raise self._refuse("This is not your password. Check it and try again.")
        end_good_attempt(self.user.email)
        return ""


class CodeForm(_AnsweringForm):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(label="Code", max_length=32, widget=forms.TextInput(attrs=_CODE_ATTRS))

    def clean_code(self) -> str:
        begin_attempt(self.user.email)
        self.row = second_factors.use_code(self.user, self.cleaned_data["code"], actor=self._actor, now=timezone.now())
        if self.row is None:
            raise self._refuse("This code is not right, or was used before. Wait for the next one and try again.")
        end_good_attempt(self.user.email)
        return ""


class PasskeyForm(_AnsweringForm):
    """What a passkey signed, as `static/js/passkey.js` fills it in."""

    credential = forms.CharField(required=False, max_length=passkeys.MAX_CHARACTERS, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        text = self.cleaned_data.get("credential", "")
        if not text:
            raise ValidationError(_NO_PASSKEY)
        begin_attempt(self.user.email)
        try:
            self.row = passkeys.used(self.user, text)
        except WrongCode as error:
            raise self._refuse(str(error)) from error
        end_good_attempt(self.user.email)
        return {}


class AppForm(forms.Form):
    """The first code of a new authenticator app."""

    code = forms.CharField(
        label="Code that the app shows",
        max_length=32,
        widget=forms.TextInput(attrs=_CODE_ATTRS),
        help_text="Six digits. They change every 30 seconds.",
    )


class PasskeyNameForm(forms.Form):
    """What its owner calls a passkey."""

    name = LineField(
        label="Name",
        max_length=80,
        validators=[validate_plain_text],
        help_text="By which you know it again, such as “Laptop” or “Blue security key”.",
    )


class NewPasskeyForm(PasskeyNameForm):
    """A new passkey. After ``is_valid`` it stands in ``checked``."""

    credential = forms.CharField(required=False, max_length=passkeys.MAX_CHARACTERS, widget=forms.HiddenInput)
    checked: dict[str, object]

    def clean(self) -> dict[str, Any]:
        text = self.cleaned_data.get("credential", "")
        if self.errors:
            return self.cleaned_data
        if not text:
            raise ValidationError(_NO_PASSKEY)
        try:
            self.checked = passkeys.checked_new(text)
        except WrongCode as error:
            raise ValidationError(str(error)) from error
        return self.cleaned_data
