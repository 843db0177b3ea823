"""One subject, one live credential on the whole site."""

from __future__ import annotations

from datetime import datetime

from audit.statements import ask
from certauthority.x509.verdicts import Verdict
from connect.clock import company_time
from portal.models import Credential


def live_twin(subject_digest: str) -> Credential | None:
    """The live credential with this subject, compared by RFC 5280, 7.1; an expired one still holds its name."""
    # Nearly always there is none, so only the key is asked for.
    found = ask("SELECT id FROM portal_credential WHERE subject_digest = %s AND ended_at IS NULL", [subject_digest])
    for (key,) in found:
        return Credential.objects.select_related("certificate", "project__company").get(pk=key)
    return None


def has_expired(twin: Credential, *, now: datetime) -> bool:
    """Whether a credential's certificate has expired at a real moment, by the clock of its own company."""
    return twin.certificate.not_after < company_time(twin.project.company, now)


def judge_duplicate(twin: Credential | None, *, now: datetime) -> Verdict:
    """The duplicate rule at a real moment. The text does not name the twin: who may see it is the page's affair."""
    found = wanted = ""
    if twin is not None:
        found = "duplicate certificate: another live credential has this subject"
        if has_expired(twin, now=now):
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
