"""Production access: asked for by a project's admins, decided by staff, and what a database refuses whoever asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect.models import Channel, Company, Notice, User
from portal import activity
from portal.errors import NoLongerPossible, NotAllowed
from portal.models import Environment, Membership, ProductionAccessRequest, ProductionState, Project, Role
from portal.production_access import standing_in, standing_of
from portal.projects import delete_project
from tests.connect.factories import make_staff
from tests.factories import make_member, make_project, make_user
from tests.portal.production_requests import decide, give_production_access, make_production_request


@pytest.fixture
def kim(db: None) -> User:
    return make_staff(email="kim@rehearsal.example", name="Kim Adeyemi")


def told(kind: str, channel: Channel = Channel.MAIL) -> list[str]:
    rows = Notice.objects.filter(kind=f"portal.production-access-{kind}", channel=channel)
    return sorted(rows.values_list("address", flat=True))


def mail(kind: str) -> Notice:
    return Notice.objects.filter(kind=f"portal.production-access-{kind}", channel=Channel.MAIL)[0]


class TestRequesting:
    def test_it_waits_for_staff_who_are_told(self, project: Project, kim: User) -> None:
        lee = make_staff(email="lee@rehearsal.example")
        asked = make_production_request(project, note="Payments of our own shop.")
        assert standing_of(project).state == ProductionState.PENDING
        assert told("requested") == told("requested", Channel.BELL) == [kim.email, lee.email]
        row = mail("requested")
        assert row.subject == "Checkout API of Acme Payments Ltd requests production access"
        assert row.link == f"/production-access/{asked.pk}/"
        for words in ("alice@acme.example", "CID 123456", "Note: Payments of our own shop."):
            assert words in row.text
            assert words in row.html
        assert activity.page_of(project).entries[0].sentence == "Requested production access"

    def test_a_reader_a_stranger_and_a_former_admin_cannot_ask(self, project: Project, bob: User, alice: User) -> None:
        eve = make_member(project, Role.ADMIN)
        Membership.objects.filter(user=alice, project=project).delete()
        for user in (bob, make_user(), alice):
            with pytest.raises(NotAllowed, match="Only an admin of Checkout API"):
                make_production_request(project, by=user)
        User.objects.filter(pk=eve.pk).update(is_active=False)
        with pytest.raises(NotAllowed, match="Only an admin"):
            make_production_request(project, by=eve)
        assert not ProductionAccessRequest.objects.exists()

    @pytest.mark.parametrize("missing", [{"verified_at": None}, {"cid": None}])
    def test_the_company_is_verified_first(self, project: Project, missing: dict[str, None]) -> None:
        Company.objects.filter(pk=project.company_id).update(**missing)
        with pytest.raises(NotAllowed, match=r"Acme Payments Ltd is not verified yet\. Verify your company details"):
            make_production_request(project)
        assert not Notice.objects.exists()

    def test_a_certificate_is_not_needed_first(self, project: Project) -> None:
        assert not project.credentials.exists()
        assert make_production_request(project).state == ProductionState.PENDING

    def test_asking_again_while_one_waits_or_is_approved_changes_nothing(self, project: Project) -> None:
        asked = make_production_request(project)
        with pytest.raises(NoLongerPossible, match="requested already"):
            make_production_request(project)
        decide(asked)
        with pytest.raises(NoLongerPossible, match="has production access already"):
            make_production_request(project)
        assert ProductionAccessRequest.objects.count() == 1

    def test_a_deleted_project_asks_for_nothing(self, project: Project, alice: User) -> None:
        delete_project(project, actor=Actor(alice.email), now=timezone.now())
        with pytest.raises(NoLongerPossible, match="deleted a moment ago"):
            make_production_request(project, by=alice)


class TestDeciding:
    def test_an_approval_is_told_to_every_active_admin_and_nobody_else(self, project: Project, bob: User) -> None:
        make_member(project, Role.ADMIN, email="eve@acme.example")
        make_member(project, Role.ADMIN, email="gone@acme.example", is_active=False)
        asked = make_production_request(project)
        decide(asked, reason="Welcome.")
        assert told("granted") == told("granted", Channel.BELL) == ["alice@acme.example", "eve@acme.example"]
        row = mail("granted")
        assert row.subject == "Checkout API has production access"
        assert row.link == f"/projects/{project.pk}/production/"
        assert "They say: Welcome." in row.text
        assert "They say: Welcome." in row.html
        assert standing_of(project).is_approved
        assert activity.page_of(project).entries[0].sentence == "Approved the request for production access"

    def test_a_refusal_says_why_and_leads_back(self, project: Project, kim: User) -> None:
        asked = make_production_request(project)
        decide(asked, approve=False, by=kim, reason="Which shop is it?")
        row = mail("refused")
        assert told("refused") == ["alice@acme.example"]
        assert "Reason: Which shop is it?" in row.text
        assert "Reason: Which shop is it?" in row.html
        assert row.link == f"/projects/{project.pk}/production-access/"
        entry = activity.page_of(project).entries[0]
        assert entry.sentence == "Refused the request for production access"
        assert [(change.name, change.after) for change in entry.changes] == [("Reason", "Which shop is it?")]

    def test_after_a_refusal_it_can_be_asked_again_and_approved(self, project: Project) -> None:
        decide(make_production_request(project), approve=False, reason="Not yet.")
        standing = standing_of(project)
        assert standing.may_request
        assert standing.why_not == "The site’s staff have refused the request for production access."
        second = make_production_request(project, now=timezone.now() + timedelta(seconds=1))
        assert standing_of(project).request == second
        decide(second)
        assert standing_of(project).is_approved
        assert standing_of(project).why_not == ""
        assert len(told("granted")) == len(told("refused")) == 1

    def test_a_refusal_needs_a_reason(self, project: Project) -> None:
        asked = make_production_request(project)
        with pytest.raises(NotAllowed, match="Give a reason"):
            decide(asked, approve=False, reason="  ")
        assert standing_of(project).state == ProductionState.PENDING

    def test_only_active_staff_decide(self, project: Project, alice: User, kim: User) -> None:
        asked = make_production_request(project)
        with pytest.raises(NotAllowed, match="Only the site’s staff"):
            decide(asked, by=make_member(project, Role.ADMIN))
        User.objects.filter(pk=kim.pk).update(is_staff=False)
        with pytest.raises(NotAllowed, match="Only the site’s staff"):
            decide(asked, by=kim)  # What this process remembers of Kim is from before.

    def test_who_asks_never_decides(self, project: Project, kim: User) -> None:
        both = make_member(project, Role.ADMIN, is_staff=True)
        asked = make_production_request(project, by=both)
        assert both.email not in told("requested")
        with pytest.raises(NotAllowed, match="request of their own"):
            decide(asked, by=both)
        decide(asked, by=kim)

    def test_the_second_decision_learns_of_the_first(self, project: Project, kim: User) -> None:
        asked = make_production_request(project)
        decide(asked, by=kim)
        with pytest.raises(NoLongerPossible, match="the request is approved by Kim Adeyemi already"):
            decide(asked, approve=False, reason="Too late")
        assert told("refused") == []

    def test_nothing_is_approved_for_a_company_that_is_not_verified_any_more(self, project: Project) -> None:
        asked = make_production_request(project)
        Company.objects.filter(pk=project.company_id).update(verified_at=None)
        with pytest.raises(NotAllowed, match="not verified any more"):
            decide(asked)
        decide(asked, approve=False, reason="The company’s verification was taken back.")

    def test_a_deleted_project_needs_no_decision(self, project: Project, alice: User) -> None:
        asked = make_production_request(project)
        delete_project(project, actor=Actor(alice.email), now=timezone.now())
        with pytest.raises(NoLongerPossible, match="the project was deleted"):
            decide(asked)
        asked.refresh_from_db()
        assert asked.state == ProductionState.PENDING
        assert told("granted") == []

    def test_each_step_is_in_the_audit_log_once(self, project: Project) -> None:
        give_production_access(project)
        actions = AuditEvent.objects.filter(action__startswith="production-access").order_by("pk")
        assert list(actions.values_list("action", flat=True)) == [
            "production-access.requested",
            "production-access.approved",
        ]


class TestTheDatabase:
    """Refuses what no use-case would store."""

    def test_a_second_open_request(self, project: Project, alice: User) -> None:
        give_production_access(project)
        with pytest.raises(IntegrityError, match=r"production_request_one_open|project_id"), transaction.atomic():
            ProductionAccessRequest.objects.create(project=project, requested_at=timezone.now(), requested_by=alice)

    @pytest.mark.parametrize("state", [ProductionState.APPROVED, ProductionState.REFUSED])
    def test_a_decision_of_who_asked(self, project: Project, state: ProductionState) -> None:
        asked = make_production_request(project)
        asked.state, asked.reason = state, "My own"
        asked.decided_by, asked.decided_at = asked.requested_by, timezone.now()
        with pytest.raises(IntegrityError, match="not_by_oneself"), transaction.atomic():
            asked.save()

    def test_a_decision_of_nobody(self, project: Project) -> None:
        asked = make_production_request(project)
        asked.state = ProductionState.APPROVED
        with pytest.raises(IntegrityError, match="decided_whole"), transaction.atomic():
            asked.save()

    def test_a_refusal_without_a_reason(self, project: Project, kim: User) -> None:
        asked = make_production_request(project)
        asked.state, asked.decided_by, asked.decided_at = ProductionState.REFUSED, kim, timezone.now()
        with pytest.raises(IntegrityError, match="refused_why"), transaction.atomic():
            asked.save()


def test_sandbox_needs_no_approval(project: Project) -> None:
    assert standing_in(project, Environment.SANDBOX) is None
    assert standing_in(project, Environment.PRODUCTION) == standing_of(project)


def test_each_project_stands_for_itself(project: Project, alice: User) -> None:
    give_production_access(project)
    other = make_project(admin=alice)
    assert standing_of(other).request is None
    assert standing_of(other).why_not == "Nobody has requested production access for this project yet."
