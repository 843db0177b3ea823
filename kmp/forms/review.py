"""What Key Management decides on a request."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connect.decision_forms import ReasonField
from connect.text import validate_plain_text
from kmp.moves import REASON_LENGTH


class Decision(StrEnum):
    """The button that was pressed."""

    BEGIN = "begin"
    SIGN = "sign"
    REJECT = "reject"


class DecisionForm(forms.Form):
    """A button, and a reason, which a rejection must have. ``cleaned_data["decision"]`` is a ``Decision``."""

    decision = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = ReasonField(
        label="Reason",
        required=False,
        max_length=REASON_LENGTH,
        validators=[validate_plain_text],
        help_text=(
            "For a rejection: what is wrong, and what to do about it. Every officer of the company reads it. "
            f"At most {REASON_LENGTH} characters."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        decision = cleaned.get("decision")
        if decision not in list(Decision):
            raise ValidationError("Nothing was decided. Press one of the buttons.")
        if decision == Decision.REJECT and not cleaned.get("reason") and "reason" not in self.errors:
            self.add_error("reason", "Say why: the officers can correct only what you name.")
        if decision == Decision.SIGN and cleaned.get("reason"):
            self.add_error("reason", "A reason stands here, and you pressed Sign. Press Reject, or empty this box.")
        return {**cleaned, "decision": Decision(decision)}
