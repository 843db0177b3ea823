"""Create and delete a project."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from connect.text import validate_plain_text
from connect.typed_fields import LineField
from portal.models import Project

NAME_LENGTH = 64


class ProjectForm(forms.Form):
    """The name of a new project."""

    name = LineField(
        label="Project name",
        max_length=NAME_LENGTH,
        validators=[validate_plain_text],
        help_text=(
            "It becomes OU in the subject of every certificate of the project, and stays as it is. "
            f"At most {NAME_LENGTH} characters."
        ),
        error_messages={"required": "Give the project a name."},
    )

    def clean_name(self) -> str:
        # One space between words: pages show several as one, and the name must be typed to delete the project.
        return " ".join(str(self.cleaned_data["name"]).split())


class DeleteProjectForm(forms.Form):
    """The project's name, typed to confirm. Nothing is stripped from it."""

    name = LineField(
        label="Project name",
        strip=False,
        error_messages={"required": "Type the name of the project to confirm."},
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name != self.project.name:
            raise ValidationError(
                f"This is not the name of the project. Type {self.project.name} exactly, with its capitals and spaces."
            )
        return name
