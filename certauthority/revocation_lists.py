"""Publish CRLs (RFC 5280, 5): a full one for the root and each issuing CA, and those of shards (``crl_shards``).

A revocation is on the CRL once it is on the list that its certificate names. The full list of an authority with shards
has what their lists have since its last hourly publication.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BinaryField, Exists, OuterRef, QuerySet
from django.db.models.functions import Length, Substr

from certauthority import crl_entries, profiles, signers
from certauthority.crl_shards import Scope, scopes
from certauthority.models import Authority, Certificate, RevocationList
from certauthority.models.revocation_list import FULL
from certauthority.x509.revocation_list import build_crl

# How many old CRLs are kept beside the current one, to look back when something went wrong: the newest always, since
# somebody may be reading it, and the others as long as there is room.
KEPT, KEPT_BYTES = 10, 256 * 1024 * 1024
# A CRL with less time left than this is renewed at the start of the site.
RENEW_BEFORE = timedelta(hours=12)
# So many are marked as listed at once: each is a row to write, and a publication must end before its time limit.
MARKED_AT_ONCE = 5_000
# A list names the addresses that it had before as well: certificates that name them are out.
KEPT_ADDRESSES = 8
# A large list is read, and served, in pieces of so many octets.
PIECE = 1024 * 1024


@transaction.atomic
def publish(
    authority: Authority,
    *,
    now: datetime,
    shard: int = FULL,
    only_if_pending: bool = False,
    unless_since: datetime | None = None,
) -> RevocationList | None:
    """Sign and store the next CRL of an authority, or of one of its shards.

    With ``only_if_pending`` nothing is made where every revocation is on a CRL already: several messages that ask
    for the same list make one. With ``unless_since`` neither, but only where a list was published at this moment or
    later. Two publishers of one authority queue at its row; waiting, not skipping, because the first may have read the
    revocations before the second's was committed. Certificates are issued meanwhile.

    What is revoked by the thousand is listed at once, and marked as listed in portions: `pending` has the rest.

    Raises:
        SigningUnavailable: the CA's key cannot be used.
    """
    locked = (
        Authority.objects.select_for_update(no_key=True, of=("self",))
        .select_related("certificate")
        .get(pk=authority.pk)
    )
    before = current(authority, shard)
    is_new = unless_since is not None and before is not None and before.this_update >= unless_since
    if (only_if_pending or is_new) and not pending(authority, shard).exists():
        return None
    # Marked before it is read: what is marked here is surely read below, and what comes between stays pending.
    portion = pending(authority, shard).order_by().values("pk")[:MARKED_AT_ONCE]
    Certificate.objects.filter(pk__in=portion).update(on_crl_at=now)
    return _made(locked, shard, before, now=now)


def current(authority: Authority, shard: int = FULL) -> RevocationList | None:
    """The newest CRL, if one was ever published. Its DER is read when it is asked for, and not before."""
    return authority.revocation_lists.filter(shard=shard).defer("der").order_by("-number").first()


def newest() -> QuerySet[RevocationList]:
    """The newest CRL of each scope, without its DER."""
    newer = RevocationList.objects.filter(
        authority=OuterRef("authority"), shard=OuterRef("shard"), number__gt=OuterRef("number")
    )
    return RevocationList.objects.filter(~Exists(newer)).defer("der").order_by("authority", "shard")


def pieces(crl: RevocationList) -> tuple[int, Iterator[bytes]]:
    """How many octets the list has, and they in their order, a piece at a time: at no time all of them."""
    row = RevocationList.objects.filter(pk=crl.pk)
    size: int = row.values_list(Length("der"), flat=True).get()
    return size, (
        bytes(row.values_list(Substr("der", start + 1, PIECE, output_field=BinaryField()), flat=True).get())
        for start in range(0, size, PIECE)
    )


def pending(authority: Authority, shard: int = FULL) -> QuerySet[Certificate]:
    """Revoked certificates that name this list, and that no such list has yet."""
    return _pending().filter(authority=authority, crl_shard=shard or None)


def pending_of(authority: Authority) -> QuerySet[Certificate]:
    """Revoked certificates of the authority that are not on the list that they name."""
    return _pending().filter(authority=authority)


def due(*, now: datetime) -> list[Scope]:
    """The lists that are missing, soon stale, or lack a revocation. Four queries."""
    fresh = {(crl.authority_id, crl.shard) for crl in newest() if crl.next_update > now + RENEW_BEFORE}
    unlisted = {(authority, shard or FULL) for authority, shard in _pending().values_list("authority", "crl_shard")}
    found = {scope.key: scope for scope in scopes()}
    for pk, shard in sorted(unlisted - found.keys()):
        # Somebody issues with more lists than this process knows of.
        found[pk, shard] = Scope(found[pk, FULL].authority, shard)
    return [scope for key, scope in found.items() if key not in fresh or key in unlisted]


def _made(authority: Authority, shard: int, before: RevocationList | None, *, now: datetime) -> RevocationList:
    """The next list after ``before``, signed and stored; the authority's row is locked."""
    listed = crl_entries.read(authority, shard, since=before.this_update if before else None)
    last = authority.revocation_lists.order_by("-number").values_list("number", flat=True).first()
    crl = RevocationList(
        authority=authority,
        shard=shard,
        addresses="\n".join(_addresses(authority, shard, before)),
        number=max(last or 0, authority.crl_number_above or 0) + 1,
        this_update=now.replace(microsecond=0),
        next_update=now.replace(microsecond=0) + timedelta(hours=settings.CRL_LIFETIME_HOURS),
        entries=listed.count,
        der=b"",
    )
    signer = signers.signer_of(authority)
    der = build_crl(
        issuer=signer.certificate,
        issuer_key=signer.key,
        number=crl.number,
        this_update=crl.this_update,
        next_update=crl.next_update,
        entries=listed.der,
        addresses=crl.addresses.splitlines(),
    )
    crl.save(force_insert=True)
    _store(crl, der)
    _remove_old(authority, shard)
    return crl


def _pending() -> QuerySet[Certificate]:
    return Certificate.objects.filter(authority__isnull=False, revoked_at__isnull=False, on_crl_at=None)


def _store(crl: RevocationList, der: bytes) -> None:
    """As octets: Django's field sends them as hexadecimal digits, twice as many."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE certauthority_revocationlist SET der = %s WHERE id = %s", [der, crl.pk])
    crl.der = der


def _addresses(authority: Authority, shard: int, before: RevocationList | None) -> list[str]:
    """What the list is to name: nothing where it is the full one, which is for all."""
    if shard == FULL:
        return []
    named = before.addresses.splitlines() if before else []
    return list(dict.fromkeys([profiles.crl_url(authority, shard), *named]))[:KEPT_ADDRESSES]


def _remove_old(authority: Authority, shard: int) -> None:
    lists = authority.revocation_lists.filter(shard=shard)
    octets = 0
    for place, (number, size) in enumerate(lists.order_by("-number").values_list("number", Length("der"))[1:]):
        octets += size
        if place and (place >= KEPT or octets > KEPT_BYTES):
            lists.filter(number__lte=number).delete()
            return
