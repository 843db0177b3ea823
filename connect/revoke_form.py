"""The form with which a certificate is revoked, in both portals."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from certauthority.models import RevocationReason
from connect.typed_fields import LineField, SafeTextInput

CONFIRMATION = "REVOKE"


class RevokeForm(forms.Form):
    """A reason, and the exact word."""

    reason = forms.TypedChoiceField(
        label="Reason",
        choices=RevocationReason.choices,
        coerce=RevocationReason,
        initial=RevocationReason.SUPERSEDED,
        help_text=(
            "Key compromise means that somebody else may have the private key. Its public key is then never accepted "
            "again, in any form, and every certificate with it ends."
        ),
        error_messages={"required": "Choose a reason.", "invalid_choice": "Choose one of the reasons."},
    )
    confirmation = LineField(
        label=f"Type {CONFIRMATION} to confirm",
        strip=False,
        widget=SafeTextInput({"class": "typed"}),
        help_text="Capital letters, exactly.",
        error_messages={"required": f"Type {CONFIRMATION} to confirm."},
    )

    def clean_confirmation(self) -> str:
        word = str(self.cleaned_data["confirmation"])
        if word != CONFIRMATION:
            raise ValidationError(
                f"This is not the word. Type {CONFIRMATION} in capital letters, with nothing before or after it. "
                "Nothing was revoked."
            )
        return word
