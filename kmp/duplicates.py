"""One subject, one live certificate of the inventory."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, Value, When

from certauthority.x509.attribute_rules import DnRules
from certauthority.x509.verdicts import Verdict
from connect.clock import company_time
from connect.models import Company
from kmp.models import EntryState, InventoryEntry


def live_twin(subject_digest: str, *, company: Company, besides: InventoryEntry | None) -> InventoryEntry | None:
    """The live certificate with this subject, compared by RFC 5280, 7.1: the company's own, else anybody's.

    ``besides`` is the one that is being renewed, whose subject is meant to be kept. An expired certificate still holds
    its name; one that was renewed or revoked does not.
    """
    twins = InventoryEntry.objects.filter(certificate__subject_digest=subject_digest, state=EntryState.LIVE)
    if besides is not None:
        twins = twins.exclude(pk=besides.pk)
    own_first = Case(When(company=company, then=Value(0)), default=Value(1))
    return twins.order_by(own_first, "-issued_at").first()


def judge_duplicate(twin: InventoryEntry | None, *, company: Company, rules: DnRules, now: datetime) -> Verdict:
    """The duplicate rule at a real moment. A certificate of another company is never named."""
    found = wanted = ""
    if twin is not None:
        common_name = rules.wanted_of("CN")
        has_choice = common_name is not None and common_name.form in {"unique", "free"}
        other = "another unique part in CN, such as the current epoch time" if has_choice else ""
        if twin.company_id == company.pk:
            is_over = twin.expires_at < company_time(company, now)
            state = "has expired, but holds this subject until it is revoked" if is_over else "is live"
            found = f"duplicate certificate: {twin.reference}, which has this subject, {state}"
            wanted = f"renew {twin.reference} instead{f', or use {other}' if other else ''}"
        else:
            found = "duplicate certificate: another live certificate has this subject"
            wanted = other or "a subject of your own: ask Key Management"
    return Verdict(
        id="dn.duplicate",
        title="No other live certificate of the inventory has this subject",
        ok=twin is None,
        found=found,
        wanted=wanted,
        source="RFC 5280, 7.1",
    )
