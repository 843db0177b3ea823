"""How what was done with a credential spreads. See ``certauthority.propagation`` for the certificate itself."""

from __future__ import annotations

from datetime import datetime

from certauthority.propagation import Facts, Propagation, State, Step, propagation_of, refused_at_endpoint
from certauthority.propagation_facts import facts_of
from portal.credentials import issuer_label
from portal.models import Credential


def propagation(credential: Credential, *, now: datetime, company_now: datetime) -> Propagation:
    """The steps of one credential. ``now`` is real time, ``company_now`` what its company's clock shows."""
    certificate = credential.certificate
    facts = facts_of(certificate, issuer=issuer_label(certificate), now=now, judged_at=company_now)
    if facts.revoked_at is None and credential.ended_at is not None:
        later = Credential.objects.filter(certificate=certificate, created_at__gt=credential.created_at)
        return Propagation(_use_ended(facts, credential, list(later.order_by("created_at"))))
    return propagation_of(facts)


def _use_ended(facts: Facts, credential: Credential, later: list[Credential]) -> tuple[Step, ...]:
    """The certificate of another CA, which goes on existing: it is refused for being on no project.

    ``later`` are the credentials that it has been since: calls after the end may be theirs.
    """
    ended_at = credential.ended_at or facts.now
    here = [one for one in later if one.project_id == credential.project_id]
    if here:
        text = f"It was added to this project again, as {here[-1].alias}, and is judged as that."
        endpoint = Step("The endpoint", State.ELSEWHERE, text)
    elif later:
        text = "Refused for this project from that moment on. Another project has had it since, and decides for itself."
        endpoint = Step("The endpoint", State.ELSEWHERE, text)
    else:
        endpoint = refused_at_endpoint(facts, since=ended_at)
    return (
        Step("Use on this project ended", State.DONE, at=ended_at),
        endpoint,
        Step("OCSP and CRL", State.ELSEWHERE, f"Its issuer, {facts.issuer}, was not told: it is not revoked there."),
    )
