"""What a company's own people change about it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit.events import Actor, record
from connect.errors import NotAllowed
from connect.models import Company, User
from connect.officers import is_officer
from connect.records import audited_company


def may_change_group_email(user: User, company: Company) -> bool:
    """Security Administrators of the company, and its security officers: what is told there concerns their work."""
    if not user.is_active or user.company_id != company.pk:
        return False
    return user.is_security_administrator or is_officer(user)


@transaction.atomic
def set_group_email(company: Company, *, address: str, by: User, actor: Actor, now: datetime) -> bool:
    """Set the ``Certificate Management Group Email``. Returns False where it is the same.

    Raises:
        NotAllowed: ``by`` is neither a Security Administrator nor a security officer of the company.
    """
    row = Company.objects.select_for_update(of=("self",), no_key=True).get(pk=company.pk)
    if not may_change_group_email(User.objects.get(pk=by.pk), row):
        raise NotAllowed(
            f"Only Security Administrators and security officers of {row.name} change its Certificate Management Group "
            "Email."
        )
    before, row.group_email = row.group_email, address.strip()
    if before == row.group_email:
        return False
    row.save(update_fields=["group_email"])
    record(
        "company.changed",
        actor=actor,
        on=audited_company(row),
        now=now,
        before={"group_email": before},
        after={"group_email": row.group_email},
    )
    return True
