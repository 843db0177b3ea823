"""The CA hierarchy made once and put into the database of test after test: its rows are kept, its keys are files.

Making it takes four keys of responders, eight signatures, eight lints and a hundred queries; putting it back, a dozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from audit.models import AuditEvent
from certauthority import authorities, revocation_lists
from certauthority.models import (
    Authority,
    Certificate,
    OcspResponder,
    PublicKey,
    RevocationList,
    TrustedAuthority,
)
from certauthority.x509.profile import add_months

# What a test reads of it is as fresh as if it were its own: CRLs were published no longer ago than this.
KEPT_FOR = timedelta(minutes=1)
# What the settings say of a hierarchy: another test's is taken only where they say the same.
DECIDING = ("CA_", "CRL_", "SIGNS", "SIGNER", "PKCS11_", "SITE_URL", "SECRET_KEY")

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The rows of a hierarchy, in the order in which they can be inserted, and what they hold good for."""

    made_at: datetime
    circumstances: tuple[object, ...]
    rows: tuple[tuple[type[models.Model], tuple[Fields, ...]], ...]


_kept: dict[str, Hierarchy] = {}


def put_or_make() -> None:
    """See that root, Developers CA, KMP CA and Services CA are there, five years old, each with a CRL."""
    authorities._authority.cache_clear()  # Of an authority that another test may have changed.
    now = timezone.now()
    if Authority.objects.exists():
        _make(now=now)
        return
    kept = _kept.get("hierarchy")
    if kept is None or kept.circumstances != _circumstances() or not _is_fresh(kept, now=now):
        _make(now=now)
        _kept["hierarchy"] = Hierarchy(made_at=now, circumstances=_circumstances(), rows=_rows())
        return
    _put(kept)


def _make(*, now: datetime) -> None:
    authorities.create_hierarchy(begin=add_months(now, -60), now=now)
    for authority in Authority.objects.all():
        revocation_lists.publish(authority, now=now)


def _is_fresh(kept: Hierarchy, *, now: datetime) -> bool:
    return timedelta(0) <= now - kept.made_at < KEPT_FOR


def _circumstances() -> tuple[object, ...]:
    """What decides what a hierarchy looks like: the settings, and the files of its keys."""
    said = {name: str(getattr(settings, name)) for name in dir(settings) if name.startswith(DECIDING)}
    files = [(path.name, path.stat().st_mtime_ns) for path in sorted(Path(settings.CA_DIRECTORY).glob("*.pem"))]
    return (tuple(sorted(said.items())), tuple(files))


def _rows() -> tuple[tuple[type[models.Model], tuple[Fields, ...]], ...]:
    """Those of the hierarchy alone: a test may have made others before."""
    found: list[models.QuerySet[Any]] = [
        Certificate.objects.filter(authority__isnull=False),
        Authority.objects.order_by("pk"),
        OcspResponder.objects.order_by("pk"),
        PublicKey.objects.filter(holder__startswith="ca:"),
        TrustedAuthority.objects.filter(authority__isnull=False),
        RevocationList.objects.order_by("pk"),
        AuditEvent.objects.filter(object_type="authority").order_by("pk"),
    ]
    return tuple((rows.model, tuple(_fields(row) for row in rows)) for rows in found)


def _fields(row: models.Model) -> Fields:
    """Without a number that the database gives, unless other rows name it: the test's own rows may have that one."""
    fields = [field for field in row._meta.concrete_fields if not isinstance(field, models.AutoField)]
    values = {field.attname: getattr(row, field.attname) for field in fields}
    return values | ({"id": row.pk} if isinstance(row, Authority) else {})


@transaction.atomic
def _put(kept: Hierarchy) -> None:
    for model, rows in kept.rows:
        model._default_manager.bulk_create([model(**fields) for fields in rows])
