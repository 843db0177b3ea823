"""Who is on a project, and as what."""

from __future__ import annotations

from django import forms

from connect.typed_fields import EmailField
from portal.models import Role


class InviteForm(forms.Form):
    """An existing account, and its role on the project."""

    email = EmailField(
        label="E-mail address",
        max_length=254,
        error_messages={
            "required": "Give the e-mail address of the account.",
            "invalid": "This is not an e-mail address. It looks like name@company.example.",
        },
    )
    role = forms.TypedChoiceField(
        label="Role",
        choices=Role.choices,
        coerce=Role,
        initial=Role.READ_ONLY,
        help_text="Admins change certificates and the team; read-only members look.",
        error_messages={"required": "Choose a role.", "invalid_choice": "Choose Admin or Read-only."},
    )


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.TypedChoiceField(
        choices=Role.choices,
        coerce=Role,
        error_messages={"required": "Choose a role.", "invalid_choice": "Choose Admin or Read-only."},
    )
