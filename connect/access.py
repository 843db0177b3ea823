"""Who may see and change what in Connect. Every view fetches its objects here and nowhere else."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from connect.administrators import decidable_by, has_inbox, security_administrators_of
from connect.clock import may_move
from connect.companies import may_change_group_email
from connect.models import AccessRequest, Company, CompanyVerification, Notice, User
from connect.notice_log import mail_of
from connect.officers import is_officer

_NAMED = 5


def company_of(user: User) -> Company:
    """The company that this person works for. Raises 403 where there is none."""
    if user.company is None:
        raise PermissionDenied(
            "Your account belongs to no company. If it should, ask the site’s staff to add it to your company."
        )
    return user.company


def own_clock_of(user: User) -> Company:
    """One's own company, for who may move its clock. Raises 403 for everybody else, and says who may."""
    company = company_of(user)
    _require_keeper(user, company)
    return company


def clock_of(user: User, company_id: UUID) -> Company:
    """A company whose clock this person may move: staff every one, others their own.

    Raises 404 for other companies, as for what does not exist, and 403 for colleagues who may not.
    """
    company = Company.objects.filter(pk=company_id).first()
    if company is None or not (user.is_staff or user.company_id == company.pk):
        raise Http404
    _require_keeper(user, company)
    return company


def _require_keeper(user: User, company: Company) -> None:
    if may_move(user, company):
        return
    names = [administrator.name for administrator in security_administrators_of(company)[:_NAMED]]
    by_name = f" ({', '.join(names)})" if names else ""
    raise PermissionDenied(
        f"The clock of {company.name} is moved by the admins of its projects and its Security Administrators"
        f"{by_name}. Ask one of them."
    )


def require_group_email_right(user: User, company: Company) -> None:
    """Raises 403 for who may not set the company's group e-mail."""
    if not may_change_group_email(user, company):
        raise PermissionDenied(
            f"Only Security Administrators and security officers of {company.name} change its Certificate Management "
            "Group Email."
        )


def company_with_notices(user: User) -> Company:
    """The company of this person, for its page of notices. Raises 403 for who looks after nothing there."""
    company = company_of(user)
    if not _may_see_notices(user):
        raise PermissionDenied(
            f"Only security officers and Security Administrators of {company.name} see its notices. Those of your "
            "projects are on each project’s page Notices."
        )
    return company


def company_mail_of(user: User, notice_id: UUID) -> tuple[Company, Notice]:
    """A mail of the company's page of notices. Raises 404 for who may not see that page, and for any other mail."""
    if user.company is None or not _may_see_notices(user):
        raise Http404
    return user.company, mail_of(str(user.company.pk), notice_id)


def item_of(user: User, item_id: UUID) -> AccessRequest:
    """A request of one's own. Raises 404 for anybody else's, as for what does not exist."""
    return _the_one(AccessRequest.objects.filter(user=user), item_id)


def inbox_of(user: User) -> QuerySet[AccessRequest]:
    """The requests that this person decides on, in whatever state. Raises 403 for who never decides."""
    if not has_inbox(user):
        raise PermissionDenied(
            "Only Security Administrators decide who gets access. How your own requests stand is in My Items."
        )
    return decidable_by(user).select_related("user", "company", "decided_by")


def inbox_request_of(user: User, access_id: UUID) -> AccessRequest:
    """A request that this person may decide on. Raises 404 for any other: another company's, and one's own."""
    return _the_one(decidable_by(user), access_id)


def require_staff(user: User) -> None:
    """Raises 403 for everybody but the site's staff."""
    if not user.is_staff:
        raise PermissionDenied("Only the site’s staff verify companies.")


def claim_of(claim_id: UUID) -> CompanyVerification:
    """A claim of whatever company, for staff. Call ``require_staff`` first."""
    claims = CompanyVerification.objects.select_related("company", "requested_by", "decided_by")
    claim = claims.filter(pk=claim_id).first()
    if claim is None:
        raise Http404
    return claim


def _may_see_notices(user: User) -> bool:
    return user.is_security_administrator or is_officer(user)


def _the_one(requests: QuerySet[AccessRequest], key: UUID) -> AccessRequest:
    request = requests.filter(pk=key).select_related("user", "company", "decided_by").first()
    if request is None:
        raise Http404
    return request
