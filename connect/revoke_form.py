"""The form with which a certificate is revoked, in both portals."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from certauthority.models import RevocationReason
from connect.recent_use import Seen
from connect.typed_fields import LineField, SafeTextInput

CONFIRMATION = "REVOKE"


class RevokeForm(forms.Form):
    """A reason, and the exact word. A certificate that was used in the last hour asks for one more tick.

    ``seen`` is what the endpoint has seen of the certificate when the form is shown and again when it is sent, so that
    the tick is asked for also where the use began in between.
    """

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

    def __init__(self, *args: Any, seen: Seen, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if seen.is_recent:
            self.fields["knows_of_use"] = forms.BooleanField(
                label=f"I know that it was used {seen.recently}, and that these calls will be refused",
                error_messages={
                    "required": f"It was used {seen.recently}. Tick that you know, or keep it. Nothing was revoked."
                },
            )
            self.order_fields(["reason", "knows_of_use", "confirmation"])

    def clean_confirmation(self) -> str:
        word = str(self.cleaned_data["confirmation"])
        if word != CONFIRMATION:
            raise ValidationError(
                f"This is not the word. Type {CONFIRMATION} in capital letters, with nothing before or after it. "
                "Nothing was revoked."
            )
        return word
