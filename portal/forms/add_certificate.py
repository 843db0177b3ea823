"""The forms of `Add certificate`, and those that check its input while it is typed."""

from __future__ import annotations

import re
import uuid
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from certauthority.x509.limits import MAX_CHAIN_BYTES, MAX_CSR_BYTES
from connect.pem_fields import PemTextField, SmallFileField
from connect.typed_fields import LineField, SafeTextInput, SubmissionField

ALIAS_LENGTH = 64
# Random ones (RFC 9562, 5.4): nobody can guess the submission of somebody else.
SUBMISSION_VERSION = 4
_ALIAS = re.compile(rf"[A-Za-z0-9 ._-]{{1,{ALIAS_LENGTH}}}")


class AliasField(LineField):
    """How a team calls a certificate. That it is unique is decided when the certificate is stored."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label="Certificate alias",
            widget=SafeTextInput({"maxlength": str(ALIAS_LENGTH)}),
            error_messages={"required": "Give the certificate an alias.", "null_characters_not_allowed": "Remove NUL."},
            **kwargs,
        )

    def clean(self, value: Any) -> Any:
        alias = super().clean(value)
        if alias and not _ALIAS.fullmatch(alias):
            raise ValidationError(
                f"An alias has 1 to {ALIAS_LENGTH} characters: letters from A to Z, digits, spaces, “.”, “_” and “-”. "
                "Leave out everything else."
            )
        return alias


class RepeatableSubmissionField(SubmissionField):
    """The submission of a browser that repeats a request until it is answered: without one it could not."""

    def to_python(self, value: Any) -> uuid.UUID:
        try:
            submission = uuid.UUID(str(value))
        except ValueError:
            submission = None
        if submission is None or submission.version != SUBMISSION_VERSION:
            raise ValidationError(
                "This request does not say which submission it is. Open the page again and create the certificate anew."
            )
        return submission


class AddCertificateForm(forms.Form):
    """What every way of adding a certificate asks for. ``content_name`` is the field with the CSR or certificate."""

    content_name: ClassVar[str]
    content_is_kept: ClassVar[bool] = False

    alias = AliasField()
    submission = SubmissionField()

    @property
    def content(self) -> bytes:
        """What was sent to be judged; empty where nothing fit to be judged was sent."""
        return bytes(self.cleaned_data.get(self.content_name) or b"")


class GenerateKeyForm(AddCertificateForm):
    """`Generate a new private key`: what the page sends once the browser has made the key and the CSR."""

    content_name = "csr"
    content_is_kept = True

    submission = RepeatableSubmissionField()
    csr = PemTextField(
        error_messages={"required": "The CSR is missing. Open the page again and create the certificate anew."},
    )


class PasteCsrForm(AddCertificateForm):
    """`Paste in a CSR`."""

    content_name = "csr"
    content_is_kept = True

    csr = PemTextField(
        label="CSR",
        help_text="The text from BEGIN to END. Never paste a private key.",
        error_messages={"required": "Paste the text of the CSR."},
    )


class UploadCsrForm(AddCertificateForm):
    """`Upload a CSR`."""

    content_name = "csr_file"

    csr_file = SmallFileField(
        label="CSR file",
        what="CSR",
        max_bytes=MAX_CSR_BYTES,
        help_text="PEM or DER. Drop it here or choose it. Never send a private key.",
    )


class UploadCertificateForm(AddCertificateForm):
    """`Upload mTLS certificate`."""

    content_name = "certificate_file"

    certificate_file = SmallFileField(
        label="Certificate file",
        what="certificate",
        max_bytes=MAX_CHAIN_BYTES,
        help_text="PEM or DER, with its chain or without. Drop it here or choose it. Never send a private key.",
    )


class CheckForm(forms.Form):
    """What a page sends while its form is being filled: nothing in it is required."""

    alias = AliasField(required=False)

    @property
    def content(self) -> bytes:
        """What there is to judge."""
        return b"".join(value for value in self.cleaned_data.values() if isinstance(value, bytes))

    @property
    def content_errors(self) -> list[str]:
        """What keeps the content from being judged, such as its size."""
        return [str(sentence) for name, found in self.errors.items() if name != "alias" for sentence in found]


class CheckCsrForm(CheckForm):
    """The check of `Upload a CSR` and `Paste in a CSR`."""

    csr = PemTextField(required=False)
    csr_file = SmallFileField(required=False, what="CSR", max_bytes=MAX_CSR_BYTES)


class CheckCertificateForm(CheckForm):
    """The check of `Upload mTLS certificate`."""

    certificate_file = SmallFileField(required=False, what="certificate", max_bytes=MAX_CHAIN_BYTES)
