"""The form that adds a webhook."""

from __future__ import annotations

from django import forms

from connect.typed_fields import LineField
from connect.webhooks.destination import URL_LENGTH


class WebhookForm(forms.Form):
    """Where messages go. Everything else about the address is judged by ``connect.webhooks.destination``."""

    url = LineField(
        label="Address",
        max_length=URL_LENGTH,
        help_text="Such as https://hooks.example.com/mtls. It must be reached from the Internet, by https.",
        error_messages={
            "required": "Type the address that messages go to, such as https://hooks.example.com/mtls.",
            "max_length": f"An address has at most {URL_LENGTH} characters. Use a shorter one.",
        },
    )
