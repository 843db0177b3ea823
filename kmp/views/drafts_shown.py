"""What the pages of the wizard show of a draft: what is wanted of its CSR, and the judgement of the one it has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from certauthority.x509.attribute_rules import Comparison
from certauthority.x509.ready_commands import unique_part
from connect.models import Company
from kmp.access import Officer
from kmp.dn_requirements import requirement_of
from kmp.errors import NoRules
from kmp.judgement import Judged, wanted_for
from kmp.models import Application, CertificateRequest, InventoryEntry, RequestState
from kmp.support import requirement_shown


def is_own_draft(draft: CertificateRequest, officer: Officer) -> bool:
    """Whether this officer may change it."""
    return draft.state == RequestState.DRAFT and draft.officer_id == officer.user.pk


def wanted_context(
    application: Application | None,
    environment: str,
    profile: str,
    *,
    company: Company,
    expiring: InventoryEntry | None,
    now: datetime,
) -> dict[str, Any]:
    """`Expiring Certificate DN`, `DN Requirements` and commands for a CSR; or why nothing can be requested."""
    context: dict[str, Any] = {"expiring": expiring}
    try:
        wanted = wanted_for(application, environment, profile, company, expiring)
    except NoRules as refusal:
        return {**context, "no_rules": str(refusal)}
    requirement = requirement_of(application, environment, profile) if application else None
    part = requirement_shown(requirement, company=company, unique=unique_part(now)) if requirement else None
    return {**context, "part": part, "commands": wanted.commands(now=now)}


def judged_context(judged: Judged) -> dict[str, Any]:
    """The review: its rows, how many are fine, every rule, and the commands that correct the CSR."""
    to_change = [row for row in judged.rows if row.verdict == Comparison.CHANGE]
    return {
        "judged": judged,
        "to_change": to_change,
        "fine": len(judged.rows) - len(to_change),
        "commands": judged.commands,
        "twin": judged.twin,
    }
