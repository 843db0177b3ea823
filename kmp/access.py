"""Who may see and change what in KMP. Every view fetches its objects here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from connect.actors import signed_in
from connect.models import Company, User
from connect.officers import has_enough_officers, is_officer
from kmp.models import CertificateRequest, InventoryEntry


@dataclass(frozen=True)
class Officer:
    """A security officer and the company whose certificates this person looks after."""

    user: User
    company: Company

    @cached_property
    def lacks_officer(self) -> bool:
        """Whether the company has fewer security officers than KMP asks for."""
        return not has_enough_officers(self.company)

    @property
    def lacks_group_email(self) -> bool:
        """Whether nothing but people would get the company's notices."""
        return not self.company.group_email

    @property
    def lacks(self) -> bool:
        """Whether the company cannot submit requests: every page of KMP then says why."""
        return self.lacks_group_email or self.lacks_officer


class NoOfficer(PermissionDenied):
    """Raised for who is no security officer. The page of error 403 shows ``way`` as a button: label and URL name."""

    way = ("Store", "connect:store")


def officer_of(request: HttpRequest) -> Officer:
    """The officer behind a request for a page that belongs to no object. Raises 403 with the way to the Store."""
    officer = _officer(request)
    if officer is None:
        raise NoOfficer(
            "The Key Management Portal is for your company’s security officers, and you are none. Request access "
            "to it in the Store; a Security Administrator of your company decides."
        )
    return officer


def officer_if_any(request: HttpRequest) -> Officer | None:
    """The officer behind a request for a page that the site's staff may open, too. Call ``require_staff`` first."""
    return _officer(request)


def officer_for_object(request: HttpRequest) -> Officer:
    """The officer behind a request for one object. Raises 404 for everybody else, as for what does not exist."""
    officer = _officer(request)
    if officer is None:
        raise Http404
    return officer


def entry_of(company: Company, reference: str) -> InventoryEntry:
    """One certificate of the officer's company. Raises 404 for any other, after the same one query."""
    entry = (
        InventoryEntry.objects.filter(company=company, reference=reference)
        .select_related(
            "application",
            "company",
            "certificate__authority__parent",
            "certificate__use",
            "renews__certificate",
            "renewed_by",
        )
        .first()
    )
    return entry or _missing()


def request_of(company: Company, number: str) -> CertificateRequest:
    """One request of the officer's company. Raises 404 for any other, after the same one query."""
    found = (
        CertificateRequest.objects.filter(company=company, number=number)
        .select_related("application", "officer", "company", "expiring__certificate", "entry")
        .first()
    )
    return found or _missing()


def submitted_request(number: str) -> CertificateRequest:
    """One request of whatever company, for Key Management; a draft is nobody's but its company's (404).

    Call ``require_staff`` first.
    """
    found = (
        CertificateRequest.objects.filter(number=number, submitted_at__isnull=False)
        .select_related("application", "officer", "company", "expiring__certificate", "entry")
        .first()
    )
    return found or _missing()


def require_staff(user: User) -> None:
    """Raises 403 for everybody but Key Management, the site's staff."""
    if not user.is_staff:
        raise PermissionDenied("Only Key Management, the site’s staff, may do this.")


def _officer(request: HttpRequest) -> Officer | None:
    user = signed_in(request)
    if user.company is None or not is_officer(user):
        return None
    return Officer(user, user.company)


def _missing() -> NoReturn:
    raise Http404
