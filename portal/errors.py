"""What the Developers portal refuses. Each message is a sentence for the person who asked."""


class PortalError(Exception):
    """Base of what a form shows to the person who sent it."""


class AliasTaken(PortalError):
    """Another live certificate of this environment has the alias."""


class NotAllowed(PortalError):
    """The team's or the project's rules forbid it."""


class NoLongerPossible(PortalError):
    """Somebody was faster: what it was to change is in another state by now."""


class PredecessorEnded(NotAllowed):
    """The certificate that was to be replaced has ended; without one it can be added."""


class SubmissionUsed(PortalError):
    """The submission made a certificate for another key pair."""
