"""What stands in the Store. The cards are data; which pages are behind them, the parts above decide by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import models

from connect.officers import KMP, OFFICER_LEVEL


class Capability(models.TextChoices):
    """The Store's filter ``Business capabilities``."""

    ADMINISTRATION = "administration", "Administration"
    DEVELOPMENT = "development", "Development"
    TESTING = "testing", "Testing"


@dataclass(frozen=True, slots=True)
class Level:
    """What somebody may be in an application that must be requested."""

    code: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class StoreApplication:
    """One card. Without ``levels`` everybody who is signed in may open it; ``url_name`` is its first page."""

    code: str
    name: str
    summary: str
    capability: Capability
    icon: str
    url_name: str
    levels: tuple[Level, ...] = ()

    @property
    def is_requested(self) -> bool:
        """Whether a Security Administrator decides who may open it."""
        return bool(self.levels)

    def level(self, code: str) -> Level | None:
        """The level with this code."""
        return next((level for level in self.levels if level.code == code), None)

    def holds(self, words: Sequence[str]) -> bool:
        """Whether each of the words, in lower case, stands on the card."""
        text = f"{self.name} {self.summary} {self.capability.label}".lower()
        return all(word in text for word in words)


APPLICATIONS: Final = (
    StoreApplication(
        code=KMP,
        name="Key Management Portal (KMP)",
        summary=(
            "Your company’s certificate inventory: request, renew, download and revoke certificates that Key "
            "Management signs."
        ),
        capability=Capability.ADMINISTRATION,
        icon="key",
        url_name="kmp:inventory",
        levels=(
            Level(
                code=OFFICER_LEVEL,
                label="Security Officer Level 1",
                text="Sees the company’s certificates and requests, submits requests, downloads and revokes.",
            ),
        ),
    ),
    StoreApplication(
        code="developers",
        name="Developers portal",
        summary="Projects and their mTLS client certificates, in Sandbox and in Production.",
        capability=Capability.DEVELOPMENT,
        icon="terminal",
        url_name="portal:projects",
    ),
    StoreApplication(
        code="clinic",
        name="CSR clinic",
        summary="Check a certificate signing request against every rule before you send it. Nothing is stored.",
        capability=Capability.TESTING,
        icon="flask",
        url_name="portal:clinic",
    ),
    StoreApplication(
        code="trusted-cas",
        name="Trusted CAs",
        summary="Which certification authorities a certificate that you bring along may come from.",
        capability=Capability.TESTING,
        icon="certificate",
        url_name="portal:trusted_cas",
    ),
)


def application_of(code: str) -> StoreApplication | None:
    """The application with this code."""
    return next((application for application in APPLICATIONS if application.code == code), None)


def found(*, words: str = "", capability: str = "") -> list[StoreApplication]:
    """The cards that hold every word, with this business capability. Empty means all; an unknown one finds none."""
    wanted = words.lower().split()
    return [
        application
        for application in APPLICATIONS
        if application.holds(wanted) and capability in ("", application.capability.value)
    ]
