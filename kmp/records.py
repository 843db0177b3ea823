"""Rows of KMP in the words of the audit log."""

from __future__ import annotations

from audit.events import AuditedObject
from kmp.models import CertificateRequest, InventoryEntry


def audited(request: CertificateRequest) -> AuditedObject:
    """A request as the object of an event."""
    return AuditedObject(type="kmp-request", id=str(request.pk), label=request.number, company=str(request.company_id))


def audited_entry(entry: InventoryEntry) -> AuditedObject:
    """A certificate of the inventory as the object of an event."""
    return AuditedObject(type="kmp-certificate", id=str(entry.pk), label=entry.reference, company=str(entry.company_id))
