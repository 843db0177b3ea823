"""Fields for what people type in one line. A private key that lands in one is named, and never shown again."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from certauthority.x509.armor import PRIVATE_KEY_MESSAGE
from certauthority.x509.sniffing import holds_key_material

TYPED = {"autocomplete": "off", "autocapitalize": "off", "autocorrect": "off", "spellcheck": "false"}


def is_secret(text: str) -> bool:
    """Whether what was typed holds a private key, or is a file that usually does, in any usual form."""
    return holds_key_material(text.encode("utf-8", "replace"))


class NeverSecret:
    """A widget that stays empty rather than show a private key again."""

    def format_value(self, value: Any) -> Any:
        if value and is_secret(str(value)):
            return ""
        return super().format_value(value)  # type: ignore[misc]  # a mixin: the widget beside it has the method


class SafeTextInput(NeverSecret, forms.TextInput):
    """One line of text."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({**TYPED, **(attrs or {})})


class SafeEmailInput(SafeTextInput):
    """An e-mail address."""

    input_type = "email"


class SafeHiddenInput(NeverSecret, forms.HiddenInput):
    """A field that nobody sees."""


class _RefusesSecrets:
    """A field that names a private key before it looks at anything else: a short one fits into a name."""

    def clean(self, value: Any) -> Any:
        if value and is_secret(str(value)):
            raise ValidationError(PRIVATE_KEY_MESSAGE)
        return super().clean(value)  # type: ignore[misc]  # a mixin: the field beside it has the method


class LineField(_RefusesSecrets, forms.CharField):
    """One line of text."""

    widget = SafeTextInput


class EmailField(_RefusesSecrets, forms.EmailField):
    """An e-mail address."""

    widget = SafeEmailInput


class SubmissionField(forms.Field):
    """Tells one showing of a form from the next, so that a form sent twice acts once."""

    widget = SafeHiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def to_python(self, value: Any) -> uuid.UUID:
        try:
            return uuid.UUID(str(value))
        except ValueError:
            return uuid.uuid4()
