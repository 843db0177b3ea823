"""The form of the CSR clinic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from certauthority.x509.limits import MAX_CSR_BYTES
from connect.models import User
from connect.pem_fields import PemTextField, SmallFileField
from portal.access import memberships_of
from portal.models import Environment, Project

# A generic class for the type checker only: Django's own cannot be subscripted when the site runs.
if TYPE_CHECKING:
    ProjectChoice = forms.ModelChoiceField[Project]
else:
    ProjectChoice = forms.ModelChoiceField


class ProjectField(ProjectChoice):
    """One of the person's projects. Whatever else was sent is refused in the same words, and not repeated."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice") from None


class ClinicForm(forms.Form):
    """A CSR as text or as a file, and the project it is for, if any."""

    project = ProjectField(
        label="Project",
        queryset=Project.objects.none(),
        required=False,
        empty_label="No project: structure, signature and key only",
        error_messages={"invalid_choice": "Choose one of your projects."},
    )
    environment = forms.TypedChoiceField(
        label="Environment",
        choices=Environment.choices,
        coerce=Environment,
        initial=Environment.SANDBOX,
        error_messages={"required": "Choose an environment.", "invalid_choice": "Choose Sandbox or Production."},
    )
    csr = PemTextField(label="CSR", required=False, help_text="The text from BEGIN to END. Never paste a private key.")
    csr_file = SmallFileField(
        label="Or a CSR file",
        what="CSR",
        max_bytes=MAX_CSR_BYTES,
        required=False,
        help_text="PEM or DER. Drop it here or choose it. A file goes before the text.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Project.objects.filter(pk__in=memberships_of(user).order_by().values("project_id"))
        field = self.fields["project"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = mine.select_related("company")

    @property
    def content(self) -> bytes:
        """What there is to judge: the file, or else the text."""
        return bytes(self.cleaned_data.get("csr_file") or self.cleaned_data.get("csr") or b"")
