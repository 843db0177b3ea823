"""How much of a certificate's life is over."""

from __future__ import annotations

from datetime import datetime

from certauthority.models import Certificate


def percent_over(certificate: Certificate, *, now: datetime) -> int:
    """0 before it begins, 100 once it has ended."""
    begin, end = certificate.not_before, certificate.not_after
    share = (now - begin) / (end - begin) if end > begin else 1.0
    return round(100 * min(max(share, 0.0), 1.0))
