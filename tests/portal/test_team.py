"""Team: who is on a project, and as what."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from connect.models import User
from portal.models import Membership, Project, Role
from tests.factories import make_member, make_project, make_user
from tests.page_text import text_of
from tests.portal.conftest import signed_in


def url(project: Project, user: User | None = None, what: str = "") -> str:
    place = f"/projects/{project.pk}/team/"
    return place if user is None else f"{place}{user.pk}/{what}/"


def invite(client: Client, project: Project, **data: Any) -> Any:
    return client.post(f"{url(project)}invite/", {"role": "read-only", **data}, follow=True)


def role_of(project: Project, user: User) -> str:
    return Membership.objects.get(project=project, user=user).role


def is_on(project: Project, user: User) -> bool:
    return Membership.objects.filter(project=project, user=user).exists()


class TestTheList:
    def test_it_names_everybody_with_role_and_day(self, project: Project, bob: User, as_alice: Client) -> None:
        text = text_of(as_alice.get(url(project)))
        today = f"{timezone.now():%-d %b %Y}"
        assert f"Alice Marlow You alice@acme.example Admin {today}" in text
        assert f"Bob Tran bob@acme.example Read-only {today}" in text

    def test_it_says_the_limits(self, project: Project, bob: User, as_alice: Client) -> None:
        assert "2 of at most 20 members, 1 of at most 10 admins." in text_of(as_alice.get(url(project)))
        make_member(project, Role.ADMIN)
        assert "3 of at most 20 members, 2 of at most 10 admins." in text_of(as_alice.get(url(project)))

    def test_readers_look_and_may_leave(self, project: Project, alice: User, bob: User, as_bob: Client) -> None:
        page = as_bob.get(url(project)).content.decode()
        assert url(project, bob, "remove") in page
        assert url(project, alice, "remove") not in page
        assert "/role/" not in page
        assert "/invite/" not in page

    def test_strangers_see_nothing(self, project: Project, as_charlie: Client) -> None:
        assert as_charlie.get(url(project)).status_code == 404

    def test_it_only_answers_reading(self, project: Project, as_alice: Client) -> None:
        assert as_alice.post(url(project)).status_code == 405

    def test_more_members_cost_no_more_queries(self, project: Project, as_alice: Client) -> None:
        as_alice.get(url(project))
        with CaptureQueriesContext(connection) as few:
            as_alice.get(url(project))
        for _ in range(8):
            make_member(project)
        with CaptureQueriesContext(connection) as many:
            as_alice.get(url(project))
        assert len(many) == len(few)

    def test_names_are_shown_harmlessly(self, project: Project, as_alice: Client) -> None:
        make_member(project, name="<b>Eve</b>")
        assert "<b>Eve</b>" not in as_alice.get(url(project)).content.decode()


class TestInviting:
    def test_it_puts_an_account_of_the_company_on_the_team(
        self, project: Project, alice: User, as_alice: Client
    ) -> None:
        eve = make_user(email="eve@acme.example", name="Eve Ng", company=alice.company)
        answer = invite(as_alice, project, email=" EVE@acme.example ", role="admin")
        assert answer.redirect_chain == [(url(project), 302)]
        assert "Eve Ng is on the team as Admin." in text_of(answer)
        assert role_of(project, eve) == Role.ADMIN
        event = AuditEvent.objects.get(action="member.invited")
        assert (event.actor, event.address) == ("alice@acme.example", "127.0.0.1")

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            ({"email": ""}, "Give the e-mail address of the account."),
            ({"email": "eve"}, "This is not an e-mail address."),
            ({"email": "eve@acme.example\x00"}, "This is not an e-mail address."),
            ({"email": "nobody@acme.example"}, "has no account with this address"),
            ({"email": "charlie@globex.example"}, "has no account with this address"),
            ({"email": "gone@acme.example"}, "has no account with this address"),
            ({"email": "bob@acme.example"}, "is on the team already"),
            ({"email": "eve@acme.example", "role": ""}, "Choose a role."),
            ({"email": "eve@acme.example", "role": "owner"}, "Choose Admin or Read-only."),
        ],
    )
    def test_a_bad_form_changes_nothing_and_is_kept(
        self,
        project: Project,
        alice: User,
        bob: User,
        charlie: User,
        as_alice: Client,
        data: dict[str, str],
        sentence: str,
    ) -> None:
        make_user(email="eve@acme.example", company=alice.company)
        make_user(email="gone@acme.example", company=alice.company, is_active=False)
        answer = invite(as_alice, project, **data)
        assert answer.status_code == 200
        assert sentence in text_of(answer)
        assert answer.context["invite_form"]["email"].value() == data["email"]
        assert answer.context["invite_form"]["role"].value() == data.get("role", "read-only")
        assert Membership.objects.filter(project=project).count() == 2

    def test_a_full_team_takes_nobody_more(
        self, project: Project, alice: User, as_alice: Client, settings: Settings
    ) -> None:
        settings.PROJECT_MAX_MEMBERS = 2
        make_member(project)
        make_user(email="eve@acme.example", company=alice.company)
        answer = invite(as_alice, project, email="eve@acme.example")
        assert "A team has at most 2 members." in text_of(answer)
        assert Membership.objects.filter(project=project).count() == 2

    def test_the_same_form_sent_twice_invites_once(self, project: Project, alice: User, as_alice: Client) -> None:
        make_user(email="eve@acme.example", company=alice.company)
        for _ in range(2):
            answer = invite(as_alice, project, email="eve@acme.example")
        assert "eve@acme.example is on the team already." in text_of(answer)
        assert AuditEvent.objects.filter(action="member.invited").count() == 1

    def test_only_admins_invite_and_only_by_post(
        self, project: Project, alice: User, as_alice: Client, as_bob: Client, as_charlie: Client
    ) -> None:
        eve = make_user(email="eve@acme.example", company=alice.company)
        assert as_alice.get(f"{url(project)}invite/", {"email": eve.email, "role": "admin"}).status_code == 405
        assert invite(as_bob, project, email=eve.email).status_code == 403
        assert invite(as_charlie, project, email=eve.email).status_code == 404
        assert not is_on(project, eve)


class TestChangingARole:
    def test_it_changes_the_role(self, project: Project, bob: User, as_alice: Client) -> None:
        answer = as_alice.post(url(project, bob, "role"), {"role": "admin"}, follow=True)
        assert "Bob Tran is now an admin." in text_of(answer)
        assert role_of(project, bob) == Role.ADMIN
        answer = as_alice.post(url(project, bob, "role"), {"role": "read-only"}, follow=True)
        assert "Bob Tran is now a read-only member." in text_of(answer)
        assert role_of(project, bob) == Role.READ_ONLY

    def test_the_last_admin_stays_admin(self, project: Project, alice: User, as_alice: Client) -> None:
        answer = as_alice.post(url(project, alice, "role"), {"role": "read-only"})
        assert answer.status_code == 200
        assert "alice@acme.example is the project's only admin. Make somebody else an admin first." in text_of(answer)
        assert role_of(project, alice) == Role.ADMIN

    def test_there_are_at_most_so_many_admins(
        self, project: Project, bob: User, as_alice: Client, settings: Settings
    ) -> None:
        settings.PROJECT_MAX_ADMINS = 1
        answer = as_alice.post(url(project, bob, "role"), {"role": "admin"})
        assert "A project has at most 1 admins." in text_of(answer)
        assert role_of(project, bob) == Role.READ_ONLY

    @pytest.mark.parametrize(("role", "sentence"), [("", "Choose a role."), ("owner", "Choose Admin or Read-only.")])
    def test_a_bad_form_changes_nothing(
        self, project: Project, bob: User, as_alice: Client, role: str, sentence: str
    ) -> None:
        answer = as_alice.post(url(project, bob, "role"), {"role": role})
        assert sentence in text_of(answer)
        assert role_of(project, bob) == Role.READ_ONLY

    def test_the_same_form_sent_twice_changes_once(self, project: Project, bob: User, as_alice: Client) -> None:
        for _ in range(2):
            assert as_alice.post(url(project, bob, "role"), {"role": "admin"}).status_code == 302
        assert AuditEvent.objects.filter(action="member.role-changed").count() == 1

    def test_only_admins_change_and_only_by_post(
        self, project: Project, bob: User, as_alice: Client, as_bob: Client, as_charlie: Client
    ) -> None:
        assert as_alice.get(url(project, bob, "role"), {"role": "admin"}).status_code == 405
        assert as_bob.post(url(project, bob, "role"), {"role": "admin"}).status_code == 403
        assert as_charlie.post(url(project, bob, "role"), {"role": "admin"}).status_code == 404
        assert role_of(project, bob) == Role.READ_ONLY

    def test_people_of_other_projects_are_404(self, project: Project, charlie: User, as_alice: Client) -> None:
        other = make_project(admin=charlie)
        assert as_alice.post(url(project, charlie, "role"), {"role": "read-only"}).status_code == 404
        assert as_alice.post(url(other, charlie, "role"), {"role": "read-only"}).status_code == 404
        assert role_of(other, charlie) == Role.ADMIN


class TestRemoving:
    def test_it_asks_first_and_changes_nothing(self, project: Project, bob: User, as_alice: Client) -> None:
        text = text_of(as_alice.get(url(project, bob, "remove")))
        assert "Bob Tran will not see this project any more." in text
        assert is_on(project, bob)

    def test_an_admin_removes_a_member(self, project: Project, bob: User, as_alice: Client) -> None:
        answer = as_alice.post(url(project, bob, "remove"), follow=True)
        assert answer.redirect_chain == [(url(project), 302)]
        assert "Bob Tran is not on the team any more." in text_of(answer)
        assert not is_on(project, bob)
        assert signed_in(bob).get(url(project)).status_code == 404
        assert AuditEvent.objects.get(action="member.removed").before == {"member": bob.email, "role": "Read-only"}

    def test_a_reader_leaves(self, project: Project, bob: User, as_bob: Client) -> None:
        assert "You will not see this project any more." in text_of(as_bob.get(url(project, bob, "remove")))
        answer = as_bob.post(url(project, bob, "remove"), follow=True)
        assert answer.redirect_chain == [("/projects/", 302)]
        assert "You have left Checkout API." in text_of(answer)
        assert not is_on(project, bob)

    def test_a_reader_removes_nobody_else(self, project: Project, alice: User, as_bob: Client) -> None:
        make_member(project, Role.ADMIN)
        for answer in (as_bob.get(url(project, alice, "remove")), as_bob.post(url(project, alice, "remove"))):
            assert answer.status_code == 403
            assert "may remove only yourself" in text_of(answer)
        assert is_on(project, alice)

    def test_the_last_admin_stays(self, project: Project, alice: User, bob: User, as_alice: Client) -> None:
        answer = as_alice.post(url(project, alice, "remove"))
        assert answer.status_code == 200
        assert "alice@acme.example is the project's only admin. Make somebody else an admin first." in text_of(answer)
        assert is_on(project, alice)

    def test_a_repeated_post_is_harmless(self, project: Project, bob: User, as_alice: Client) -> None:
        as_alice.post(url(project, bob, "remove"))
        assert as_alice.post(url(project, bob, "remove")).status_code == 404
        assert AuditEvent.objects.filter(action="member.removed").count() == 1

    def test_strangers_and_people_of_other_projects_are_404(
        self, project: Project, bob: User, charlie: User, as_alice: Client, as_charlie: Client
    ) -> None:
        make_project(admin=charlie)
        assert as_charlie.post(url(project, bob, "remove")).status_code == 404
        assert as_alice.post(url(project, charlie, "remove")).status_code == 404
        assert as_alice.post(f"{url(project)}{uuid.uuid4()}/remove/").status_code == 404
        assert is_on(project, bob)

    def test_it_needs_a_token(self, project: Project, alice: User, bob: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(alice)
        assert client.post(url(project, bob, "remove")).status_code == 403
        assert is_on(project, bob)
