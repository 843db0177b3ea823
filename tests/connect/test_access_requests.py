"""Access to an application: asked for, and decided by others."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.events import Actor
from audit.models import AuditEvent
from connect import access_requests
from connect.administrators import may_decide
from connect.errors import AlreadyRequested, NoLongerPossible, NotAllowed
from connect.models import AccessRequest, AccessState, Channel, Notice, User
from connect.officers import OFFICER_LEVEL, has_enough_officers, is_officer, officers_of
from tests.connect.access_steps import NOW, decide, told
from tests.connect.factories import grant_access, make_access_request, make_security_administrator, make_staff
from tests.factories import make_company, make_user

pytestmark = pytest.mark.django_db


class TestAsking:
    def test_it_waits_for_the_security_administrators_of_the_company(self) -> None:
        sam = make_security_administrator()
        make_security_administrator()
        make_staff()
        asked = make_access_request(make_user(company=sam.company, name="Dora Lind"), now=NOW)
        assert (asked.state, asked.requested_at, asked.level) == (AccessState.PENDING, NOW, OFFICER_LEVEL)
        assert told("connect.access-requested") == [sam.email]
        notice = Notice.objects.get(recipient=sam, channel=Channel.MAIL)
        assert notice.subject == "Dora Lind requests access to the Key Management Portal (KMP)"
        assert notice.link == f"/connect/inbox/{asked.pk}/"
        event = AuditEvent.objects.get(action="access.requested")
        assert event.company == str(asked.company_id)
        assert event.after["level"] == "Security Officer Level 1"

    def test_staff_are_told_where_a_company_has_no_other_administrator(self) -> None:
        staff = make_staff()
        make_staff(is_active=False)
        make_access_request(make_security_administrator())
        assert told("connect.access-requested") == [staff.email]

    def test_asking_twice_leads_to_the_first_request(self) -> None:
        user = make_user()
        asked = make_access_request(user)
        with pytest.raises(AlreadyRequested) as again:
            make_access_request(user)
        assert again.value.request == asked
        decide(asked, make_staff())
        with pytest.raises(AlreadyRequested):
            make_access_request(user)
        assert AccessRequest.objects.count() == 1

    def test_after_a_refusal_it_can_be_asked_again(self) -> None:
        user, staff = make_user(), make_staff()
        decide(make_access_request(user), staff, grant=False, reason="Not now")
        assert make_access_request(user).state == AccessState.PENDING

    @pytest.mark.parametrize(("application", "level"), [("kmp", "root"), ("nothing", OFFICER_LEVEL), ("clinic", "")])
    def test_only_what_the_store_offers(self, application: str, level: str) -> None:
        user = make_user()
        with pytest.raises(NotAllowed, match="The Store does not offer this"):
            access_requests.request_access(user, application=application, level=level, actor=Actor(user.email), now=NOW)
        assert not AccessRequest.objects.exists()

    def test_who_belongs_to_no_company_cannot_ask(self) -> None:
        with pytest.raises(NotAllowed, match="belongs to no company"):
            make_access_request(make_staff())

    def test_what_was_granted_elsewhere_ends_when_somebody_asks_at_a_new_company(self) -> None:
        user = make_user()
        old = grant_access(user)
        user.company = make_company()
        user.save()
        assert not is_officer(user), "access belongs to the company that granted it"
        new = make_access_request(user)
        old.refresh_from_db()
        assert (old.state, new.state, new.company) == (AccessState.WITHDRAWN, AccessState.PENDING, user.company)


class TestDeciding:
    def test_a_granted_request_makes_an_officer(self) -> None:
        sam = make_security_administrator(name="Sam Whitfield")
        user = make_user(company=sam.company)
        granted = decide(make_access_request(user), sam)
        assert (granted.state, granted.decided_by, granted.decided_at) == (AccessState.GRANTED, sam, NOW)
        assert is_officer(user)
        assert list(officers_of(granted.company)) == [user]
        assert not has_enough_officers(granted.company)
        grant_access(make_user(company=sam.company), by=sam)
        assert has_enough_officers(granted.company)
        assert not is_officer(sam), "who decides is no officer by that"
        assert user.email in told("connect.access-granted")
        assert AuditEvent.objects.filter(action="access.granted", actor=sam.email).count() == 2

    def test_a_refusal_needs_a_reason_and_tells_it(self) -> None:
        sam = make_security_administrator()
        user = make_user(company=sam.company)
        asked = make_access_request(user)
        with pytest.raises(NotAllowed, match="Give a reason"):
            decide(asked, sam, grant=False, reason="  ")
        refused = decide(asked, sam, grant=False, reason=" Two officers are enough ")
        assert (refused.state, refused.reason) == (AccessState.REFUSED, "Two officers are enough")
        assert not is_officer(user)
        notice = Notice.objects.get(kind="connect.access-refused", channel=Channel.MAIL)
        assert notice.address == user.email
        assert "Reason: Two officers are enough" in notice.text
        assert AuditEvent.objects.get(action="access.refused").after["reason"] == "Two officers are enough"

    @pytest.mark.parametrize("grant", [True, False])
    def test_nobody_decides_on_their_own(self, grant: bool) -> None:
        sam = make_security_administrator()
        asked = make_access_request(sam)
        with pytest.raises(NotAllowed, match="Nobody decides on a request of their own"):
            decide(asked, sam, grant=grant, reason="Mine")
        asked.refresh_from_db()
        assert asked.state == AccessState.PENDING

    @pytest.mark.parametrize("state", [AccessState.GRANTED, AccessState.REFUSED])
    def test_the_database_refuses_it_too(self, state: AccessState) -> None:
        sam = make_security_administrator()
        asked = make_access_request(sam)
        with pytest.raises(IntegrityError, match="not_by_oneself"), transaction.atomic():
            AccessRequest.objects.filter(pk=asked.pk).update(state=state, decided_by=sam, decided_at=NOW)
        with pytest.raises(IntegrityError), transaction.atomic():
            AccessRequest.objects.filter(pk=asked.pk).update(state=state, decided_at=NOW)

    def test_who_may_decide(self) -> None:
        sam = make_security_administrator()
        asked = make_access_request(make_user(company=sam.company))
        staff = make_staff()
        nobody = [make_user(company=sam.company), make_security_administrator(), staff, asked.user]
        nobody.append(make_security_administrator(sam.company, is_active=False))
        assert may_decide(sam, asked)
        assert [user for user in nobody if may_decide(user, asked)] == []
        for user in nobody:
            with pytest.raises(NotAllowed):
                decide(asked, user)
        sam.is_active = False
        sam.save()
        assert may_decide(staff, asked), "staff decide where the company has no active Security Administrator"

    def test_staff_decide_on_the_only_administrators_request_and_not_with_another_one(self) -> None:
        sam, staff = make_security_administrator(), make_staff()
        asked = make_access_request(sam)
        assert may_decide(staff, asked)
        other = make_security_administrator(sam.company)
        assert not may_decide(staff, asked)
        assert may_decide(other, asked)

    def test_a_right_that_was_taken_away_meanwhile_counts_no_more(self) -> None:
        sam = make_security_administrator()
        asked = make_access_request(make_user(company=sam.company))
        User.objects.filter(pk=sam.pk).update(is_security_administrator=False)
        with pytest.raises(NotAllowed, match="Only a Security Administrator of"):
            decide(asked, sam)

    @pytest.mark.parametrize("change", [{"is_active": False}, {"company": None}])
    def test_who_has_left_the_company_gets_nothing(self, change: dict[str, Any]) -> None:
        sam = make_security_administrator()
        user = make_user(company=sam.company)
        asked = make_access_request(user)
        User.objects.filter(pk=user.pk).update(**change)
        with pytest.raises(NotAllowed, match="does not work for"):
            decide(asked, sam)
        assert decide(asked, sam, grant=False, reason="Has left").state == AccessState.REFUSED

    def test_a_security_administrator_is_refused_until_the_role_is_somebody_elses(self) -> None:
        sam = make_security_administrator(name="Sam Whitfield")
        other = make_security_administrator(sam.company)
        asked = make_access_request(sam)
        with pytest.raises(
            NotAllowed, match="Sam Whitfield is a Security Administrator, and a Security Administrator is"
        ):
            decide(asked, other)
        asked.refresh_from_db()
        assert (asked.state, is_officer(sam)) == (AccessState.PENDING, False)
        User.objects.filter(pk=sam.pk).update(is_security_administrator=False)
        assert decide(asked, other).state == AccessState.GRANTED

    def test_a_security_administrator_may_be_refused_with_a_reason(self) -> None:
        sam = make_security_administrator()
        asked = make_access_request(sam)
        assert decide(asked, make_staff(), grant=False, reason="You decide here").state == AccessState.REFUSED

    def test_a_second_decision_changes_nothing(self) -> None:
        sam = make_security_administrator(name="Sam Whitfield")
        asked = make_access_request(make_user(company=sam.company))
        decide(asked, sam, grant=False, reason="No")
        with pytest.raises(NoLongerPossible, match="the request is refused by Sam Whitfield"):
            decide(asked, sam)
        assert AuditEvent.objects.filter(action__in=["access.granted", "access.refused"]).count() == 1
        assert not told("connect.access-granted")
