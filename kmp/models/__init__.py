"""What the Key Management Portal remembers."""

from kmp.models.applications import Application, DnAttribute, DnRequirement, Environment, Profile, Review
from kmp.models.inventory import EntryState, InventoryEntry
from kmp.models.numbers import Sequence
from kmp.models.requests import CertificateRequest, RequestKind, RequestState

__all__ = [
    "Application",
    "CertificateRequest",
    "DnAttribute",
    "DnRequirement",
    "EntryState",
    "Environment",
    "InventoryEntry",
    "Profile",
    "RequestKind",
    "RequestState",
    "Review",
    "Sequence",
]
