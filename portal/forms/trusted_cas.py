"""The list of trusted CAs, for the site's staff."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from certauthority.models import TrustedAuthority
from certauthority.x509.armor import PRIVATE_KEY_MESSAGE
from certauthority.x509.limits import MAX_CHAIN_BYTES
from certauthority.x509.sniffing import holds_private_key
from connect.text import validate_plain_text

NOTE_LENGTH = 200


def _note_field() -> forms.CharField:
    return forms.CharField(
        label="Note",
        required=False,
        max_length=NOTE_LENGTH,
        validators=[validate_plain_text],
        help_text=f"Whose CA it is, and why it is trusted. Every user reads it. At most {NOTE_LENGTH} characters.",
    )


class AddTrustedCaForm(forms.Form):
    """A CA certificate, as a file or as text, and a note."""

    file = forms.FileField(
        label="CA certificate file",
        required=False,
        help_text=f"PEM or DER, at most {MAX_CHAIN_BYTES // 1024} KiB. The CA's own certificate alone.",
        error_messages={"empty": "The file is empty. Choose the CA's certificate."},
    )
    text = forms.CharField(
        label="Or the CA certificate as text",
        required=False,
        strip=False,
        max_length=MAX_CHAIN_BYTES,
        widget=forms.Textarea(attrs={"rows": "8", "autocomplete": "off", "spellcheck": "false"}),
        help_text="From “-----BEGIN CERTIFICATE-----” to “-----END CERTIFICATE-----”.",
    )
    note = _note_field()

    def clean_file(self) -> UploadedFile | None:
        file: UploadedFile | None = self.cleaned_data["file"]
        if file is not None and (file.size or 0) > MAX_CHAIN_BYTES:
            raise ValidationError(
                f"This file has {file.size:,} bytes, and at most {MAX_CHAIN_BYTES // 1024} KiB are taken. "
                "Choose the CA's certificate alone."
            )
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        typed = {name: str(self.data.get(name, "")) for name in ("text", "note")}
        if any(holds_private_key(text.encode()) for text in typed.values()):
            # The page that tells of the mistake must not carry the key a second time.
            self.data = {}
            raise ValidationError(PRIVATE_KEY_MESSAGE)
        file = cleaned.get("file")
        if not self.errors:
            if (file is None) == (not typed["text"].strip()):
                raise ValidationError("Send the CA certificate either as a file or as text.")
            cleaned["data"] = file.read() if file is not None else typed["text"].encode()
        return cleaned


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
