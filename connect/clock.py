"""A company's own clock. It runs as fast as real time, and can be moved forward.

Real time stamps what happens: rows, sessions, CRLs, OCSP. A company's own time decides what its certificates are:
statuses, expiry notices, how long a new certificate lasts, what the endpoint says of it. The company's row says how
far it is ahead, so that asking costs no query.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from connect.models import Company, User

_keepers: dict[str, Callable[[User, Company], bool]] = {}


def company_time(company: Company | None, moment: datetime) -> datetime:
    """What the company's clock shows at a real moment. Who belongs to no company has real time."""
    return moment + company.clock_ahead if company is not None else moment


def now_for(company: Company | None) -> datetime:
    """What the company's clock shows now."""
    return company_time(company, timezone.now())


def is_ahead(company: Company | None) -> bool:
    """Whether the company's clock was moved, so that a clock run is on."""
    return company is not None and company.clock_run is not None


def register_keepers(app: str, is_keeper: Callable[[User, Company], bool]) -> None:
    """Let an app say who else may move a company's clock, such as the admins of its projects."""
    _keepers[app] = is_keeper


def may_move(user: User, company: Company) -> bool:
    """Whether this person may move the company's clock: its Security Administrators, whom apps name, and staff."""
    if not user.is_active:
        return False
    if user.is_staff:
        return True
    if user.company_id != company.pk:
        return False
    return user.is_security_administrator or any(is_keeper(user, company) for is_keeper in _keepers.values())
