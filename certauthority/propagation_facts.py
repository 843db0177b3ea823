"""Read what ``certauthority.propagation`` tells of: rows, and the OCSP response in Redis."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings

from certauthority import profiles
from certauthority.models import Authority, Certificate, OcspResponder, RevocationList
from certauthority.models.revocation_list import FULL
from certauthority.ocsp import ready_made
from certauthority.propagation import Facts, SeenOnce, next_hourly
from certauthority.use import last_calls
from certauthority.use_tally import KEPT_CALLS

# One of the hashes for which responses are made ahead; they are all made together.
_HASH = "sha256"


def facts_of(certificate: Certificate, *, issuer: str, now: datetime, judged_at: datetime) -> Facts:
    """Everything about one certificate, in at most three queries beside its own row, its CA's and its use's.

    ``issuer`` is its CA's name for people; ``judged_at`` is what its company's clock shows.
    """
    authority = certificate.authority
    use = getattr(certificate, "use", None)
    calls = last_calls(certificate.pk, most=KEPT_CALLS)
    return Facts(
        now=now,
        judged_at=judged_at,
        issuer=issuer,
        is_ours=authority is not None,
        recorded_at=certificate.recorded_at,
        not_after=certificate.not_after,
        first_used_at=use.first_used_at if use is not None else None,
        calls=[SeenOnce(call.at, call.accepted, call.get_reason_display(), call.client_address) for call in calls],
        calls_are_all=len(calls) < KEPT_CALLS,
        has_responder=authority is not None and OcspResponder.objects.filter(authority=authority).exists(),
        response_at=_response_at(certificate, authority),
        is_settled=not certificate.ocsp_unsettled,
        revoked_at=certificate.revoked_at,
        reason=certificate.get_revocation_reason_display(),
        on_crl_at=certificate.on_crl_at,
        crl_number=_first_crl(certificate),
        crl_url=profiles.crl_path(authority, certificate.crl_shard) if authority is not None else "",
        next_crl_at=next_hourly(settings.CRL_MINUTE, now=now),
        crl_shard=certificate.crl_shard,
    )


def _response_at(certificate: Certificate, authority: Authority | None) -> datetime | None:
    """None also while Redis is away, or where what it holds may be wrong."""
    if authority is None or certificate.ocsp_unsettled:
        return None
    found = ready_made.find(authority.pk, certificate.serial, _HASH)
    return datetime.fromtimestamp(found.this_update, UTC) if found is not None else None


def _first_crl(certificate: Certificate) -> int | None:
    """The number of the CRL that was published when it was listed; None once that one is no longer kept."""
    if certificate.on_crl_at is None or certificate.authority is None:
        return None
    published_at = certificate.on_crl_at.replace(microsecond=0)
    lists = RevocationList.objects.filter(
        authority=certificate.authority, shard=certificate.crl_shard or FULL, this_update=published_at
    )
    return lists.order_by("-number").values_list("number", flat=True).first()
