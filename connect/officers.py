"""Security officers: the people of a company who have been granted KMP."""

from __future__ import annotations

from django.conf import settings
from django.db.models import F, QuerySet

from audit.statements import ask
from connect.models import AccessRequest, AccessState, Company, User

KMP = "kmp"
OFFICER_LEVEL = "security-officer-1"


# The same as ``_officers``. Every page asks it, and Django would take longer to write it than the database to answer.
_OFFICERS = """
SELECT person.id FROM connect_accessrequest asked JOIN connect_user person ON person.id = asked.user_id
WHERE person.is_active AND asked.application = %s AND asked.state = %s AND asked.company_id = person.company_id
AND {} = %s LIMIT %s"""
_IS_OFFICER, _OFFICERS_OF = _OFFICERS.format("person.id"), _OFFICERS.format("person.company_id")


def officers_of(company: Company) -> QuerySet[User]:
    """The active people of the company who have been granted KMP, by name."""
    return _officers().filter(company=company).order_by("name", "email")


def is_officer(user: User) -> bool:
    """Whether this person is a security officer of the company that they work for today."""
    return user.is_active and bool(ask(_IS_OFFICER, [KMP, AccessState.GRANTED.value, user.pk.hex, 1]))


def hold_officer(user: User) -> bool:
    """``is_officer``, true until the transaction ends: a withdrawal at the same moment waits, or has come first."""
    granted = AccessRequest.objects.filter(user=user, application=KMP, state=AccessState.GRANTED)
    return bool(list(granted.select_for_update(no_key=True))) and is_officer(user)


def has_enough_officers(company: Company) -> bool:
    """Whether the company has as many security officers as KMP asks for (``KMP_MIN_OFFICERS``)."""
    enough = settings.KMP_MIN_OFFICERS
    return len(ask(_OFFICERS_OF, [KMP, AccessState.GRANTED.value, company.pk.hex, enough])) >= enough


def _officers() -> QuerySet[User]:
    # All in one filter: they must hold for one and the same request. Who has changed the company is no officer there.
    return User.objects.filter(
        is_active=True,
        company__isnull=False,
        access_requests__application=KMP,
        access_requests__state=AccessState.GRANTED,
        access_requests__company=F("company"),
    )
