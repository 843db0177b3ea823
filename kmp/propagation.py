"""How what was done with a certificate of the inventory spreads. See ``certauthority.propagation``."""

from __future__ import annotations

from datetime import datetime

from certauthority.propagation import Propagation, propagation_of
from certauthority.propagation_facts import facts_of
from connect.clock import company_time
from kmp.models import InventoryEntry


def propagation(entry: InventoryEntry, *, now: datetime) -> Propagation:
    """The steps of one entry. ``now`` is real time."""
    certificate = entry.certificate
    issuer = certificate.authority.label if certificate.authority else certificate.issuer
    judged_at = company_time(entry.company, now)
    return propagation_of(facts_of(certificate, issuer=issuer, now=now, judged_at=judged_at))
