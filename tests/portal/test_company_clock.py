"""The Developers portal at the company's own time: what its pages say, and what new certificates are worth."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority, RevocationReason
from connect.clock import company_time
from connect.lifecycle import days_left
from connect.models import Company, User
from connect.templatetags.look import days_left as in_words
from portal import revocation
from portal.enrolment import judge_csr
from portal.models import Credential, Environment, Membership, Project, Role
from portal.overview import my_projects
from tests.connect.factories import make_staff, move_clock
from tests.factories import make_credential, make_csr, make_many_credentials, make_project, make_user
from tests.page_text import text_of
from tests.portal.conftest import signed_in
from tests.portal.credential_pages import credential_url, page_url

# Certificates last 13 calendar months, which are 393 to 397 days.
SOON = timedelta(days=380)
OVER = timedelta(days=400)
YEAR = timedelta(days=365)
ADDRESSES = {
    "My Projects": lambda credential: reverse("portal:projects"),
    "summary": lambda credential: reverse("portal:project", args=[credential.project_id]),
    "list": lambda credential: page_url("credentials", credential.project, show="all"),
    "new": lambda credential: page_url("credentials", credential.project, new=credential.pk),
    "details": lambda credential: credential_url("credential", credential),
    "revoke": lambda credential: credential_url("credential_revoke", credential),
}
PAGES = pytest.mark.parametrize("page", list(ADDRESSES))


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


@pytest.fixture
def credential(project: Project) -> Credential:
    return make_credential(project, alias="checkout")


@pytest.fixture
def theirs(charlie: User) -> Credential:
    """One of another company, whose clock nobody moves."""
    return make_credential(make_project(admin=charlie, name="Payouts"), alias="payouts-mtf")


def words_of(client: Client, page: str, credential: Credential) -> str:
    return text_of(client.get(ADDRESSES[page](credential)))


def start_over(company: Company) -> None:
    Company.objects.filter(pk=company.pk).update(clock_ahead=timedelta(0), clock_run=None)


def left(credential: Credential, *, ahead: timedelta = timedelta(0)) -> str:
    """As pages write it: ``14 days left``."""
    return in_words(days_left(credential.certificate.not_after, now=timezone.now() + ahead))


@PAGES
def test_a_page_tells_the_days_that_are_left_by_the_companys_clock(
    as_alice: Client, credential: Credential, page: str
) -> None:
    assert left(credential).removesuffix(" left") in words_of(as_alice, page, credential)
    move_clock(credential.project.company, SOON)
    text = words_of(as_alice, page, credential)
    assert left(credential, ahead=SOON).removesuffix(" left") in text
    assert left(credential) not in text


@PAGES
def test_the_pages_of_another_company_stay_as_they_are(
    as_charlie: Client, theirs: Credential, credential: Credential, page: str
) -> None:
    before = words_of(as_charlie, page, theirs)
    move_clock(credential.project.company, OVER)
    assert words_of(as_charlie, page, theirs) == before
    assert left(theirs).removesuffix(" left") in before


@pytest.mark.parametrize("page", ["My Projects", "summary", "list", "details", "revoke"])
def test_a_certificate_expires_soon_and_then_has_expired_by_the_companys_clock(
    as_alice: Client, credential: Credential, page: str
) -> None:
    assert "Active" in words_of(as_alice, page, credential)
    move_clock(credential.project.company, SOON)
    assert "Expiring soon" in words_of(as_alice, page, credential)
    move_clock(credential.project.company, OVER - SOON)
    text = words_of(as_alice, page, credential)
    assert "xpired" in text
    assert "Expiring soon" not in text


def test_the_filters_of_the_list_go_by_it(as_alice: Client, project: Project, credential: Credential) -> None:
    move_clock(project.company, OVER)
    assert "checkout" not in text_of(as_alice.get(page_url("credentials", project)))
    expired = as_alice.get(page_url("credentials", project, show="expired"))
    assert [row.credential.alias for row in expired.context["rows"]] == ["checkout"]
    assert {show.value: number for show, number in expired.context["filters"]} == {
        "live": 0,
        "expired": 1,
        "revoked": 0,
        "all": 1,
    }


def test_the_summary_warns_of_what_nothing_replaces_then(as_alice: Client, credential: Credential) -> None:
    address = ADDRESSES["summary"](credential)
    move_clock(credential.project.company, OVER)
    assert "checkout expired on" in text_of(as_alice.get(address))
    assert "Calls with it are refused" in text_of(as_alice.get(address))


def test_the_meter_of_a_life_goes_on_with_it(as_alice: Client, credential: Credential) -> None:
    address = credential_url("credential", credential)
    assert as_alice.get(address).context["percent_over"] == 0
    move_clock(credential.project.company, SOON)
    assert 94 <= as_alice.get(address).context["percent_over"] <= 98


def test_the_life_of_one_that_was_issued_ahead_begins_by_the_clock(as_alice: Client, project: Project) -> None:
    company = move_clock(project.company, YEAR)
    made = make_credential(project)
    address = credential_url("credential", made)
    page = as_alice.get(address)
    assert page.context["percent_over"] == 0
    assert page.context["began"] == made.created_at + YEAR
    assert f"its months are counted from {made.created_at + YEAR:%-d %b %Y, %H:%M} UTC" in text_of(page)
    move_clock(company, SOON)
    assert 94 <= as_alice.get(address).context["percent_over"] <= 98
    start_over(company)
    page = as_alice.get(address)
    assert (page.context["percent_over"], page.context["began"]) == (0, made.certificate.not_before)


def test_one_that_was_issued_in_real_time_is_counted_from_nothing_else(
    as_alice: Client, credential: Credential
) -> None:
    assert credential.certificate.counted_from is None
    assert "months are counted from" not in text_of(as_alice.get(credential_url("credential", credential)))


def test_a_successor_that_has_expired_by_it_makes_nothing_safe(as_alice: Client, project: Project) -> None:
    old = make_credential(project, alias="old")
    make_credential(project, alias="new", predecessor=old, now=timezone.now() - timedelta(days=1))
    assert "new is live and can take over" in text_of(as_alice.get(credential_url("credential", old)))
    old.refresh_from_db()
    end = old.certificate.not_after
    move_clock(project.company, end - timezone.now() - timedelta(hours=12))
    assert "new, which replaces it, has expired" in text_of(as_alice.get(credential_url("credential_revoke", old)))


def test_production_pages_count_by_it(alice: User, as_alice: Client, project: Project) -> None:
    make_credential(project, Environment.PRODUCTION)
    address = reverse("portal:production_access", args=[project.pk])
    assert {show.value: number for show, number in as_alice.get(address).context["certificates"].items()}["live"] == 1
    as_alice.post(address, {"note": ""})
    move_clock(project.company, OVER)
    asked = project.production_requests.get()
    by_staff = reverse("portal:production_request", args=[asked.pk])
    for client, page in ((as_alice, address), (signed_in(make_staff()), by_staff)):
        counted = {show.value: number for show, number in client.get(page).context["certificates"].items()}
        assert (counted["live"], counted["expired"]) == (0, 1)


def test_two_companies_with_clocks_of_their_own_stand_on_one_overview(
    alice: User, project: Project, credential: Credential, theirs: Credential
) -> None:
    Membership.objects.create(project=theirs.project, user=alice, role=Role.READ_ONLY, since=timezone.now())
    make_credential(project, alias="another")
    overview = my_projects(alice, now=timezone.now())
    assert (overview.live, overview.ending, overview.ended) == (3, 0, 0)
    move_clock(theirs.project.company, SOON)
    overview = my_projects(alice, now=timezone.now())
    assert (overview.live, overview.ending, overview.ended) == (3, 1, 0)
    assert overview.next is not None
    assert overview.next.credential.alias == "payouts-mtf", "fewer days are left"
    move_clock(project.company, OVER)
    overview = my_projects(alice, now=timezone.now())
    assert (overview.live, overview.ending, overview.ended) == (1, 1, 2)


@PAGES
def test_no_page_asks_the_database_more_where_the_clock_is_ahead(
    as_alice: Client, credential: Credential, page: str
) -> None:
    make_many_credentials(credential.project, 20)
    address = ADDRESSES[page](credential)
    as_alice.get(address)
    with CaptureQueriesContext(connection) as in_real_time:
        as_alice.get(address)
    move_clock(credential.project.company, timedelta(days=1))
    with CaptureQueriesContext(connection) as ahead:
        as_alice.get(address)
    assert len(ahead) == len(in_real_time)


def test_a_twin_that_has_expired_by_it_is_said_to_hold_its_name(project: Project) -> None:
    csr = make_csr(project)
    make_credential(project, csr=csr)

    def found() -> str:
        judged = judge_csr(csr, project=project, environment=Environment.SANDBOX, now=timezone.now())
        return next(verdict.found for verdict in judged.outcome.verdicts if verdict.id == "dn.duplicate")

    assert "has expired" not in found()
    move_clock(project.company, OVER)
    assert "It has expired, but holds its name until it is revoked" in found()


class TestRealTime:
    """What happens is stamped in real time; where the clocks differ, both are told."""

    def test_a_revocation_keeps_real_time(self, project: Project, credential: Credential) -> None:
        move_clock(project.company, YEAR)
        now = timezone.now()
        revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("a"), now=now)
        credential.refresh_from_db()
        assert credential.ended_at == now
        assert credential.certificate.revoked_at == now

    @pytest.mark.parametrize("page", ["activity", "details"])
    def test_events_show_both_times_where_they_differ(self, as_alice: Client, project: Project, page: str) -> None:
        def text_about(made: Credential) -> str:
            by_page = {
                "activity": reverse("portal:activity", args=[project.pk]),
                "details": credential_url("credential", made),
            }
            return text_of(as_alice.get(by_page[page]))

        assert "company clock" not in text_about(make_credential(project))
        move_clock(project.company, YEAR)
        made = make_credential(project)
        event = AuditEvent.objects.get(object_id=str(made.pk))
        assert event.company_at == event.at + YEAR
        both = f"{event.at:%-d %b %Y, %H:%M} UTC · company clock {event.company_at:%-d %b %Y, %H:%M} UTC"
        assert (both if page == "details" else both.replace(" ·", "")) in text_about(made)

    def test_an_event_keeps_the_companys_time_after_the_clock_is_started_over(
        self, as_alice: Client, project: Project
    ) -> None:
        company = move_clock(project.company, YEAR)
        made = make_credential(project)
        start_over(company)
        event = AuditEvent.objects.get(object_id=str(made.pk))
        assert f"company clock {event.at + YEAR:%-d %b %Y, %H:%M} UTC" in text_of(
            as_alice.get(credential_url("credential", made))
        )

    def test_the_age_of_a_request_is_real(self, as_alice: Client, project: Project) -> None:
        address = reverse("portal:production_access", args=[project.pk])
        as_alice.post(address, {"note": ""})
        move_clock(project.company, YEAR)
        assert "waiting for less than a minute" in text_of(as_alice.get(address))


def test_deleting_a_project_asks_for_no_company_for_each_certificate(project: Project) -> None:
    """The clock that events carry comes with the rows."""

    def queries_of(count: int) -> int:
        another = make_project(admin=project.memberships.get().user)
        make_many_credentials(another, count)
        with CaptureQueriesContext(connection) as queries:
            for one in another.credentials.all():
                revocation.end(one, reason=RevocationReason.SUPERSEDED, actor=Actor("a"), now=timezone.now())
        assert not any('FROM "connect_company"' in query["sql"] for query in queries)
        return len(queries) - 1

    assert queries_of(4) == 2 * queries_of(2)


def test_the_time_of_a_company_is_that_of_its_row(project: Project) -> None:
    now = timezone.now()
    move_clock(project.company, YEAR)
    assert company_time(Project.objects.select_related("company").get(pk=project.pk).company, now) == now + YEAR
    assert company_time(make_user().company, now) == now
