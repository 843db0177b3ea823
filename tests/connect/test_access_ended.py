"""Access to an application that ends: requests that are cancelled, and access that is withdrawn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect import access_requests
from connect.errors import NoLongerPossible, NotAllowed
from connect.models import AccessRequest, AccessState, Channel, Notice, User
from connect.officers import KMP, is_officer
from connect.signals import access_withdrawn
from tests.connect.access_steps import NOW, decide, told
from tests.connect.factories import grant_access, make_access_request, make_security_administrator, make_staff
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def withdraw(request: AccessRequest, by: User, *, reason: str = "Left the team") -> AccessRequest:
    return access_requests.withdraw(request, by=by, reason=reason, actor=Actor(by.email), now=NOW)


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
