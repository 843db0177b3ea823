"""The filter of the inventory, and the choice of a download. Both are sent by GET: the address holds their values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import BaseRenderer
from django.utils.safestring import SafeString

from connect.typed_fields import LineField, SafeTextInput
from kmp.downloads import FileFormat
from kmp.inventory import Status, Wanted
from kmp.inventory_search import WORDS
from kmp.models import Application, Environment
from kmp.serials import read_serial

_SEARCH_LENGTH = 100


class _SearchInput(SafeTextInput):
    input_type = "search"


class _Choice(forms.Select):
    """A menu whose markup is kept: Django renders a template for each of its options."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        attributes = tuple({**self.attrs, **(attrs or {})}.items())
        chosen = value if isinstance(value, str) else str(value or "")
        return _menu(name, chosen, attributes, tuple((str(one), str(label)) for one, label in self.choices))


@lru_cache(maxsize=256)
def _menu(
    name: str, chosen: str, attributes: tuple[tuple[str, Any], ...], choices: tuple[tuple[str, str], ...]
) -> SafeString:
    return forms.Select(choices=choices).render(name, chosen, dict(attributes))


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Give a day as 2027-01-31."},
    )


class InventoryForm(forms.Form):
    """What the inventory shows. A value that cannot be used is named, and filters nothing."""

    q = LineField(
        label="Search",
        required=False,
        max_length=_SEARCH_LENGTH,
        widget=_SearchInput,
        error_messages={"max_length": f"A search has at most {_SEARCH_LENGTH} characters."},
    )
    application = forms.ChoiceField(
        label="Application",
        required=False,
        widget=_Choice,
        error_messages={"invalid_choice": "There is no such application."},
    )
    environment = forms.ChoiceField(
        label="Environment",
        required=False,
        widget=_Choice,
        choices=[("", "Both"), *Environment.choices],
        error_messages={"invalid_choice": "Choose MTF or Production."},
    )
    status = forms.ChoiceField(
        label="Status",
        required=False,
        widget=_Choice,
        choices=[("", "All statuses"), *Status.choices],
        error_messages={"invalid_choice": "Choose one of the statuses."},
    )
    issued_from = _day("Issued from")
    issued_until = _day("Issued until")
    expires_from = _day("Expires from")
    expires_until = _day("Expires until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._applications = {application.code: application for application in Application.objects.order_by("name")}
        names = [(code, application.name) for code, application in self._applications.items()]
        cast(forms.ChoiceField, self.fields["application"]).choices = [("", "All applications"), *names]

    def clean_q(self) -> str:
        text = str(self.cleaned_data["q"])
        if len(set(text.lower().split())) > WORDS and not read_serial(text):
            raise ValidationError(f"A search has at most {WORDS} words. Take some away, or use the filters.")
        return text

    def wanted(self) -> Wanted:
        """The conditions that are right."""
        self.is_valid()
        given = self.cleaned_data
        return Wanted(
            search=given.get("q", ""),
            application=self._applications.get(given.get("application", "")),
            environment=given.get("environment", ""),
            status=Status(given["status"]) if given.get("status") else None,
            **{name: given.get(name) for name in self.day_names},
        )

    def used(self) -> dict[str, str]:
        """The values that filter something, as an address has them."""
        self.is_valid()
        return {name: str(value) for name, value in self.cleaned_data.items() if value}

    @property
    def day_names(self) -> tuple[str, ...]:
        """The fields that are days."""
        return ("issued_from", "issued_until", "expires_from", "expires_until")

    @property
    def days(self) -> list[forms.BoundField]:
        """The fields that are days, for the page."""
        return [self[name] for name in self.day_names]

    @property
    def has_days(self) -> bool:
        """Whether a day is given, right or wrong."""
        return any(self[name].value() for name in self.day_names)


class DownloadForm(forms.Form):
    """The format, and whether the issuers come along up to the root."""

    file_format = forms.TypedChoiceField(
        label="Format",
        choices=FileFormat.choices,
        coerce=FileFormat,
        widget=forms.RadioSelect,
        initial=FileFormat.PEM,
        help_text="PEM is text, for most programs. DER is binary. PKCS #7 is binary, for Windows and Java.",
        error_messages={"required": "Choose a format.", "invalid_choice": "Choose PEM, DER or PKCS #7."},
    )
    include_chain = forms.BooleanField(
        label="Include Root Chain",
        required=False,
        help_text="The certificates of the KMP CA and of the root CA come along in the same file.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("file_format") == FileFormat.DER and cleaned.get("include_chain"):
            raise ValidationError(
                "A DER file holds one certificate and no chain. Choose PEM or PKCS #7, or leave Include Root Chain out."
            )
        return cleaned
