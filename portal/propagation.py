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
        others = Credential.objects.filter(certificate=certificate).exclude(pk=credential.pk)
        return Propagation(_use_ended(facts, ended_at=credential.ended_at, is_elsewhere=others.exists()))
    return propagation_of(facts)


def _use_ended(facts: Facts, *, ended_at: datetime, is_elsewhere: bool) -> tuple[Step, ...]:
    """The certificate of another CA, which goes on existing: it is refused for being on no project."""
    endpoint = refused_at_endpoint(facts, since=ended_at)
    if is_elsewhere:
        text = (
            "Refused for this project from that moment on. Another project has had it as well, and decides for itself."
        )
        endpoint = Step("The endpoint", State.ELSEWHERE, text)
    return (
        Step("Use on this project ended", State.DONE, at=ended_at),
        endpoint,
        Step("OCSP and CRL", State.ELSEWHERE, f"Its issuer, {facts.issuer}, was not told: it is not revoked there."),
    )
