"""What Connect refuses. Each message is a sentence for the person who asked."""

from __future__ import annotations

from connect.models import AccessRequest


class ConnectError(Exception):
    """Base of what a form shows to the person who sent it."""


class NotAllowed(ConnectError):
    """This person may not do it, or it cannot be done for this person."""


class AlreadyRequested(ConnectError):
    """There is an open request, or the access itself. ``request`` is that one."""

    def __init__(self, request: AccessRequest) -> None:
        self.request = request
        super().__init__("You have asked for this application already. My Items shows how your request stands.")


class NoLongerPossible(ConnectError):
    """Somebody was faster: the request or claim is in another state by now."""


class WrongCode(ConnectError):
    """A code or passkey that does not fit."""


class NoFactor(ConnectError):
    """There is no second factor."""


class LastFactor(ConnectError):
    """The last second factor of somebody who needs one stays."""


class CidRefused(ConnectError):
    """The company cannot have this CID."""
