"""Access to an application: asked for, decided by others, cancelled, withdrawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect import access_requests
from connect.administrators import may_decide
from connect.errors import AlreadyRequested, NoLongerPossible, NotAllowed
from connect.models import AccessRequest, AccessState, Channel, Notice, User
from connect.officers import KMP, OFFICER_LEVEL, has_enough_officers, is_officer, officers_of
from connect.signals import access_withdrawn
from tests.connect.factories import grant_access, make_access_request, make_security_administrator, make_staff
from tests.factories import make_company, make_user

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def decide(request: AccessRequest, by: User, *, grant: bool = True, reason: str = "") -> AccessRequest:
    return access_requests.decide(request, by=by, grant=grant, reason=reason, actor=Actor(by.email), now=NOW)


def withdraw(request: AccessRequest, by: User, *, reason: str = "Left the team") -> AccessRequest:
    return access_requests.withdraw(request, by=by, reason=reason, actor=Actor(by.email), now=NOW)


def told(kind: str) -> list[str]:
    return sorted(Notice.objects.filter(kind=kind, channel=Channel.MAIL).values_list("address", flat=True))


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


class TestCancelling:
    def test_ones_own_pending_request(self) -> None:
        user = make_user()
        asked = make_access_request(user)
        cancelled = access_requests.cancel(asked, by=user, actor=Actor(user.email), now=NOW)
        assert (cancelled.state, cancelled.decided_by) == (AccessState.CANCELLED, user)
        with pytest.raises(NoLongerPossible, match="cancelled"):
            decide(asked, make_staff())
        with pytest.raises(NoLongerPossible):
            access_requests.cancel(asked, by=user, actor=Actor(user.email), now=NOW)
        assert AuditEvent.objects.filter(action="access.cancelled").count() == 1

    def test_nobody_elses(self) -> None:
        sam = make_security_administrator()
        asked = make_access_request(make_user(company=sam.company))
        with pytest.raises(NotAllowed, match="Only the person who asked"):
            access_requests.cancel(asked, by=sam, actor=Actor(sam.email), now=NOW)

    def test_not_once_it_is_granted(self) -> None:
        user = make_user()
        granted = grant_access(user)
        with pytest.raises(NoLongerPossible, match="granted"):
            access_requests.cancel(granted, by=user, actor=Actor(user.email), now=NOW)
        assert is_officer(user)


class TestWithdrawing:
    def test_it_ends_access_tells_the_person_and_sends_the_signal_inside_the_transaction(self) -> None:
        sam = make_security_administrator()
        user = make_user(company=sam.company)
        granted = grant_access(user, by=sam)
        seen: list[dict[str, Any]] = []

        def receive(sender: object, **values: Any) -> None:
            state = AccessRequest.objects.get(pk=granted.pk).state
            seen.append({**values, "state": state, "atomic": transaction.get_connection().in_atomic_block})

        access_withdrawn.connect(receive)
        try:
            withdrawn = withdraw(granted, sam, reason="Left the team")
        finally:
            access_withdrawn.disconnect(receive)
        assert (withdrawn.state, withdrawn.reason, withdrawn.decided_by) == (
            AccessState.WITHDRAWN,
            "Left the team",
            sam,
        )
        assert not is_officer(user)
        (values,) = seen
        assert (values["user"], values["company"], values["application"]) == (user, sam.company, KMP)
        assert (values["actor"], values["now"]) == (Actor(sam.email), NOW)
        assert (values["state"], values["atomic"]) == (AccessState.WITHDRAWN, True)
        assert told("connect.access-withdrawn") == [user.email]
        assert AuditEvent.objects.get(action="access.withdrawn").after["reason"] == "Left the team"

    def test_a_receiver_that_fails_undoes_it(self) -> None:
        sam = make_security_administrator()
        granted = grant_access(make_user(company=sam.company), by=sam)

        def fail(sender: object, **values: Any) -> None:
            raise RuntimeError("the drafts cannot be handed over")

        access_withdrawn.connect(fail)
        try:
            with pytest.raises(RuntimeError, match="handed over"):
                withdraw(granted, sam)
        finally:
            access_withdrawn.disconnect(fail)
        granted.refresh_from_db()
        assert granted.state == AccessState.GRANTED
        assert not told("connect.access-withdrawn")
        assert not AuditEvent.objects.filter(action="access.withdrawn").exists()

    def test_a_reason_is_needed(self) -> None:
        sam = make_security_administrator()
        granted = grant_access(make_user(company=sam.company), by=sam)
        with pytest.raises(NotAllowed, match="Give a reason"):
            withdraw(granted, sam, reason=" ")

    def test_twice_is_once(self) -> None:
        sam = make_security_administrator()
        granted = grant_access(make_user(company=sam.company), by=sam)
        withdraw(granted, sam)
        with pytest.raises(NoLongerPossible, match="withdrawn"):
            withdraw(granted, sam)
        assert AuditEvent.objects.filter(action="access.withdrawn").count() == 1

    def test_a_pending_request_has_nothing_to_withdraw(self) -> None:
        sam = make_security_administrator()
        with pytest.raises(NoLongerPossible, match="still pending"):
            withdraw(make_access_request(make_user(company=sam.company)), sam)

    def test_one_gives_up_ones_own_and_the_administrators_are_told(self) -> None:
        sam = make_security_administrator()
        user = make_user(company=sam.company, name="Olga Brandt")
        withdraw(grant_access(user, by=sam), user, reason="Other work")
        assert not is_officer(user)
        assert told("connect.access-withdrawn") == [sam.email]
        notice = Notice.objects.get(kind="connect.access-withdrawn", channel=Channel.BELL)
        assert notice.subject == "Olga Brandt has given up access to the Key Management Portal (KMP)"

    @pytest.mark.parametrize("who", ["colleague", "administrator elsewhere", "staff"])
    def test_others_cannot(self, who: str) -> None:
        sam = make_security_administrator()
        granted = grant_access(make_user(company=sam.company), by=sam)
        users = {
            "colleague": make_user(company=sam.company),
            "administrator elsewhere": make_security_administrator(),
            "staff": make_staff(),
        }
        with pytest.raises(NotAllowed):
            withdraw(granted, users[who])
        granted.refresh_from_db()
        assert granted.state == AccessState.GRANTED

    def test_it_can_be_granted_again(self) -> None:
        sam = make_security_administrator()
        user = make_user(company=sam.company)
        withdraw(grant_access(user, by=sam), sam)
        decide(make_access_request(user, now=timezone.now() + timedelta(days=1)), sam)
        assert is_officer(user)
