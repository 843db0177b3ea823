"""What people see of production access: the tasks, the request, certificates that do not work yet."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, RevocationReason
from connect.models import Company, User
from connect.verification import decide_verification
from portal import revocation
from portal.models import Environment, ProductionAccessRequest, Project, Role
from tests.connect.factories import make_claim, make_staff
from tests.factories import let_expire, make_company, make_credential, make_csr, make_member, make_project, make_user
from tests.page_text import text_of
from tests.portal.conftest import signed_in
from tests.portal.credential_pages import credential_url, file_of, page_url, sent
from tests.portal.production_requests import decide, give_production_access, make_production_request

PRODUCTION = Environment.PRODUCTION


@pytest.fixture
def kim(db: None) -> User:
    return make_staff(email="kim@rehearsal.example", name="Kim Adeyemi")


@pytest.fixture
def newcomers(db: None) -> Project:
    """A project of a company without a CID."""
    company = make_company(name="Globex Bank", cid=None, verified_at=None)
    return make_project(admin=make_user(company=company, email="gina@globex.example"), name="Payouts")


def summary_url(project: Project) -> str:
    return f"/projects/{project.pk}/"


def request_url(project: Project) -> str:
    return f"/projects/{project.pk}/production-access/"


def tasks_on(client: Client, project: Project) -> str:
    """The words of the card with the two tasks."""
    return text_of(client.get(summary_url(project))).partition("Before Production ")[2].partition("Delete this")[0]


def admin_of(project: Project) -> User:
    return project.memberships.filter(role=Role.ADMIN)[0].user


class TestTasks:
    def test_verification_to_do_leads_to_the_company(self, newcomers: Project) -> None:
        client = signed_in(admin_of(newcomers))
        page = client.get(summary_url(newcomers))
        assert '<a href="/connect/company/verify/">Verify your company details</a>' in page.content.decode()
        words = tasks_on(client, newcomers)
        assert words.startswith("Verify your company details Until then certificates carry 000000 instead of a CID")
        assert "cannot be requested. To do Request Production Access" in words

    def test_verification_waiting(self, newcomers: Project) -> None:
        make_claim(admin_of(newcomers), cid="7654321")
        client = signed_in(admin_of(newcomers))
        assert "The site’s staff check the CID 7654321 since" in tasks_on(client, newcomers)
        assert "Waiting for staff Request Production Access" in tasks_on(client, newcomers)
        assert "/connect/company/verify/" not in client.get(summary_url(newcomers)).content.decode()

    def test_verification_refused_says_why(self, newcomers: Project, kim: User) -> None:
        claim = make_claim(admin_of(newcomers), cid="7654321")
        decide_verification(
            claim, by=kim, confirm=False, reason="Not yours.", actor=Actor(kim.email), now=timezone.now()
        )
        client = signed_in(admin_of(newcomers))
        words = tasks_on(client, newcomers)
        assert "The CID 7654321 was not confirmed. Reason: Not yours. Refused Request" in words
        assert "/connect/company/verify/" in client.get(summary_url(newcomers)).content.decode()

    def test_verification_done(self, project: Project, as_alice: Client) -> None:
        assert "Verify your company details CID 123456, verified on" in tasks_on(as_alice, project)
        assert "Done Request Production Access" in tasks_on(as_alice, project)

    def test_a_verification_that_was_taken_back_is_to_do_again(self, newcomers: Project, kim: User) -> None:
        claim = make_claim(admin_of(newcomers), cid="7654321")
        decide_verification(claim, by=kim, confirm=True, reason="", actor=Actor(kim.email), now=timezone.now())
        Company.objects.filter(pk=newcomers.company_id).update(verified_at=None)
        assert "To do Request" in tasks_on(signed_in(admin_of(newcomers)), newcomers)

    def test_who_works_elsewhere_by_now_is_not_sent_to_another_companys_page(self, newcomers: Project) -> None:
        admin = admin_of(newcomers)
        User.objects.filter(pk=admin.pk).update(company=make_company())
        assert "/connect/company/verify/" not in signed_in(admin).get(summary_url(newcomers)).content.decode()

    def test_production_access_in_each_state(self, project: Project, as_alice: Client, kim: User) -> None:
        link = f'<a href="{request_url(project)}">Request Production Access</a>'
        assert tasks_on(as_alice, project).count("To do") == 1
        assert link in as_alice.get(summary_url(project)).content.decode()
        asked = make_production_request(project)
        assert "Alice Marlow asked on" in tasks_on(as_alice, project)
        assert "Waiting for staff" in tasks_on(as_alice, project)
        assert link not in as_alice.get(summary_url(project)).content.decode()
        decide(asked, approve=False, by=kim, reason="Which shop?")
        assert "Reason: Which shop? Refused" in tasks_on(as_alice, project)
        assert link in as_alice.get(summary_url(project)).content.decode()
        give_production_access(project)
        assert "certificates work in Production. Done" in tasks_on(as_alice, project)

    def test_readers_see_how_it_stands_and_change_nothing(self, project: Project, as_bob: Client) -> None:
        assert "An admin of this project can ask. To do" in tasks_on(as_bob, project)
        assert request_url(project) not in as_bob.get(summary_url(project)).content.decode()

    def test_no_more_queries_for_more_requests(self, project: Project, as_alice: Client, kim: User) -> None:
        decide(make_production_request(project), approve=False, by=kim, reason="1")
        as_alice.get(summary_url(project))
        with CaptureQueriesContext(connection) as few:
            as_alice.get(summary_url(project))
        for number in range(5):
            decide(make_production_request(project), approve=False, by=kim, reason=str(number))
        with CaptureQueriesContext(connection) as many:
            as_alice.get(summary_url(project))
        assert len(many) == len(few)


class TestRequest:
    def test_an_admin_asks(self, project: Project, as_alice: Client) -> None:
        assert "Request Production Access" in text_of(as_alice.get(request_url(project)))
        response = as_alice.post(request_url(project), {"note": "  Our\nown shop. "}, follow=True)
        assert "Production access was requested." in text_of(response)
        assert ProductionAccessRequest.objects.get().note == "Our own shop."

    def test_the_form_sent_twice_acts_once(self, project: Project, as_alice: Client) -> None:
        as_alice.post(request_url(project))
        response = as_alice.post(request_url(project), follow=True)
        assert "Production access was requested already." in text_of(response)
        assert ProductionAccessRequest.objects.count() == 1

    def test_readers_and_strangers_do_not(self, project: Project, as_bob: Client, as_charlie: Client) -> None:
        for method in ("get", "post"):
            assert getattr(as_bob, method)(request_url(project)).status_code == 403
            assert getattr(as_charlie, method)(request_url(project)).status_code == 404
        assert not ProductionAccessRequest.objects.exists()

    def test_a_company_that_is_not_verified_is_told_what_to_do(self, newcomers: Project) -> None:
        client = signed_in(admin_of(newcomers))
        page = client.get(request_url(newcomers))
        assert "Verify your company details first." in text_of(page)
        assert "/connect/company/verify/" in page.content.decode()
        assert '<textarea name="note"' not in page.content.decode()
        assert "Globex Bank is not verified yet." in text_of(client.post(request_url(newcomers)))
        assert not ProductionAccessRequest.objects.exists()

    @pytest.mark.parametrize("note", ["x" * 501, "a\u202eb"])
    def test_a_bad_note_changes_nothing(self, project: Project, as_alice: Client, note: str) -> None:
        response = as_alice.post(request_url(project), {"note": note})
        assert response.status_code == 200
        assert "Ensure" in text_of(response) or "U+202E" in text_of(response)
        assert not ProductionAccessRequest.objects.exists()

    def test_it_says_how_it_stands(self, project: Project, as_alice: Client) -> None:
        asked = make_production_request(project)
        assert "The request waits for the site’s staff." in text_of(as_alice.get(request_url(project)))
        decide(asked, approve=False, reason="<b>Which</b> shop?")
        page = as_alice.get(request_url(project))
        assert "Reason: <b>Which</b> shop?" in text_of(page)
        assert "<b>Which" not in page.content.decode()
        assert '<textarea name="note"' in page.content.decode()
        give_production_access(project)
        page = as_alice.get(request_url(project))
        assert "Production access is approved." in text_of(page)
        assert '<textarea name="note"' not in page.content.decode()


@pytest.mark.usefixtures("authorities")
class TestCertificatesThatDoNotWorkYet:
    LIST = "Production certificates do not work yet"
    ONE = "This certificate does not work yet"

    def test_they_can_be_made_and_say_so(self, project: Project, as_alice: Client) -> None:
        data = sent(csr_file=file_of(make_csr(project, PRODUCTION)), alias="shop")
        page = text_of(as_alice.post(page_url("upload_csr", project, PRODUCTION), data, follow=True))
        assert "shop was added." in page
        assert "It does not work yet. Nobody has requested production access for this project yet. Next:" in page
        assert self.LIST in page
        credential = project.credentials.get()
        assert self.ONE in text_of(as_alice.get(credential_url("credential", credential)))
        summary = text_of(as_alice.get(summary_url(project)))
        assert "1 Production certificate does not work yet." in summary
        assert "Production Active does not work yet" in summary

    def test_the_way_out_depends_on_who_reads(self, project: Project, as_alice: Client, as_bob: Client) -> None:
        credential = make_credential(project, PRODUCTION)
        for address in (page_url("credentials", project, PRODUCTION), credential_url("credential", credential)):
            assert request_url(project) in as_alice.get(address).content.decode()
            assert request_url(project) not in as_bob.get(address).content.decode()
        make_production_request(project)
        page = as_alice.get(page_url("credentials", project, PRODUCTION))
        assert "The request for production access waits for the site’s staff." in text_of(page)
        assert request_url(project) not in page.content.decode()

    def test_once_approved_nothing_is_said(self, project: Project, as_alice: Client) -> None:
        give_production_access(project)
        data = sent(csr_file=file_of(make_csr(project, PRODUCTION)), alias="shop")
        page = text_of(as_alice.post(page_url("upload_csr", project, PRODUCTION), data, follow=True))
        assert "shop was added." in page
        credential = project.credentials.get()
        details = text_of(as_alice.get(credential_url("credential", credential)))
        summary = text_of(as_alice.get(summary_url(project)))
        for words in (page, details, summary):
            assert "not work yet" not in words

    def test_sandbox_works_at_once(self, project: Project, as_alice: Client) -> None:
        credential = make_credential(project)
        for address in (page_url("credentials", project), credential_url("credential", credential)):
            assert "not work yet" not in text_of(as_alice.get(address))
        assert "not work yet" not in text_of(as_alice.get(summary_url(project)))

    def test_what_has_ended_or_expired_is_past_that(self, project: Project, alice: User, as_alice: Client) -> None:
        ended = make_credential(project, PRODUCTION)
        revocation.end(ended, reason=RevocationReason.SUPERSEDED, actor=Actor(alice.email), now=timezone.now())
        assert self.ONE not in text_of(as_alice.get(credential_url("credential", ended)))
        expired = make_credential(project, PRODUCTION)
        let_expire(expired, in_days=-3)
        assert self.ONE not in text_of(as_alice.get(credential_url("credential", expired)))
        assert "not work yet" not in text_of(as_alice.get(summary_url(project)))

    def test_the_table_that_htmx_swaps_leaves_the_notice_where_it_is(
        self, project: Project, as_alice: Client, authorities: dict[str, Authority]
    ) -> None:
        url = page_url("credentials", project, PRODUCTION, show="all")
        part = as_alice.get(url, headers={"HX-Request": "true"})
        assert self.LIST not in text_of(part)


def test_a_project_with_another_team_is_not_mixed_in(project: Project, as_alice: Client) -> None:
    other = make_project()
    make_member(other, Role.ADMIN)
    give_production_access(other)
    assert "To do" in tasks_on(as_alice, project)
