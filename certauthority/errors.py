"""What the certificate authority refuses, or cannot do. Each message is a sentence that a user may read."""

from __future__ import annotations

from certauthority import counters
from certauthority.x509.verdicts import Verdict, broken


class CAError(Exception):
    """Base of what callers may show to the person who asked."""


class RequestRefused(CAError):
    """Rules are broken. ``verdicts`` holds every rule, kept and broken. Each broken one is counted for ``/metrics``."""

    def __init__(self, verdicts: tuple[Verdict, ...]) -> None:
        count_refusal(verdicts)
        count = len(broken(verdicts))
        super().__init__(f"{count} {'rule is' if count == 1 else 'rules are'} broken.")
        self.verdicts = verdicts


class IssuerEnding(CAError):
    """The issuing CA would end before the certificate: staff must create its next generation."""


class SigningUnavailable(CAError):
    """The CA's key cannot be used by this process."""


class NotTrustable(CAError):
    """A certificate that staff wanted on the list of trusted CAs does not belong there."""


class SerialRepeated(CAError):
    """The serial number drawn was given before: the caller repeats its transaction, and another is drawn."""


def count_refusal(verdicts: tuple[Verdict, ...]) -> None:
    """Count each broken rule, for a refusal that is no ``RequestRefused``."""
    for verdict in broken(verdicts):
        counters.add("rules_refused", rule=verdict.id)
