"""Publish CRLs: full, one for the root and for each issuing CA (RFC 5280, 5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from certauthority import signers
from certauthority.models import Authority, Certificate, RevocationList
from certauthority.x509.revocation_list import build_crl

# How many old CRLs are kept beside the current one, to look back when something went wrong.
KEPT = 10
# A CRL with less time left than this is renewed at the start of the site.
RENEW_BEFORE = timedelta(hours=12)


@transaction.atomic
def publish(
    authority: Authority, *, now: datetime, only_if_pending: bool = False, unless_since: datetime | None = None
) -> RevocationList | None:
    """Sign and store the authority's next CRL.

    With ``only_if_pending`` nothing is made where every revocation is on a CRL already: several messages that ask
    for the same list make one. With ``unless_since`` neither, but only where a list was published at this moment or
    later. Two publishers of one authority queue at its row; waiting, not skipping, because the first may have read the
    revocations before the second's was committed.

    Raises:
        SigningUnavailable: the CA's key cannot be used.
    """
    locked = Authority.objects.select_for_update().get(pk=authority.pk)
    newest = authority.revocation_lists.order_by("-number").first()
    is_new = unless_since is not None and newest is not None and newest.this_update >= unless_since
    if (only_if_pending or is_new) and not pending(authority).exists():
        return None
    # Marked before it is read: what is marked here is surely read below, and what comes between stays pending.
    pending(authority).update(on_crl_at=now)
    entries = list(_listed(authority, since=newest.this_update if newest else None, now=now))
    this_update = now.replace(microsecond=0)
    next_update = this_update + timedelta(hours=settings.CRL_LIFETIME_HOURS)
    signer = signers.signer_of(authority)
    number = max(newest.number if newest else 0, locked.crl_number_above or 0) + 1
    crl = RevocationList.objects.create(
        authority=authority,
        number=number,
        this_update=this_update,
        next_update=next_update,
        entries=len(entries),
        der=build_crl(
            issuer=signer.certificate,
            issuer_key=signer.key,
            number=number,
            this_update=this_update,
            next_update=next_update,
            entries=b"".join(entries),
        ),
    )
    authority.revocation_lists.filter(number__lt=number - KEPT).delete()
    return crl


def current(authority: Authority) -> RevocationList | None:
    """The newest CRL, if one was ever published."""
    return authority.revocation_lists.order_by("-number").first()


def pending(authority: Authority) -> QuerySet[Certificate]:
    """Revoked certificates that no CRL lists yet."""
    return Certificate.objects.filter(authority=authority, revoked_at__isnull=False, on_crl_at=None)


def due(*, now: datetime) -> QuerySet[Authority]:
    """Authorities whose CRL is missing, soon stale, or lacks a revocation."""
    fresh = RevocationList.objects.filter(authority=OuterRef("pk"), next_update__gt=now + RENEW_BEFORE)
    unlisted = Certificate.objects.filter(authority=OuterRef("pk"), revoked_at__isnull=False, on_crl_at=None)
    return Authority.objects.filter(~Exists(fresh) | Exists(unlisted))


def _listed(authority: Authority, *, since: datetime | None, now: datetime) -> Iterator[bytes]:
    """The entries of the next CRL: each stays until one CRL after its certificate's end (RFC 5280, 3.3)."""
    rows = Certificate.objects.filter(authority=authority, revoked_at__isnull=False)
    if since is not None:
        rows = rows.filter(Q(not_after__gte=since) | Q(on_crl_at=now) | Q(on_crl_at=None))
    entries = rows.order_by("revoked_at").values_list("crl_entry", flat=True)
    return (bytes(entry) for entry in entries if entry is not None)
