"""The list of trusted CAs, for the site's staff."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from certauthority.models import TrustedAuthority
from certauthority.x509.limits import MAX_CHAIN_BYTES
from connect.pem_fields import PemTextField, SmallFileField
from connect.text import validate_plain_text
from connect.typed_fields import LineField

NOTE_LENGTH = 200


def _note_field() -> LineField:
    return LineField(
        label="Note",
        required=False,
        max_length=NOTE_LENGTH,
        validators=[validate_plain_text],
        help_text=f"Whose CA it is, and why it is trusted. Every user reads it. At most {NOTE_LENGTH} characters.",
    )


class AddTrustedCaForm(forms.Form):
    """A CA certificate, as a file or as text, and a note. ``cleaned_data["data"]`` is the certificate's bytes."""

    file = SmallFileField(
        max_bytes=MAX_CHAIN_BYTES,
        what="CA's certificate",
        label="CA certificate file",
        required=False,
        help_text=f"PEM or DER, at most {MAX_CHAIN_BYTES // 1024} KiB. The CA’s own certificate alone.",
    )
    text = PemTextField(
        label="CA certificate as text",
        required=False,
        help_text="From “-----BEGIN CERTIFICATE-----” to “-----END CERTIFICATE-----”.",
    )
    note = _note_field()

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        file, text = cleaned.get("file", b""), cleaned.get("text", b"")
        if not self.errors and bool(file) == bool(text.strip()):
            raise ValidationError("Send the CA's certificate either as a file or as text.")
        return {**cleaned, "data": file or text}


class ChangeTrustedCaForm(forms.Form):
    """Whether a CA is trusted now, and the note on it."""

    enabled = forms.BooleanField(
        label="Enabled",
        required=False,
        help_text="Only enabled CAs are trusted. Certificates accepted before stay where they are.",
    )
    note = _note_field()

    @classmethod
    def of(cls, trusted: TrustedAuthority) -> ChangeTrustedCaForm:
        """The form as it stands now."""
        return cls(initial={"enabled": trusted.enabled, "note": trusted.note})
