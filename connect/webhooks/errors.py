"""What cannot be done with a webhook, in sentences for people. None holds a secret or the path of an address."""

from __future__ import annotations

from connect.errors import ConnectError


class WebhookRefused(ConnectError):
    """A webhook cannot have this address, or this cannot be done with it now."""


class NotReached(ConnectError):
    """The receiver gave no answer that could be read."""
