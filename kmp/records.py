"""Rows of KMP in the words of the audit log."""

from __future__ import annotations

from audit.events import AuditedObject
from kmp.models import CertificateRequest, InventoryEntry


def audited(request: CertificateRequest) -> AuditedObject:
    """A request as the object of an event."""
    return _audited("kmp-request", request, request.number)


def audited_entry(entry: InventoryEntry) -> AuditedObject:
    """A certificate of the inventory as the object of an event."""
    return _audited("kmp-certificate", entry, entry.reference)


def _audited(kind: str, row: CertificateRequest | InventoryEntry, label: str) -> AuditedObject:
    company = row.company
    return AuditedObject(
        type=kind, id=str(row.pk), label=label, company=str(company.pk), clock_ahead=company.clock_ahead
    )
