"""Fields for CSRs and certificates, as text or as a file. A private key is never shown again in any of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from certauthority.x509.armor import Kind, recognise
from certauthority.x509.sniffing import holds_private_key

_SECRET_KINDS = frozenset({Kind.PRIVATE_KEY, Kind.PKCS12, Kind.JAVA_KEYSTORE})
_TYPED = {"autocomplete": "off", "autocapitalize": "off", "autocorrect": "off", "spellcheck": "false"}


def is_secret(text: str) -> bool:
    """Whether what was typed holds a private key, or is a file that usually does, in any usual form."""
    data = text.encode("utf-8", "replace")
    return holds_private_key(data) or recognise(data) in _SECRET_KINDS


class _NeverSecret:
    """A widget that stays empty rather than show a private key again."""

    def format_value(self, value: Any) -> Any:
        if value and is_secret(str(value)):
            return ""
        return super().format_value(value)  # type: ignore[misc]  # a mixin: the widget beside it has the method


class SafeTextInput(_NeverSecret, forms.TextInput):
    """One line of text."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({**_TYPED, **(attrs or {})})


class SafeHiddenInput(_NeverSecret, forms.HiddenInput):
    """A field that nobody sees."""


class SafeTextarea(_NeverSecret, forms.Textarea):
    """A box for PEM text."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"rows": "10", **_TYPED, **(attrs or {})})


class PemTextField(forms.CharField):
    """Pasted PEM; the cleaned value is bytes. What it holds is judged by the rules, not here."""

    widget = SafeTextarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def clean(self, value: Any) -> Any:
        return str(super().clean(value)).encode("utf-8", "replace")


class SmallFileField(forms.FileField):
    """A file whose size is looked at before it is read; the cleaned value is bytes. Its name is not looked at."""

    def __init__(self, *, max_bytes: int, what: str, **kwargs: Any) -> None:
        messages = {
            "required": f"Choose the file that holds the {what}.",
            "empty": f"This file is empty. Choose the file that holds the {what}.",
            "missing": f"Choose the file that holds the {what}.",
            "invalid": f"No file arrived. Choose the file that holds the {what}.",
        }
        super().__init__(error_messages=messages, **kwargs)
        self.max_bytes = max_bytes
        self.what = what

    def clean(self, data: Any, initial: Any = None) -> Any:
        file = super().clean(data, initial)
        if not isinstance(file, UploadedFile):
            return b""
        size = file.size or 0
        if size > self.max_bytes:
            raise ValidationError(
                f"This file has {size:,} bytes, and at most {self.max_bytes // 1024} KiB are taken. It was not read. "
                f"Choose the file that holds the {self.what} alone."
            )
        return file.read()
