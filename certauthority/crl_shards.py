"""CRLs that are spread: which certificate names which list, which lists an authority has, and where they are.

With ``CRL_SHARDS`` above 1 a certificate of an issuing CA for clients names one of so many lists, chosen by its serial
number (``Certificate.crl_shard``). The full list stays beside them. Another number later changes nothing for what was
issued: a list that was ever published is published for as long as its authority.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from certauthority.models import Authority, RevocationList
from certauthority.models.authority import AuthorityPurpose
from certauthority.models.revocation_list import FULL

# Those that issue many certificates. The others have a handful, and one list.
SHARDED = frozenset({AuthorityPurpose.DEVELOPERS, AuthorityPurpose.KMP})


@dataclass(frozen=True, slots=True)
class Scope:
    """One list of one authority: the full one, or that of a shard, from 1 on."""

    authority: Authority
    shard: int = FULL

    @property
    def key(self) -> tuple[int, int]:
        """By which rows of lists are found."""
        return self.authority.pk, self.shard

    @property
    def label(self) -> str:
        """What people call it: Developers CA, or Developers CA, list 3."""
        return str(self.authority) if self.shard == FULL else f"{self.authority}, list {self.shard}"


def shard_of(serial: int, authority: Authority) -> int | None:
    """Which list a certificate with this serial number is to name; none where that is the full one."""
    if settings.CRL_SHARDS == 1 or authority.purpose not in SHARDED:
        return None
    return serial % int(settings.CRL_SHARDS) + 1


def is_one(authority: Authority, shard: int) -> bool:
    """Whether the authority is to have this list, be it published or not yet."""
    return shard == FULL or (authority.purpose in SHARDED and shard in _shards())


def scopes() -> list[Scope]:
    """Every list that must be valid now, of every authority, the full ones first. Two queries.

    Those are the full ones, those of which a certificate may be issued now, and those that there have ever been.
    """
    authorities = {authority.pk: authority for authority in Authority.objects.select_related("certificate")}
    full = [Scope(authority) for authority in authorities.values()]
    published = RevocationList.objects.exclude(shard=FULL).order_by().values_list("authority", "shard").distinct()
    wanted = {*published, *((pk, shard) for pk in _issuing(authorities.values()) for shard in _shards())}
    return full + [Scope(authorities[pk], shard) for pk, shard in sorted(wanted)]


def scopes_of(authority: Authority) -> list[Scope]:
    """The lists of one authority."""
    return [scope for scope in scopes() if scope.authority.pk == authority.pk]


def _shards() -> range:
    """Those that a certificate may name that is issued now, beside the full list."""
    return range(1, settings.CRL_SHARDS + 1) if settings.CRL_SHARDS > 1 else range(0)


def _issuing(authorities: Iterable[Authority]) -> list[int]:
    """The newest generation of each authority with several lists."""
    newest = {each.purpose: each.pk for each in sorted(authorities, key=lambda each: each.generation)}
    return [pk for purpose, pk in newest.items() if purpose in SHARDED]
