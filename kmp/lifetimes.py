"""The certificates of KMP's inventory, as Connect watches their ends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.urls import reverse

from audit.events import AuditedObject
from connect.expiry.sources import Deadline, Lifetime, Source
from connect.models import AccessRequest, AccessState, Company, User
from connect.notices import Recipient, people
from connect.officers import KMP, is_officer
from kmp.models import CertificateRequest, EntryState, InventoryEntry
from kmp.models.applications import Environment
from kmp.moves import OPEN
from kmp.records import audited_entry

_DEADLINES = 100


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
        loaded = rows.select_related("company", "certificate__authority", "certificate__use", "renewed_by")
        return [_lifetime(entry) for entry in loaded.defer("certificate__der", "certificate__uploaded_chain")]

    def recipients(self, lifetimes: Sequence[Lifetime]) -> Mapping[UUID, Sequence[Recipient]]:
        companies = {lifetime.company.pk: lifetime.company for lifetime in lifetimes}
        officers = _officers_by_company(companies)
        asked = CertificateRequest.objects.filter(entry__in=[lifetime.key for lifetime in lifetimes])
        requesters = {request.entry_id: request.officer for request in asked.select_related("officer").defer("csr")}
        found: dict[UUID, list[Recipient]] = {}
        for lifetime in lifetimes:
            group = lifetime.company.group_email
            requester = requesters.get(lifetime.key)
            # Who has left the company is told nothing more of it.
            present = [requester] if requester is not None and requester.company_id == lifetime.company.pk else []
            found[lifetime.key] = [
                *people(dict.fromkeys([*present, *officers.get(lifetime.company.pk, [])])),
                *([Recipient(group)] if group else []),
            ]
        return found

    def scopes_of(self, user: User) -> Collection[str]:
        return {str(user.company_id)} if user.company_id is not None and is_officer(user) else set()

    def audited(self, row: InventoryEntry) -> AuditedObject:
        return audited_entry(row)

    def speaking(self, rows: QuerySet[InventoryEntry]) -> QuerySet[InventoryEntry]:
        return rows.filter(
            Q(renewed_by=None)
            | Q(renewed_by__state=EntryState.REVOKED)
            | Q(certificate__use__last_used_at__gte=F("renewed_by__issued_at"))
        )

    def deadlines(self, company: Company) -> list[Deadline]:
        """Renewals that are not signed yet: each by the end of the certificate that it renews."""
        waiting = CertificateRequest.objects.filter(company=company, state__in=OPEN, expiring__isnull=False)
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


def _officers_by_company(companies: Collection[UUID]) -> dict[UUID, list[User]]:
    granted = AccessRequest.objects.filter(
        company__in=companies,
        application=KMP,
        state=AccessState.GRANTED,
        user__is_active=True,
        user__company=F("company"),
    )
    found: dict[UUID, list[User]] = {}
    for request in granted.select_related("user").order_by("user__name", "user__email"):
        found.setdefault(request.company_id, []).append(request.user)
    return found


def _lifetime(entry: InventoryEntry) -> Lifetime:
    certificate = entry.certificate
    newer: InventoryEntry | None = getattr(entry, "renewed_by", None)
    if newer is not None and newer.state == EntryState.REVOKED:
        newer = None
    use = getattr(certificate, "use", None)
    page = reverse("kmp:entry", args=[entry.reference])
    return Lifetime(
        source=Entries.name,
        key=entry.pk,
        company=entry.company,
        scope=str(entry.company_id),
        name=entry.reference,
        common_name=entry.common_name,
        serial=entry.serial,
        fingerprint=certificate.fingerprint,
        issuer=certificate.authority.label if certificate.authority else certificate.issuer,
        environment=str(Environment(entry.environment).label),
        place=entry.application_name,
        begins_at=certificate.not_before,
        expires_at=entry.expires_at,
        since=entry.issued_at,
        url=page,
        act_label=f"Open {newer.reference}" if newer else f"Renew {entry.reference}",
        act_url=reverse("kmp:entry", args=[newer.reference])
        if newer
        else reverse("kmp:entry_renew", args=[entry.reference]),
        successor=newer.reference if newer else "",
        successor_key=newer.pk if newer else None,
        successor_since=newer.issued_at if newer else None,
        successor_expires_at=newer.expires_at if newer else None,
        last_used_at=use.last_used_at if use is not None else None,
        next_notice_at=entry.next_notice_at,
        snoozed_until=entry.snoozed_until,
        snoozed_by=entry.snoozed_by,
    )
