"""What can go wrong with X.509 material. Each message is a sentence for the person who sent it."""


class X509Error(Exception):
    """Base of the errors of this package."""


class UnreadableInput(X509Error):
    """The input is not what was asked for. ``code`` is a stable id such as ``input.private-key``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ProfileError(X509Error):
    """A certificate profile, or what it was asked to build, would break its own rules."""
