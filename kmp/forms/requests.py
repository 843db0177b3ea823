"""The forms of the wizard. What was typed well is kept in the draft, whatever else is wrong."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from certauthority.x509.alternative_names import MAX_ALTERNATIVE_NAMES, read_alternative_names
from certauthority.x509.limits import MAX_CSR_BYTES
from connect.pem_fields import PemTextField, SafeTextarea, SmallFileField
from connect.typed_fields import EmailField, LineField, SafeHiddenInput, SubmissionField
from kmp.drafts import readable_csr
from kmp.errors import NoCsr
from kmp.models import Application, Environment, Profile
from kmp.serials import read_serial

_NAMES_LENGTH = 20_000


def contact_field() -> EmailField:
    """Whom Key Management may ask."""
    return EmailField(
        label="Contact",
        max_length=254,
        help_text="An e-mail address for questions about this request.",
        error_messages={
            "required": "Give an e-mail address for questions.",
            "invalid": "This is not an e-mail address. It looks like name@company.example.",
        },
    )


class DetailsForm(forms.Form):
    """What a new certificate is for."""

    key = SubmissionField()
    application = forms.ChoiceField(
        label="Application",
        help_text="What each of them asks for is on the page Support.",
        error_messages={"required": "Choose an application.", "invalid_choice": "Choose one of these applications."},
    )
    profile = forms.ChoiceField(
        label="Profile",
        choices=Profile.choices,
        error_messages={"required": "Choose a profile.", "invalid_choice": "Choose one of these profiles."},
    )
    environment = forms.ChoiceField(
        label="Environment",
        choices=[("", "Choose MTF or Production"), *Environment.choices],
        error_messages={"required": "Choose MTF or Production.", "invalid_choice": "Choose MTF or Production."},
    )
    contact = contact_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open = {application.code: application for application in Application.objects.filter(is_open=True)}
        field = self.fields["application"]
        if isinstance(field, forms.ChoiceField):
            choices = [(code, application.name) for code, application in self._open.items()]
            field.choices = [("", "Choose an application"), *choices]

    def clean_application(self) -> Application:
        return self._open[self.cleaned_data["application"]]

    def clean_environment(self) -> Environment:
        return Environment(self.cleaned_data["environment"])

    def clean_profile(self) -> Profile:
        return Profile(self.cleaned_data["profile"])


class CsrForm(forms.Form):
    """A CSR as a file or as text. ``has_one``: the draft has a CSR already, which stays where no other is sent."""

    csr_file = SmallFileField(
        label="CSR file",
        what="CSR",
        max_bytes=MAX_CSR_BYTES,
        required=False,
        help_text="PEM or DER. Drop it here or choose it. Never send a private key.",
    )
    csr = PemTextField(
        label="Or the text of the CSR",
        required=False,
        widget=SafeTextarea({"rows": "6"}),
        help_text="The text from BEGIN to END. A file goes before the text. Never paste a private key.",
    )

    def __init__(self, *args: Any, has_one: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_one = has_one

    @property
    def content(self) -> bytes:
        """What there is to judge: the file, or else the text. Nothing where a CSR that is there already stays."""
        data = bytes(self.cleaned_data.get("csr_file") or self.cleaned_data.get("csr") or b"")
        return data if data.strip() else b""

    @property
    def file_name(self) -> str:
        """The name of the file that was chosen, if one was."""
        file = self.files.get("csr_file")
        return str(file.name) if isinstance(file, UploadedFile) and self.cleaned_data.get("csr_file") else ""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        box = "csr_file" if self.cleaned_data.get("csr_file") else "csr"
        if self.content:
            try:
                readable_csr(self.content)
            except NoCsr as refusal:
                self.cleaned_data.pop(box, None)
                self.add_error(box, str(refusal))
        elif not self.has_one and not self.errors:
            self.add_error("csr_file", "Choose the file that holds the CSR, or paste its text.")
        return cleaned

    def ask_for_file_again(self) -> None:
        """Browsers do not keep a file when a form comes back with an error."""
        if "csr_file" in self.files and "csr_file" not in self.errors:
            self.add_error("csr_file", "Choose the file again: browsers do not keep it.")


class NamesField(LineField):
    """Domain names as people type them, in a box of several lines; the cleaned value is a tuple of A-labels."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=SafeTextarea({"rows": "3"}), **kwargs)

    def clean(self, value: Any) -> Any:
        read = read_alternative_names(str(super().clean(value)))
        if read.problems:
            raise ValidationError(list(read.problems))
        return read.names


class ShownField(forms.Field):
    """What the page showed (``kmp.shown``). Whatever else is sent in it is simply not what the draft holds."""

    widget = SafeHiddenInput

    def to_python(self, value: Any) -> str:
        return str(value or "")


class ReviewForm(CsrForm):
    """What may still change beside the review: the names, the contact, and a corrected CSR."""

    shown = ShownField(required=False)

    names = NamesField(
        label="Subject Alternate Names (SAN)",
        required=False,
        max_length=_NAMES_LENGTH,
        error_messages={"max_length": f"This is too long: at most {MAX_ALTERNATIVE_NAMES} domain names are certified."},
    )
    contact = contact_field()


class SerialForm(forms.Form):
    """`Renew by serial number`."""

    serial = LineField(
        label="Expiring Certificate Serial Number",
        max_length=200,
        help_text="In hex. Colons, spaces, 0x and leading zeros may stand in it.",
        error_messages={"required": "Enter the serial number.", "max_length": "This is too long for a serial number."},
    )

    def clean_serial(self) -> str:
        serial = read_serial(str(self.cleaned_data["serial"]))
        if not serial:
            raise ValidationError(
                "This is not a serial number in hex, which has the digits 0 to 9 and the letters A to F, 40 at most. "
                "Copy it from the certificate."
            )
        return serial


class KeyForm(forms.Form):
    """A button that may be pressed twice: ``key`` tells one showing of its page from the next."""

    key = SubmissionField()
