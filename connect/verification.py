"""Verify a company: at once where Connect knows its CID, else by the site's staff."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import IntegrityError, transaction
from django.urls import reverse

from audit.events import Actor, record
from connect import notices
from connect.administrators import security_administrators_of, site_staff
from connect.errors import CidRefused, NoLongerPossible, NotAllowed
from connect.models import NO_VERIFIED_COMPANY, Company, CompanyVerification, User, VerificationState
from connect.records import audited_company

_CID = re.compile(r"[0-9]{6,10}")


@transaction.atomic
def verify_company(company: Company, *, cid: str, by: User, actor: Actor, now: datetime) -> CompanyVerification:
    """Verify the company at once where Connect knows its CID (then ``cid`` may be empty), else let the claim wait.

    Raises:
        NotAllowed: ``by`` does not work for the company.
        CidRefused: not a number that this company can have.
        NoLongerPossible: it is verified already, or a claim of it waits for staff.
    """
    row = _held(company)
    if not by.is_active or by.company_id != row.pk:
        raise NotAllowed(f"Only people of {row.name} verify its details.")
    if row.verified_at and row.cid:
        raise NoLongerPossible(f"{row.name} is verified with the CID {row.cid} already.")
    if CompanyVerification.objects.filter(company=row, state=VerificationState.PENDING).exists():
        raise NoLongerPossible(f"A claim of {row.name} waits for the site’s staff already. You will be told by e-mail.")
    cid = _checked(row, cid.strip())
    claim = CompanyVerification(company=row, cid=cid, requested_at=now, requested_by=by)
    if row.cid:
        claim.state, claim.decided_at = VerificationState.CONFIRMED, now
        claim.save()
        _verify(row, cid, actor=actor, now=now)
        _tell("connect.company-verified", claim, now=now)
        return claim
    claim.save()
    record("company.verification-requested", actor=actor, on=audited_company(row), now=now, after={"cid": cid})
    _tell("connect.verification-requested", claim, now=now)
    return claim


@transaction.atomic
def decide_verification(
    claim: CompanyVerification, *, by: User, confirm: bool, reason: str, actor: Actor, now: datetime
) -> CompanyVerification:
    """Confirm a claim or refuse it, and tell the company. A refusal needs a reason.

    Raises:
        NotAllowed: ``by`` is not of the site's staff or made the claim, or a refusal has no reason.
        CidRefused: the company has another CID by now, or another company has this one.
        NoLongerPossible: it is decided already.
    """
    company = _held(claim.company)
    row = CompanyVerification.objects.select_for_update(of=("self",)).select_related("requested_by").get(pk=claim.pk)
    row.company = company
    _require_judge(by, row)
    if row.state != VerificationState.PENDING:
        raise NoLongerPossible(f"Nothing was changed: the claim is {row.get_state_display().lower()} already.")
    if confirm:
        _refuse_conflict(row)
    elif not reason.strip():
        raise NotAllowed("Give a reason: the company reads it.")
    row.state = VerificationState.CONFIRMED if confirm else VerificationState.REFUSED
    row.decided_by, row.decided_at, row.reason = by, now, reason.strip()
    row.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    if confirm:
        _verify(company, row.cid, actor=actor, now=now)
        _tell("connect.company-verified", row, now=now)
        return row
    after = {"cid": row.cid, "reason": row.reason}
    record("company.verification-refused", actor=actor, on=audited_company(company), now=now, after=after)
    _tell("connect.verification-refused", row, now=now)
    return row


def _held(company: Company) -> Company:
    """One change of a company after the other."""
    return Company.objects.select_for_update(of=("self",), no_key=True).get(pk=company.pk)


def _checked(company: Company, cid: str) -> str:
    """The CID that the company can be verified with."""
    if company.cid:
        if cid not in ("", company.cid):
            raise CidRefused(
                f"Connect knows {company.name} with another CID. Leave the number as it is, or ask the site’s staff to "
                "correct it."
            )
        return company.cid
    if not _CID.fullmatch(cid):
        raise CidRefused("A CID has 6 to 10 digits and nothing else. Check the number and type it again.")
    if cid == NO_VERIFIED_COMPANY:
        raise CidRefused(f"{NO_VERIFIED_COMPANY} stands for “no verified company”. Type your company’s own CID.")
    if Company.objects.filter(cid=cid).exists():
        # Whose it is, is nobody's business.
        raise CidRefused(
            f"{cid} cannot be the CID of {company.name}. Check the number; if it is right, write to the site’s staff."
        )
    return cid


def _require_judge(by: User, claim: CompanyVerification) -> None:
    judge = User.objects.get(pk=by.pk)
    if not judge.is_active or not judge.is_staff:
        raise NotAllowed("Only the site’s staff decide on this.")
    if judge.pk == claim.requested_by_id:
        raise NotAllowed("Nobody decides on a claim of their own. Ask somebody else of the staff.")


def _refuse_conflict(claim: CompanyVerification) -> None:
    company = claim.company
    if company.cid not in (None, "", claim.cid):
        raise CidRefused(f"{company.name} has the CID {company.cid} by now. Refuse the claim, and say so.")
    holder = Company.objects.filter(cid=claim.cid).exclude(pk=company.pk).first()
    if holder is not None:
        raise CidRefused(f"{holder.name} has the CID {claim.cid}. Refuse the claim without naming that company.")


def _verify(company: Company, cid: str, *, actor: Actor, now: datetime) -> None:
    before = {"cid": company.cid, "verified_at": None}
    company.cid, company.verified_at = cid, now
    try:
        with transaction.atomic():
            company.save(update_fields=["cid", "verified_at"])
    except IntegrityError as conflict:
        raise CidRefused(f"Another company was given the CID {cid} a moment ago. Reload the page.") from conflict
    after = {"cid": cid, "verified_at": now.isoformat()}
    record("company.verified", actor=actor, on=audited_company(company), now=now, before=before, after=after)


def _tell(kind: str, claim: CompanyVerification, *, now: datetime) -> None:
    """A claim is told to staff; what came of it to who made it and to the company's Security Administrators."""
    link, to = reverse("connect:company"), [claim.requested_by, *security_administrators_of(claim.company)]
    scope = str(claim.company_id)
    if claim.state == VerificationState.PENDING:
        link, to, scope = reverse("connect:verification", args=[claim.pk]), list(site_staff()), ""
    notices.announce(
        kind,
        event=f"{kind}:{claim.pk}",
        to=notices.people(to),
        company=claim.company,
        scope=scope,
        link=link,
        now=now,
        context={
            "person": claim.requested_by.name,
            "email": claim.requested_by.email,
            "company_name": claim.company.name,
            "cid": claim.cid,
            "reason": claim.reason,
        },
    )
