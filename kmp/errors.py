"""Why something cannot be done in KMP, in sentences for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kmp.models import CertificateRequest, InventoryEntry


class KmpError(Exception):
    """Something that a person can be told and act on."""


class WrongState(KmpError):
    """The request is not, or no longer, in a state in which this can be done."""


class DraftChanged(KmpError):
    """The draft holds what the page that was sent has never shown."""


class RequestIncomplete(KmpError):
    """Something is missing or broken, so that it cannot be submitted."""


class CannotRenew(KmpError):
    """This certificate cannot be renewed. ``successor`` is the newest version where there is one."""

    def __init__(self, sentence: str, successor: InventoryEntry | None = None) -> None:
        super().__init__(sentence)
        self.successor = successor


class RenewalTaken(KmpError):
    """Another officer is renewing this certificate with ``request``."""

    def __init__(self, sentence: str, request: CertificateRequest) -> None:
        super().__init__(sentence)
        self.request = request


class NameTaken(KmpError):
    """Another application has this name."""


class RequirementImpossible(KmpError):
    """No request could meet these requirements."""


class OwnRequest(KmpError):
    """Nobody decides on a request of their own, or of the company that they work for."""


class NotSignable(KmpError):
    """The world changed since a request was submitted: it is to be rejected with this sentence as its reason."""


class NoRules(KmpError):
    """There is nothing that a CSR could be judged by: no application, no requirement, or one that nobody can meet."""


class NoCsr(KmpError):
    """What was sent is no CSR that can be read. Nothing of it is kept."""
