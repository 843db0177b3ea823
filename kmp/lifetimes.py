"""The certificates of KMP's inventory, as Connect watches their ends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.urls import reverse

from audit.events import AuditedObject
from certauthority.models import Authority
from connect.expiry.sources import Deadline, Lifetime, Source, companies_by_key
from connect.models import AccessRequest, AccessState, Company, User
from connect.notices import Recipient, people_by_key
from connect.officers import KMP, is_officer
from kmp.models import CertificateRequest, EntryState, InventoryEntry
from kmp.models.applications import Environment
from kmp.moves import OPEN
from kmp.records import audited_entry

_DEADLINES = 100


_LIVING = (EntryState.LIVE, EntryState.RENEWED)
_COLUMNS = (
    "pk",
    "reference",
    "company",
    "environment",
    "application_name",
    "common_name",
    "serial",
    "issued_at",
    "expires_at",
    "next_notice_at",
    "snoozed_until",
    "snoozed_by",
    "certificate__authority",
    "certificate__issuer",
    "certificate__fingerprint",
    "certificate__not_before",
    "certificate__use__last_used_at",
    "renewed_by__pk",
    "renewed_by__reference",
    "renewed_by__state",
    "renewed_by__issued_at",
    "renewed_by__expires_at",
)


class Entries(Source):
    """Every version that is not revoked. Their ends are told to the requester, the officers and the group address."""

    name: ClassVar[str] = "kmp"
    label: ClassVar[str] = "Key Management Portal"
    place_label: ClassVar[str] = "Application"
    told_because: ClassVar[str] = (
        "You get this because you requested this certificate or are a security officer of {company}, or because this "
        "is its Certificate Management Group Email."
    )
    expiry: ClassVar[str] = "expires_at"
    company: ClassVar[str] = "company"
    scope: ClassVar[str] = "company"
    since: ClassVar[str] = "issued_at"
    audit_prefix: ClassVar[str] = "kmp.certificate-"

    def rows(self) -> QuerySet[InventoryEntry]:
        return InventoryEntry.objects.filter(certificate__revoked_at=None)

    def awaited(self) -> QuerySet[InventoryEntry]:
        return InventoryEntry.objects.all()

    def scopes(self, companies: QuerySet[Company]) -> QuerySet[Company]:
        return companies

    def lifetimes(self, rows: QuerySet[InventoryEntry]) -> list[Lifetime]:
        # Values, not objects: the scan reads thousands of them.
        found = list(rows.values(*_COLUMNS))
        companies = companies_by_key({row["company"] for row in found})
        authorities = {row.pk: row.label for row in Authority.objects.only("purpose", "generation").order_by()}
        return [
            _lifetime(row, company=companies[row["company"]], issuer=authorities.get(row["certificate__authority"]))
            for row in found
        ]

    def recipients(self, lifetimes: Sequence[Lifetime]) -> Mapping[UUID, Sequence[Recipient]]:
        # Keys, and each person once: an officer has many certificates.
        officers = _officers_by_company({lifetime.company.pk for lifetime in lifetimes})
        requesters = _requesters([lifetime.key for lifetime in lifetimes])
        people = people_by_key({*requesters.values(), *(key for keys in officers.values() for key in keys)})
        found: dict[UUID, list[Recipient]] = {}
        for lifetime in lifetimes:
            group = lifetime.company.group_email
            asked = [requesters[lifetime.key]] if lifetime.key in requesters else []
            keys = dict.fromkeys([*asked, *officers.get(lifetime.company.pk, [])])
            told = [people[key] for key in keys if key in people]
            found[lifetime.key] = [*told, Recipient(group)] if group else told
        return found

    def scopes_of(self, user: User) -> Collection[str]:
        return {str(user.company_id)} if user.company_id is not None and is_officer(user) else set()

    def audited(self, row: InventoryEntry) -> AuditedObject:
        return audited_entry(row)

    def speaking(self, rows: QuerySet[InventoryEntry], *, now: Any) -> QuerySet[InventoryEntry]:
        return rows.filter(
            Q(renewed_by=None)
            | Q(renewed_by__state=EntryState.REVOKED)
            | Q(renewed_by__expires_at__lt=now)
            | Q(certificate__use__last_used_at__gte=F("renewed_by__issued_at"))
        )

    def deadlines(self, company: Company, *, after: datetime) -> list[Deadline]:
        """Renewals that are not signed yet: each by the end of the certificate that it renews."""
        waiting = CertificateRequest.objects.filter(company=company, state__in=OPEN, expiring__expires_at__gt=after)
        found = waiting.select_related("expiring").defer("csr").order_by("expiring__expires_at", "pk")[:_DEADLINES]
        return [
            Deadline(
                at=request.expiring.expires_at,
                title=f"{request.number} must be signed: {request.expiring.reference} ends",
                scope=str(company.pk),
                url=reverse("kmp:request", args=[request.number]),
            )
            for request in found
            if request.expiring is not None
        ]


def watched(entry: InventoryEntry) -> str:
    """How notices name a certificate of the inventory."""
    return f"{Entries.name}:{entry.pk}"


def _requesters(entries: Sequence[UUID]) -> dict[UUID, UUID]:
    """Who asked for each, by keys. Who has left the company is told nothing more of it, and is not among them."""
    asked = CertificateRequest.objects.filter(entry__pk__any_of=entries, officer__company=F("entry__company"))
    return dict(asked.values_list("entry_id", "officer_id"))


def _officers_by_company(companies: Collection[UUID]) -> dict[UUID, list[UUID]]:
    granted = AccessRequest.objects.filter(
        company__pk__any_of=companies,
        application=KMP,
        state=AccessState.GRANTED,
        user__is_active=True,
        user__company=F("company"),
    )
    found: dict[UUID, list[UUID]] = {}
    for company, user in granted.order_by("user__name", "user__email").values_list("company_id", "user_id"):
        found.setdefault(company, []).append(user)
    return found


def _lifetime(row: Mapping[str, Any], *, company: Company, issuer: str | None) -> Lifetime:
    reference = row["reference"]
    newer: str = row["renewed_by__reference"] if row["renewed_by__state"] in _LIVING else ""
    addresses = _addresses()
    return Lifetime(
        source=Entries.name,
        key=row["pk"],
        company=company,
        scope=str(company.pk),
        name=reference,
        common_name=row["common_name"],
        serial=row["serial"],
        fingerprint=row["certificate__fingerprint"],
        issuer=issuer or row["certificate__issuer"],
        environment=str(Environment(row["environment"]).label),
        place=row["application_name"],
        begins_at=row["certificate__not_before"],
        expires_at=row["expires_at"],
        since=row["issued_at"],
        url=addresses.page.format(reference),
        act_label=f"Open {newer}" if newer else f"Renew {reference}",
        act_url=addresses.page.format(newer) if newer else addresses.renew.format(reference),
        successor=newer,
        successor_key=row["renewed_by__pk"] if newer else None,
        successor_since=row["renewed_by__issued_at"] if newer else None,
        successor_expires_at=row["renewed_by__expires_at"] if newer else None,
        last_used_at=row["certificate__use__last_used_at"],
        next_notice_at=row["next_notice_at"],
        snoozed_until=row["snoozed_until"],
        snoozed_by=row["snoozed_by"],
        renew_label=f"Renew {newer}" if newer else "",
        renew_url=addresses.renew.format(newer) if newer else "",
    )


class _Addresses(NamedTuple):
    """Paths for every entry: ``{}`` stands for the reference."""

    page: str
    renew: str


@cache
def _addresses() -> _Addresses:
    reference = "KM-000000"
    found = (reverse("kmp:entry", args=[reference]), reverse("kmp:entry_renew", args=[reference]))
    return _Addresses(*(path.replace(reference, "{}") for path in found))
