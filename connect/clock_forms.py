"""How far a company's clock is to be moved, and which companies the site's staff look for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import date_format

from connect.clock_moves import latest_moment
from connect.expiry.jumping import Step
from connect.typed_fields import LineField

STATE_LENGTH = 120
_NAME_LENGTH = 64


class StateForm(forms.Form):
    """What the clock was when the page was shown, so that what was sent twice acts once."""

    state = forms.CharField(
        max_length=STATE_LENGTH,
        widget=forms.HiddenInput,
        error_messages={
            "required": "The form came without what its page knew of the clock. Use the buttons of this page.",
            "max_length": "The form came with a state that is none. Use the buttons of this page.",
        },
    )


class MoveForm(StateForm):
    """A step by the button that was pressed, and a date for ``To a date``."""

    step = forms.TypedChoiceField(
        choices=Step.choices,
        coerce=Step,
        widget=forms.HiddenInput,
        error_messages={
            "required": "The clock was not moved. Press one of the buttons.",
            "invalid_choice": "The clock cannot be moved in this way. Press one of the buttons.",
        },
    )
    on = forms.DateField(
        label="Date",
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "This is not a date. Give it as 2027-01-31."},
    )

    def __init__(self, *args: Any, now: datetime, company_now: datetime, **options: Any) -> None:
        """``now`` is real time, ``company_now`` what the company's clock shows."""
        super().__init__(*args, **options)
        self.first = company_now.astimezone(UTC).date() + timedelta(days=1)
        self.last = latest_moment(now).astimezone(UTC).date()
        field = self.fields["on"]
        field.widget.attrs |= {"min": self.first.isoformat(), "max": self.last.isoformat()}
        field.help_text = f"From {_in_words(self.first)} to {_in_words(self.last)}. The clock then shows 00:00 UTC."

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("step") is Step.DATE and "on" not in self.errors:
            try:
                self._require_ahead(cleaned.get("on"))
            except ValidationError as error:
                self.add_error("on", error)
        return cleaned

    def _require_ahead(self, on: date | None) -> None:
        if on is None:
            raise ValidationError("Choose the date that the clock is to show.")
        if on < self.first:
            raise ValidationError(f"A clock only runs forward. Choose {_in_words(self.first)} or later, or start over.")
        if on > self.last:
            raise ValidationError(f"This is too far ahead. Choose a date until {_in_words(self.last)}.")

    def refusals(self) -> list[str]:
        """What is wrong with the form as a whole: hidden fields have no place of their own."""
        return [str(error) for name in ("__all__", "step", "state") for error in self.errors.get(name, [])]


class Show(models.TextChoices):
    """The filter of the staff's list."""

    ALL = "all", "All companies"
    AHEAD = "ahead", "Clock ahead"


class ClocksForm(forms.Form):
    """Part of a name, or a CID."""

    q = LineField(label="Search", required=False, max_length=_NAME_LENGTH)
    show = forms.TypedChoiceField(choices=Show.choices, coerce=Show, required=False, empty_value=Show.ALL)


def _in_words(day: date) -> str:
    return date_format(day, "j F Y", use_l10n=False)
