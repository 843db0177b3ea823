"""Questions about credentials: which ones a page lists, their status at a moment, and what replaces what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import models
from django.db.models import Count, Prefetch, Q, QuerySet

from certauthority.models import Certificate
from connect.lifecycle import Status, days_left, status
from portal.models import Credential, Environment, Project

# What rows show of a credential: making the objects of a page takes as long as all of its columns do.
_RELATIVE = ("alias", "environment", "project", "predecessor", "created_at", "ended_at", "expires_at")
_SHOWN = (
    *_RELATIVE,
    *("method", "end_reason", "project__name"),
    *(f"predecessor__{name}" for name in ("alias", "environment", "project", "ended_at")),
    *(f"certificate__{name}" for name in ("common_name", "serial", "fingerprint", "issuer", "counted_from")),
    *("certificate__not_before", "certificate__not_after"),
    *("certificate__authority__purpose", "certificate__authority__generation", "certificate__use__last_used_at"),
)


class Show(models.TextChoices):
    """What the list shows; it stands in the page's address."""

    LIVE = "live", "Live"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"
    ALL = "all", "All"


@dataclass(frozen=True, slots=True)
class Row:
    """A credential as a page shows it at one moment."""

    credential: Credential
    status: Status
    days_left: int
    last_used_at: datetime | None
    successors: tuple[Credential, ...]

    @property
    def certificate(self) -> Certificate:
        return self.credential.certificate

    @property
    def is_live(self) -> bool:
        return self.credential.ended_at is None

    @property
    def replaced_by(self) -> Credential | None:
        """The newest live successor."""
        live = [successor for successor in self.successors if successor.ended_at is None]
        return live[-1] if live else None

    @property
    def replaces(self) -> Credential | None:
        """The predecessor, while it is live too: then both rows say that a rotation is under way."""
        predecessor = self.credential.predecessor
        return predecessor if predecessor is not None and predecessor.ended_at is None else None

    @property
    def issuer_label(self) -> str:
        """Our CA's name, or the issuer's common name."""
        return issuer_label(self.certificate)


def loaded(keys: Iterable[UUID]) -> list[Credential]:
    """The credentials with these keys, in this order, with what rows show and nothing else."""
    wanted = list(keys)
    found = {one.pk: one for one in _shown().filter(pk__any_of=wanted)}
    for one in found.values():
        one.succeeded_by = []
    # Django would make a query of its own for each of them, only to keep its answer there.
    for successor in _relatives().filter(predecessor__pk__any_of=list(found)).order_by("created_at", "pk"):
        before = found[successor.predecessor_id] if successor.predecessor_id is not None else None
        if before is not None:
            successor.predecessor = before
            before.succeeded_by.append(successor)
    return [found[key] for key in wanted if key in found]


# What they ask for depends on nothing, so that it is put together once.
@cache
def _shown() -> QuerySet[Credential]:
    related = ("project", "certificate__authority", "certificate__use", "predecessor")
    return Credential.objects.select_related(*related).only(*_SHOWN).order_by()


@cache
def _relatives() -> QuerySet[Credential]:
    return Credential.objects.only(*_RELATIVE)


def counts(project: Project, environment: Environment, *, now: datetime) -> dict[Show, int]:
    """How many each filter shows, in one query."""
    found = Credential.objects.filter(project=project, environment=environment).aggregate(
        live=Count("pk", filter=Q(ended_at=None, expires_at__gte=now)),
        expired=Count("pk", filter=Q(ended_at=None, expires_at__lt=now)),
        revoked=Count("ended_at"),
        all=Count("*"),
    )
    return {show: found[show.value] for show in Show}


def with_certificates(credentials: QuerySet[Credential]) -> QuerySet[Credential]:
    """Load what rows and details show, in a constant number of queries."""
    return credentials.select_related(
        "project", "certificate__authority", "certificate__use", "predecessor"
    ).prefetch_related(Prefetch("successors", queryset=Credential.objects.order_by("created_at", "pk")))


def row(credential: Credential, *, now: datetime) -> Row:
    """The credential at this moment. Its successors are asked for where nothing has loaded them."""
    certificate = credential.certificate
    use = getattr(certificate, "use", None)
    successors: Iterable[Credential] | None = getattr(credential, "succeeded_by", None)
    return Row(
        credential=credential,
        status=status(certificate.not_after, ended=credential.ended_at is not None, now=now),
        days_left=days_left(certificate.not_after, now=now),
        last_used_at=use.last_used_at if use is not None else None,
        successors=tuple(credential.successors.all() if successors is None else successors),
    )


def rows_of(keys: Iterable[UUID], *, now: datetime) -> dict[UUID, Row]:
    """The credentials with these keys at this moment, by key."""
    return {credential.pk: row(credential, now=now) for credential in loaded(keys)}


def in_order(rows: dict[UUID, Row], keys: Iterable[UUID]) -> tuple[Row, ...]:
    """The rows with these keys, in this order. A certificate may have gone since its key was read."""
    return tuple(rows[key] for key in keys if key in rows)


def issuer_label(certificate: Certificate) -> str:
    """Our CA's name, or the issuer's common name."""
    authority = certificate.authority
    return authority.label if authority is not None else common_name_in(certificate.issuer)


def common_name_in(subject: str) -> str:
    """The common name of an RFC 4514 text, or all of it where there is none."""
    for part in subject.split(","):
        if part.startswith("CN="):
            return part.removeprefix("CN=")
    return subject
