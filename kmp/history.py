"""The audit log of KMP in words."""

from __future__ import annotations

from audit.models import AuditEvent
from connect.activity import Entry, Wording
from kmp.models import Environment, InventoryEntry
from kmp.records import audited_entry

_WORDING = Wording(
    sentences={
        "kmp.certificate-issued": "Issued {label}",
        "kmp.certificate-renewed": "Renewed: the next version is {renewed_by}",
        "kmp.certificate-revoked": "Revoked {label}",
        "kmp.certificate-snoozed": "Snoozed its notices until {snoozed_until}",
        "kmp.certificate-woken": "Woke up its notices",
    },
    names={"serial": "Serial number", "not_after": "Expires"},
    said={
        "kmp.certificate-issued": {"common_name"},
        "kmp.certificate-renewed": {"renewed_by", "state"},
        "kmp.certificate-revoked": {"common_name"},
        "kmp.certificate-snoozed": {"snoozed_until"},
        "kmp.certificate-woken": {"snoozed_until"},
    },
    choices={"environment": Environment},
)


def history_of(entry: InventoryEntry) -> list[Entry]:
    """What happened to one certificate, the newest first."""
    named = audited_entry(entry)
    events = AuditEvent.objects.filter(company=named.company, object_type=named.type, object_id=named.id)
    return [_WORDING.entry(event) for event in events.order_by("-id")]
