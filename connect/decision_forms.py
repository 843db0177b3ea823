"""Ask for access, decide, withdraw, and what a company says about itself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connect.catalogue import StoreApplication
from connect.text import validate_plain_text
from connect.typed_fields import EmailField, LineField, NeverSecret

REASON_LENGTH = 500


class _ReasonArea(NeverSecret, forms.Textarea):
    """A box in which Enter makes a new line, and does not press the form's first button."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"rows": 3, "autocomplete": "off", **(attrs or {})})


class ReasonField(LineField):
    """Why somebody decided so. Line ends and runs of spaces become one space."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=_ReasonArea, **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return " ".join(text.split()) if isinstance(text, str) else text


def _reason_field(help_text: str, *, required: bool) -> ReasonField:
    return ReasonField(
        label="Reason",
        required=required,
        max_length=REASON_LENGTH,
        validators=[validate_plain_text],
        help_text=f"{help_text} At most {REASON_LENGTH} characters.",
        error_messages={"required": "Give a reason."},
    )


class RequestAccessForm(forms.Form):
    """The level that somebody asks for."""

    level = forms.ChoiceField(
        label="Level",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a level.", "invalid_choice": "Choose one of these levels."},
    )

    def __init__(self, *args: Any, application: StoreApplication, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        level = self.fields["level"]
        if not isinstance(level, forms.ChoiceField):
            raise TypeError("the level is chosen")
        level.choices = [(level.code, level.label) for level in application.levels]
        if len(application.levels) == 1:
            level.initial = application.levels[0].code
        level.help_text = " ".join(level.text for level in application.levels)


class DecisionForm(forms.Form):
    """Yes or no by the button that was pressed, and a reason, which a no must have."""

    decision = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = _reason_field("The other side reads it. A refusal needs one.", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        decision = cleaned.get("decision")
        if decision not in ("yes", "no"):
            raise ValidationError("Nothing was decided. Press one of the two buttons.")
        if decision == "no" and not cleaned.get("reason") and "reason" not in self.errors:
            self.add_error("reason", "Give a reason: the other side reads it.")
        return {**cleaned, "is_yes": decision == "yes"}


class WithdrawForm(forms.Form):
    """Why access ends."""

    reason = _reason_field("The other side reads it.", required=True)


class GroupEmailForm(forms.Form):
    """The mailbox that is told everything about the company's KMP certificates."""

    group_email = EmailField(
        label="Certificate Management Group Email",
        max_length=254,
        help_text="A mailbox that outlives people: every notice about the company’s KMP certificates goes there too.",
        error_messages={
            "required": "Give an e-mail address. Without one the company cannot submit requests in KMP.",
            "invalid": "This is not an e-mail address. It looks like name@company.example.",
        },
    )


class CidForm(forms.Form):
    """The number that a company says is its own."""

    cid = LineField(
        label="CID",
        max_length=10,
        help_text="Your company’s number, 6 to 10 digits.",
        error_messages={
            "required": "Type your company’s CID.",
            "max_length": "A CID has 6 to 10 digits and nothing else. Check the number and type it again.",
        },
    )
