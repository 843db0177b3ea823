"""Ask for production access."""

from __future__ import annotations

from django import forms

from connect.decision_forms import REASON_LENGTH, ReasonField
from connect.text import validate_plain_text


class ProductionAccessForm(forms.Form):
    """What an admin says to the site's staff, if anything. They decide with ``connect.decision_forms.DecisionForm``."""

    note = ReasonField(
        label="Note to the site’s staff",
        required=False,
        max_length=REASON_LENGTH,
        validators=[validate_plain_text],
        help_text=f"What the project does, or what has changed since a refusal. At most {REASON_LENGTH} characters.",
    )
