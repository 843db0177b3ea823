"""One subject, one live credential on the whole site."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from certauthority.x509.verdicts import Verdict
from portal.models import Credential


def live_twin(subject_digest: str) -> Credential | None:
    """The live credential with this subject, compared by RFC 5280, 7.1; an expired one still holds its name."""
    with connection.cursor() as cursor:
        # Nearly always there is none, so only the key is asked for.
        cursor.execute(
            "SELECT id FROM portal_credential WHERE subject_digest = %s AND ended_at IS NULL", [subject_digest]
        )
        found = cursor.fetchone()
    return None if found is None else Credential.objects.select_related("certificate", "project").get(pk=found[0])


def judge_duplicate(twin: Credential | None, *, now: datetime) -> Verdict:
    """The duplicate rule. The text does not name the twin: who may see it is the page's affair."""
    found = wanted = ""
    if twin is not None:
        found = "duplicate certificate: another live credential has this subject"
        if twin.certificate.not_after < now:
            found += ". It has expired, but holds its name until it is revoked"
        wanted = "a common name with another unique part, such as the current epoch time"
    return Verdict(
        id="dn.duplicate",
        title="No other live credential has this subject",
        ok=twin is None,
        found=found,
        wanted=wanted,
        source="RFC 5280, 7.1",
    )
