"""Ask for an application of the Store, decide on it, and take access back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from audit.events import Actor, record
from connect import access_notices
from connect.administrators import may_decide
from connect.catalogue import application_of
from connect.errors import AlreadyRequested, NoLongerPossible, NotAllowed
from connect.models import AccessRequest, AccessState, Company, User
from connect.officers import KMP
from connect.records import audited, names_of
from connect.signals import access_withdrawn

__all__ = ["cancel", "decide", "end_of_former", "may_decide", "request_access", "withdraw"]

_OPEN = (AccessState.PENDING, AccessState.GRANTED)
_ELSEWHERE = "Asked again at another company."
_CLOSED = "The account was closed."


@transaction.atomic
def request_access(user: User, *, application: str, level: str, actor: Actor, now: datetime) -> AccessRequest:
    """Ask for an application at one of its levels. Whoever can decide is told.

    What is open from a time at another company ends with it.

    Raises:
        AlreadyRequested: the person has asked already, or has the access.
        NotAllowed: the Store has no such level, or the account belongs to no company.
    """
    # One request of a person after the other, so that the second of two at once finds the first.
    person = User.objects.select_for_update(of=("self",), no_key=True).select_related("company").get(pk=user.pk)
    company = _company_of(person)
    card = application_of(application)
    if card is None or card.level(level) is None:
        raise NotAllowed("The Store does not offer this. Choose one of the levels on the application’s page.")
    for earlier in _held(AccessRequest.objects.filter(user=person, application=application, state__in=_OPEN)):
        if earlier.company_id == company.pk:
            raise AlreadyRequested(earlier)
        _leave_behind(earlier, by=person, reason=_ELSEWHERE, actor=actor, now=now)
    request = AccessRequest.objects.create(
        user=person, company=company, application=application, level=level, requested_at=now
    )
    after = {"person": person.email, "application": card.name, "level": names_of(request)[1]}
    record("access.requested", actor=actor, on=audited(request), now=now, after=after)
    access_notices.tell_requested(request, now=now)
    return request


@transaction.atomic
def decide(request: AccessRequest, *, by: User, grant: bool, reason: str, actor: Actor, now: datetime) -> AccessRequest:
    """Grant a pending request or refuse it, and tell the person. A refusal needs a reason.

    Raises:
        NotAllowed: ``by`` may not decide on it, a refusal has no reason, or this person cannot be granted access.
        NoLongerPossible: it is not pending any more.
    """
    # The person first, as where they ask: meanwhile nobody makes a Security Administrator of who becomes an officer.
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=request.user_id)
    row = _current(request)
    _require_decider(by, row)
    if row.state != AccessState.PENDING:
        raise NoLongerPossible(_how_it_stands(row))
    if grant:
        _require_grantable(row)
    else:
        _require_reason(reason)
    _close(row, AccessState.GRANTED if grant else AccessState.REFUSED, by=by, reason=reason, now=now)
    _record("access.granted" if grant else "access.refused", row, actor=actor, now=now)
    access_notices.tell_decided(row, now=now)
    return row


@transaction.atomic
def cancel(request: AccessRequest, *, by: User, actor: Actor, now: datetime) -> AccessRequest:
    """Take back one's own pending request.

    Raises:
        NotAllowed: it is somebody else's.
        NoLongerPossible: it is not pending any more.
    """
    row = _current(request)
    if by.pk != row.user_id:
        raise NotAllowed("Only the person who asked can cancel the request. Refuse it instead.")
    if row.state != AccessState.PENDING:
        raise NoLongerPossible(_how_it_stands(row))
    _close(row, AccessState.CANCELLED, by=by, reason="", now=now)
    _record("access.cancelled", row, actor=actor, now=now)
    return row


@transaction.atomic
def withdraw(request: AccessRequest, *, by: User, reason: str, actor: Actor, now: datetime) -> AccessRequest:
    """Take granted access back, or give up one's own. ``access_withdrawn`` is sent before the transaction ends.

    Raises:
        NotAllowed: ``by`` may not withdraw it, or there is no reason.
        NoLongerPossible: it is not granted, or not any more.
    """
    row = _current(request)
    if by.pk != row.user_id:
        _require_decider(by, row)
    if row.state != AccessState.GRANTED:
        raise NoLongerPossible(_how_it_stands(row))
    _require_reason(reason)
    _end(row, by=by, reason=reason, actor=actor, now=now)
    access_notices.tell_withdrawn(row, now=now)
    return row


@transaction.atomic
def end_of_former(person: User, *, by: User, actor: Actor, now: datetime) -> None:
    """End what somebody has, or has asked for, at companies that this person does not work for any more.

    Call it in the transaction that closes the account or moves it. It does not come back when they are undone.
    """
    for row in _held(AccessRequest.objects.filter(user=person, state__in=_OPEN)):
        if person.is_active and row.company_id == person.company_id:
            continue
        was_granted = row.state == AccessState.GRANTED
        reason = f"The account does not belong to {row.company.name} any more." if person.is_active else _CLOSED
        _leave_behind(row, by=by, reason=reason, actor=actor, now=now)
        if was_granted:
            access_notices.tell_withdrawn(row, now=now)


def _company_of(person: User) -> Company:
    if not person.is_active or person.company is None:
        raise NotAllowed(
            "Your account belongs to no company, and access is granted by a company’s Security Administrator. Ask the "
            "site’s staff to add your account to your company."
        )
    return person.company


def _held(rows: QuerySet[AccessRequest]) -> list[AccessRequest]:
    """These rows, locked until the transaction ends."""
    return list(rows.select_for_update(of=("self",)).select_related("user", "company", "decided_by"))


def _current(request: AccessRequest) -> AccessRequest:
    return _held(AccessRequest.objects.filter(pk=request.pk))[0]


def _require_decider(by: User, row: AccessRequest) -> None:
    # Read anew: the right may have been taken away since this person signed in.
    if by.pk == row.user_id:
        raise NotAllowed("Nobody decides on a request of their own. Ask another Security Administrator.")
    if not may_decide(User.objects.get(pk=by.pk), row):
        raise NotAllowed(f"Only a Security Administrator of {row.company.name} decides on this request.")


def _require_grantable(row: AccessRequest) -> None:
    if not row.user.is_active or row.user.company_id != row.company_id:
        raise NotAllowed(
            f"{row.user.name} does not work for {row.company.name} any more, so access cannot be granted. Refuse the "
            "request."
        )
    if row.application == KMP and row.user.is_security_administrator:
        raise NotAllowed(
            f"{row.user.name} is a Security Administrator, and a Security Administrator is no security officer: "
            "whoever decides on access does not use it. Refuse the request, or let the site’s staff give the role to "
            "somebody else first."
        )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise NotAllowed("Give a reason: the person who asked reads it.")


def _how_it_stands(row: AccessRequest) -> str:
    by = f" by {row.decided_by.name}" if row.decided_by else ""
    state = {AccessState.PENDING: "still pending"}.get(AccessState(row.state), row.get_state_display().lower())
    return f"Nothing was changed: the request is {state}{by}. Reload the list to see how it stands."


def _close(row: AccessRequest, state: AccessState, *, by: User, reason: str, now: datetime) -> None:
    row.state, row.decided_by, row.decided_at, row.reason = state, by, now, reason.strip()
    row.save(update_fields=["state", "decided_by", "decided_at", "reason"])


def _end(row: AccessRequest, *, by: User, reason: str, actor: Actor, now: datetime) -> None:
    _close(row, AccessState.WITHDRAWN, by=by, reason=reason, now=now)
    _record("access.withdrawn", row, actor=actor, now=now)
    access_withdrawn.send(
        AccessRequest, user=row.user, company=row.company, application=row.application, actor=actor, now=now
    )


def _leave_behind(row: AccessRequest, *, by: User, reason: str, actor: Actor, now: datetime) -> None:
    """What was asked for or granted ends without a decision of its own."""
    if row.state == AccessState.GRANTED:
        _end(row, by=by, reason=reason, actor=actor, now=now)
        return
    _close(row, AccessState.CANCELLED, by=by, reason=reason, now=now)
    _record("access.cancelled", row, actor=actor, now=now)


def _record(action: str, row: AccessRequest, *, actor: Actor, now: datetime) -> None:
    application, level = names_of(row)
    after = {"person": row.user.email, "application": application, "level": level, "reason": row.reason}
    record(action, actor=actor, on=audited(row), now=now, after=after)
