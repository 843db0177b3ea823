"""Make responses ahead for all live certificates, renew them at half their life, and take back what may be wrong.

A response is signed first and stored afterwards, under the lock of the certificate's row and only if the row still says
what was signed. A revocation holds the same lock from before it takes the entry away until its commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import transaction

from certauthority.models import Authority, Certificate
from certauthority.ocsp import answers, ready_made
from certauthority.ocsp.answers import MADE_AHEAD, Standing
from certauthority.ocsp.ready_made import ReadyMade
from certauthority.x509.ocsp_response import Revocation, cert_id

PAGE = 500


@dataclass(frozen=True, slots=True)
class Signed:
    """The responses for one certificate by hash, and when it was revoked as they have it."""

    certificate_id: UUID
    serial: str
    revoked_at: datetime | None
    by_hash: dict[str, ReadyMade]


def make(certificate: Certificate, *, now: datetime) -> bool:
    """Make the responses for one certificate of ours. False where they could not be stored: the next round does it.

    Raises:
        SigningUnavailable: the responder cannot sign.
    """
    if certificate.authority is None or certificate.not_after <= now:
        return False
    standing = answers.standing_of(certificate.authority.name)
    return standing is not None and store(standing, sign_all(standing, [certificate], now=now)) == 1


def make_page(authority: Authority, *, after: UUID | None, now: datetime) -> UUID | None:
    """Make what is due among the next live certificates of an authority, in the order of their ids.

    Returns where the next page begins; None after the last one, and while Redis is away.

    Raises:
        SigningUnavailable: the responder cannot sign.
    """
    rows = Certificate.objects.filter(authority=authority, not_after__gt=now).order_by("pk")
    if after is not None:
        rows = rows.filter(pk__gt=after)
    page = list(rows.only("serial", "revoked_at", "revocation_reason")[:PAGE])
    if not page:
        return None
    return page[-1].pk if _make_due(authority.pk, authority.name, page, now=now) else None


def make_recent(*, now: datetime) -> None:
    """Make what is due among the newest certificates: those that the lint, every ten minutes, has not looked at yet.

    Raises:
        SigningUnavailable: a responder cannot sign.
    """
    rows = Certificate.objects.filter(authority__isnull=False, linted_at=None, not_after__gt=now)
    newest = rows.order_by("-recorded_at").values_list("pk", flat=True)[:PAGE]
    fields = ("serial", "revoked_at", "revocation_reason", "authority__name")
    page = Certificate.objects.filter(pk__in=list(newest)).select_related("authority").only(*fields)
    for authority, rows_of in groupby(page.order_by("authority_id"), key=lambda row: row.authority):
        if authority is not None:
            _make_due(authority.pk, authority.name, list(rows_of), now=now)


def _make_due(authority_id: int, name: str, page: Sequence[Certificate], *, now: datetime) -> bool:
    """Make what is missing or past half its life. False while Redis is away."""
    due = ready_made.ending(authority_id, [row.serial for row in page], within=answers.LIFETIME / 2)
    standing = answers.standing_of(name)
    if due is None or standing is None:
        return False
    wanted = set(due)
    store(standing, sign_all(standing, [row for row in page if row.serial in wanted], now=now))
    return True


def sign_all(standing: Standing, certificates: Sequence[Certificate], *, now: datetime) -> list[Signed]:
    """Responses as these rows have it; whether they still do is for ``store`` to say. Raises SigningUnavailable."""
    made = []
    for certificate in certificates:
        status: Revocation | bool = True
        if certificate.revoked_at is not None:
            status = Revocation(certificate.revoked_at, certificate.revocation_reason)
        serial = int(certificate.serial, 16)
        by_hash = {
            name: answers.sign(standing, [(cert_id(standing.issuer[algorithm], algorithm, serial), status)], now=now)
            for algorithm, name in MADE_AHEAD.items()
        }
        made.append(Signed(certificate.pk, certificate.serial, certificate.revoked_at, by_hash))
    return made


@transaction.atomic
def store(standing: Standing, signed: Sequence[Signed]) -> int:
    """Keep the responses whose rows still say what was signed; how many these are is returned.

    Rows that somebody else holds are left alone: it may be a revocation. Where Redis does not answer, nobody knows what
    it has kept, and the rows say so.
    """
    # Weaker than a deletion's lock, so that a credential can be stored meanwhile; a revocation waits all the same.
    rows = Certificate.objects.select_for_update(skip_locked=True, no_key=True)
    now_revoked = dict(rows.filter(pk__in=[one.certificate_id for one in signed]).values_list("pk", "revoked_at"))
    current = [
        one for one in signed if one.certificate_id in now_revoked and now_revoked[one.certificate_id] == one.revoked_at
    ]
    if not current:
        return 0
    if ready_made.keep(standing.authority_id, {one.serial: one.by_hash for one in current}):
        return len(current)
    Certificate.objects.filter(pk__in=[one.certificate_id for one in current]).update(ocsp_unsettled=True)
    return 0


def settle() -> int:
    """Take away what Redis may have kept against a row, so that it is relied on again. Returns how many rows."""
    settled = 0
    while True:
        count = _settle_page()
        settled += count
        if count < PAGE:
            return settled


@transaction.atomic
def _settle_page() -> int:
    unsettled = Certificate.objects.select_for_update(no_key=True).filter(authority__isnull=False, ocsp_unsettled=True)
    page = list(unsettled.order_by("authority_id", "pk").values_list("authority_id", "serial", "pk")[:PAGE])
    for authority_id, rows in groupby(page, key=lambda row: row[0]):
        group = list(rows)
        if not ready_made.withdraw(authority_id, [serial for _, serial, _ in group]):
            return 0
        Certificate.objects.filter(pk__in=[pk for _, _, pk in group]).update(ocsp_unsettled=False)
    return len(page)
