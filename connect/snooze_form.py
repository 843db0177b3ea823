"""Until which day nobody is told of a certificate's end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.formats import date_format

from connect.clock import company_time
from connect.expiry.snooze import days_to_choose, why_not
from connect.expiry.sources import Lifetime
from connect.lifecycle import days_left


class SnoozeForm(forms.Form):
    """A day of the company's own time, from tomorrow on."""

    until = forms.DateField(
        label="Snooze until",
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": "Choose the day from which notices come again.",
            "invalid": "Give a day as 2027-01-31.",
        },
    )

    def __init__(self, *args: Any, now: datetime, **options: Any) -> None:
        """``now`` is the company's own time."""
        super().__init__(*args, **options)
        self.first, self.last = days_to_choose(now=now)
        field = self.fields["until"]
        field.widget.attrs |= {"min": self.first.isoformat(), "max": self.last.isoformat()}
        field.help_text = f"From {_in_words(self.first)} to {_in_words(self.last)}. Notices come again on that day."

    def clean_until(self) -> date:
        until: date = self.cleaned_data["until"]
        if until < self.first:
            raise ValidationError(f"Choose a day that is still to come: {_in_words(self.first)} or later.")
        if until > self.last:
            raise ValidationError(f"Choose a day until {_in_words(self.last)}.")
        return until


@dataclass(frozen=True, slots=True)
class SnoozePanel:
    """What the fragment ``_snooze.html`` shows of one certificate.

    ``until`` is empty where no silence lasts, ``reason`` says why there is nothing to snooze, ``now`` is the company's
    own time.
    """

    lifetime: Lifetime
    form: SnoozeForm
    url: str
    now: datetime
    until: date | None
    reason: str

    @property
    def days_left(self) -> int:
        return days_left(self.lifetime.expires_at, now=self.now)


def snooze_panel(lifetime: Lifetime, *, url: str, now: datetime, sent: QueryDict | None = None) -> SnoozePanel:
    """The panel of one certificate, whose form is sent to ``url``. ``now`` is real time; ``sent`` what was typed."""
    company_now = company_time(lifetime.company, now)
    return SnoozePanel(
        lifetime=lifetime,
        form=SnoozeForm(sent, now=company_now),
        url=url,
        now=company_now,
        until=lifetime.snoozed_until if lifetime.is_snoozed(company_now) else None,
        reason=why_not(lifetime, now=company_now),
    )


def _in_words(day: date) -> str:
    return date_format(day, "j F Y", use_l10n=False)
