"""Applications and their DN requirements, for the site's staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from certauthority.x509.attribute_rules import SUBJECT_LABELS, TITLES, AttributeKind, AttributeRule
from certauthority.x509.errors import ProfileError
from certauthority.x509.keys import KEY_TYPES
from certauthority.x509.name_rules import UPPER_BOUNDS
from connect.text import validate_plain_text
from connect.typed_fields import LineField
from kmp.models import Application, DnAttribute, DnRequirement, Review

_KINDS = (
    (AttributeKind.FORBIDDEN, "Not used"),
    (AttributeKind.FIXED, "Always the same text"),
    (AttributeKind.PATTERN, "A pattern"),
    (AttributeKind.COMPANY, "The company’s own"),
    (AttributeKind.FREE, "Free"),
)
_COMPANY_DEFAULT = {"C": "country"}
_VALUE_LENGTH = 120
_PARTS = ("kind", "value", "length", "optional")


class ApplicationForm(forms.Form):
    """What staff decide about an application."""

    name = LineField(label="Name", max_length=64, validators=[validate_plain_text])
    description = LineField(
        label="Description",
        max_length=200,
        required=False,
        validators=[validate_plain_text],
        help_text="One sentence for security officers, at most 200 characters.",
    )
    review = forms.ChoiceField(
        label="Review",
        choices=Review.choices,
        help_text="Automatic: a worker decides by the rules. By Key Management: a person decides on each request.",
        error_messages={"required": "Choose who reviews.", "invalid_choice": "Choose one of the two."},
    )
    is_open = forms.BooleanField(
        label="Open for requests",
        required=False,
        help_text="A closed application takes no new requests. Certificates that exist stay valid and can be revoked.",
    )

    def clean_review(self) -> Review:
        return Review(self.cleaned_data["review"])

    @classmethod
    def of(cls, application: Application) -> ApplicationForm:
        """The form as it stands now."""
        return cls(
            initial={
                "name": application.name,
                "description": application.description,
                "review": application.review,
                "is_open": application.is_open,
            }
        )


@dataclass(frozen=True, slots=True)
class AttributeFields:
    """The bound fields of one attribute."""

    label: str
    title: str
    kind: BoundField
    value: BoundField
    length: BoundField
    optional: BoundField


class RequirementForm(forms.Form):
    """The rule for each attribute, and the types of key. ``cleaned_data["attributes"]`` are rules that make sense."""

    key_types = forms.MultipleChoiceField(
        label="Types of key",
        choices=[(name, name) for name in KEY_TYPES],
        widget=forms.CheckboxSelectMultiple,
        help_text="The first of them is what the ready commands make.",
        error_messages={"required": "Allow at least one type of key."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for label in SUBJECT_LABELS:
            self.fields |= _fields_of(label)

    @classmethod
    def of(cls, requirement: DnRequirement) -> RequirementForm:
        """The form as it stands now."""
        initial: dict[str, object] = {"key_types": requirement.key_types}
        for row in requirement.attributes.all():
            initial |= _initial_of(row)
        return cls(initial=initial)

    @property
    def attributes(self) -> list[AttributeFields]:
        """The fields of every attribute, in the order of a subject."""
        return [
            AttributeFields(
                label,
                TITLES[label],
                *(self[f"{label}-{part}"] for part in _PARTS),
            )
            for label in SUBJECT_LABELS
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        rules = [rule for label in SUBJECT_LABELS if (rule := self._rule_of(label, cleaned)) is not None]
        return {**cleaned, "attributes": rules}

    def _rule_of(self, label: str, cleaned: dict[str, Any]) -> AttributeRule | None:
        """None where a field alone is wrong already, or the rules of the attribute together are: then it is said."""
        if not {f"{label}-{part}" for part in _PARTS} <= cleaned.keys():
            return None
        kind, value = AttributeKind(cleaned[f"{label}-kind"]), cleaned[f"{label}-value"]
        is_optional = cleaned[f"{label}-optional"] and kind != AttributeKind.FORBIDDEN
        if kind == AttributeKind.COMPANY and not value:
            value = _COMPANY_DEFAULT.get(label, "name")
        try:
            return AttributeRule(label, kind, value, is_optional, cleaned[f"{label}-length"])
        except ProfileError as error:
            self.add_error(f"{label}-value", str(error))
            return None


def _fields_of(label: str) -> dict[str, forms.Field]:
    bound = UPPER_BOUNDS[label]
    between = "is 2" if label == "C" else f"is between 1 and {bound}"
    wrong_length = f"The maximum length of {label} {between} (RFC 5280, appendix A.1)."
    length = forms.IntegerField(
        label="Maximum length",
        min_value=2 if label == "C" else 1,
        max_value=bound,
        initial=bound,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), wrong_length),
    )
    kind = forms.ChoiceField(
        label="Rule",
        choices=[(choice.value, words) for choice, words in _KINDS],
        initial=AttributeKind.FORBIDDEN.value,
        error_messages=dict.fromkeys(("required", "invalid_choice"), f"Choose a rule for {label}."),
    )
    value = LineField(label="Value", max_length=_VALUE_LENGTH, required=False, initial="", strip=False)
    return {
        f"{label}-kind": kind,
        f"{label}-value": value,
        f"{label}-length": length,
        f"{label}-optional": forms.BooleanField(label="May be left out", required=False),
    }


def _initial_of(row: DnAttribute) -> dict[str, object]:
    return {
        f"{row.label}-kind": row.kind,
        f"{row.label}-value": row.value,
        f"{row.label}-length": row.max_length,
        f"{row.label}-optional": row.is_optional,
    }
