"""Fields for CSRs and certificates, as text or as a file. A private key is never shown again in any of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from connect.typed_fields import TYPED, NeverSecret


class SafeTextarea(NeverSecret, forms.Textarea):
    """A box for PEM text."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"rows": "10", **TYPED, **(attrs or {})})


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
