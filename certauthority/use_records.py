"""What the live endpoint has seen of certificates: written here, in a few statements for any number of calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from certauthority.models import ReasonCode


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One call with a certificate that the site knows. ``at`` is real time; ``environment`` is the host's."""

    certificate_id: UUID
    at: datetime
    accepted: bool
    reason: ReasonCode
    environment: str
    client_address: str
    tls_version: str
    cipher: str
