"""Access ends when staff close an account or move it to another company, and does not come back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from connect.models import AccessRequest, AccessState, Channel, Company, Notice, User
from connect.officers import KMP, is_officer
from connect.signals import access_withdrawn
from tests.connect.conftest import SignIn
from tests.connect.factories import grant_access, make_access_request
from tests.factories import make_company

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(kim: User) -> User:
    User.objects.filter(pk=kim.pk).update(is_superuser=True)
    kim.refresh_from_db()
    return kim


@pytest.fixture
def as_staff(staff: User, sign_in: SignIn) -> Client:
    return sign_in(staff)


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    """What those above Connect were told."""
    found: list[dict[str, Any]] = []

    def receive(sender: object, **told: Any) -> None:
        found.append(told)

    access_withdrawn.connect(receive)
    yield found
    access_withdrawn.disconnect(receive)


def save(client: Client, user: User, **changes: object) -> None:
    """Staff save the account in the admin."""
    form = {"email": user.email, "name": user.name, "company": user.company_id or "", "is_active": "on"}
    answer = client.post(reverse("admin:connect_user_change", args=[user.pk]), {**form, **changes})
    assert answer.status_code == 302, answer.content.decode()


def test_a_closed_account_is_no_officer_when_it_is_opened_again(
    as_staff: Client, staff: User, dora: User, acme: Company, sent: list[dict[str, Any]]
) -> None:
    granted = grant_access(dora)
    save(as_staff, dora, is_active="")
    granted.refresh_from_db()
    assert (granted.state, granted.decided_by) == (AccessState.WITHDRAWN, staff)
    assert granted.reason == "The account was closed."
    assert [(told["user"], told["company"], told["application"]) for told in sent] == [(dora, acme, KMP)]
    event = AuditEvent.objects.get(action="access.withdrawn")
    assert (event.actor, event.company) == (staff.email, str(acme.pk))
    save(as_staff, dora)
    assert not is_officer(User.objects.get(pk=dora.pk))


@pytest.mark.parametrize("elsewhere", [True, False])
def test_who_moves_away_and_back_is_no_officer(
    as_staff: Client, dora: User, acme: Company, sent: list[dict[str, Any]], elsewhere: bool
) -> None:
    granted = grant_access(dora)
    save(as_staff, dora, company=make_company().pk if elsewhere else "")
    granted.refresh_from_db()
    assert (granted.state, granted.company) == (AccessState.WITHDRAWN, acme)
    assert granted.reason == "The account does not belong to Acme Payments Ltd any more."
    assert [told["company"] for told in sent] == [acme]
    notice = Notice.objects.get(kind="connect.access-withdrawn", channel=Channel.MAIL)
    assert notice.address == dora.email
    assert granted.reason in notice.text
    save(as_staff, dora, company=acme.pk)
    assert not is_officer(User.objects.get(pk=dora.pk))
    assert len(sent) == 1


def test_what_was_only_asked_for_is_cancelled(as_staff: Client, dora: User, sent: list[dict[str, Any]]) -> None:
    asked = make_access_request(dora)
    save(as_staff, dora, is_active="")
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == (AccessState.CANCELLED, "The account was closed.")
    assert not sent


def test_any_other_change_leaves_access_as_it_is(as_staff: Client, dora: User, sent: list[dict[str, Any]]) -> None:
    grant_access(dora)
    save(as_staff, dora, name="Dora Berg")
    assert is_officer(dora)
    assert not sent


def test_an_account_stays_as_it_was_where_its_access_cannot_end(as_staff: Client, dora: User) -> None:
    grant_access(dora)

    def refuse(sender: object, **told: Any) -> None:
        raise RuntimeError("the drafts cannot be handed over")

    access_withdrawn.connect(refuse)
    try:
        with pytest.raises(RuntimeError, match="handed over"):
            save(as_staff, dora, is_active="")
    finally:
        access_withdrawn.disconnect(refuse)
    dora.refresh_from_db()
    assert dora.is_active
    assert AccessRequest.objects.get().state == AccessState.GRANTED
