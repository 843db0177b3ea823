"""Who needs a second factor, and what opens for them until they have one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from audit.events import Actor
from audit.models import AuditEvent
from connect import access_requests
from connect.models import Company, Notice, User
from connect.second_factors import has_second_factor
from connect.two_factor_rule import why_needed
from portal.models import Project
from tests.connect.factories import make_access_request, make_security_administrator, make_staff
from tests.connect.second_factor_steps import (
    APP,
    CODES,
    CONFIRM,
    LOGIN,
    SECURITY,
    app_code,
    confirm,
    give_app,
    give_code,
    give_password,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _required(settings: Settings) -> None:
    settings.TWO_FACTOR_REQUIRED = True


@pytest.fixture
def officer(acme: Company, sam: User) -> User:
    officer = make_user(company=acme, name="Olga Brandt")
    grant(officer, by=sam)
    return officer


def grant(user: User, *, by: User) -> None:
    request = make_access_request(user)
    access_requests.decide(request, by=by, grant=True, reason="", actor=Actor(by.email), now=timezone.now())


def where(client: Client, page: str) -> str:
    """Where a page leads, or "" where it opens."""
    return client.get(page).headers.get("Location", "")


def test_they_are_those_who_decide_or_sign_for_others(officer: User, sam: User, kim: User, settings: Settings) -> None:
    developer = make_user()
    assert "You are a security officer" in why_needed(officer)
    assert "You are a Security Administrator" in why_needed(sam)
    assert "You belong to the site’s staff" in why_needed(kim)
    assert why_needed(developer) == ""
    settings.TWO_FACTOR_REQUIRED = False
    assert [why_needed(user) for user in (officer, sam, kim, developer)] == [""] * 4


@pytest.mark.parametrize("who", ["officer", "sam", "kim"])
def test_without_a_factor_every_page_leads_to_the_set_up(
    client: Client, who: str, request: pytest.FixtureRequest
) -> None:
    user: User = request.getfixturevalue(who)
    assert give_password(client, user) == "/projects/"
    pages = ("/", "/projects/", "/kmp/", "/connect/notices/", "/admin/", "/accounts/sessions/", "/clinic/")
    assert [where(client, page) for page in pages] == [SECURITY] * len(pages)
    assert client.post(reverse("portal:project_create"), {"name": "x"}).headers["Location"] == SECURITY
    assert not Project.objects.exists()
    page = client.get(SECURITY).content.decode()
    assert "Set up a second factor to go on." in page
    assert why_needed(user) in page


def test_what_the_set_up_needs_opens_and_so_does_the_way_out(client: Client, officer: User) -> None:
    give_password(client, officer)
    assert where(client, "/accounts/password/") == ""
    assert where(client, CONFIRM) == ""
    assert where(client, "/accounts/logout/") == ""
    assert where(client, "/healthz") == ""
    assert where(client, APP).startswith(CONFIRM)
    assert client.get("/accounts/security/recovery-codes/download/").status_code == 403
    confirm(client)
    assert where(client, "/accounts/security/passkey/") == ""
    html = client.get(APP).content.decode()
    secret = html.split('id="totp-key"><pre tabindex="0">', 1)[1].split("</pre>", 1)[0].replace(" ", "")
    assert client.post(APP, {"code": app_code(secret)}).headers["Location"] == CODES
    assert "Set up a second factor to go on." not in client.get(SECURITY).content.decode()
    assert where(client, "/projects/") == ""
    assert client.post("/accounts/logout/").headers["Location"] == LOGIN


def test_an_htmx_request_is_led_there_as_a_whole_page(client: Client, officer: User) -> None:
    give_password(client, officer)
    response = client.get("/projects/", headers={"HX-Request": "true"})
    assert (response.headers["HX-Redirect"], response.content) == (SECURITY, b"")


def test_developers_choose(client: Client) -> None:
    give_password(client, make_user())
    assert where(client, "/projects/") == ""


def test_who_has_a_factor_goes_on(client: Client, officer: User) -> None:
    give_app(officer)
    give_password(client, officer)
    give_code(client, app_code())
    assert where(client, "/projects/") == ""


def test_a_role_that_is_given_now_counts_from_now(client: Client, acme: Company, sam: User) -> None:
    developer = make_user(company=acme)
    give_password(client, developer)
    assert where(client, "/projects/") == ""
    grant(developer, by=sam)
    assert where(client, "/projects/") == SECURITY


def test_a_role_that_is_taken_away_opens_everything_again(client: Client, sam: User) -> None:
    give_password(client, sam)
    assert where(client, "/projects/") == SECURITY
    User.objects.filter(pk=sam.pk).update(is_security_administrator=False)
    assert where(client, "/projects/") == ""


def test_a_session_with_a_factor_asks_the_database_nothing_more(
    client: Client, officer: User, settings: Settings
) -> None:
    give_app(officer)
    give_password(client, officer)
    give_code(client, app_code())
    counts = []
    for required in (False, True):
        settings.TWO_FACTOR_REQUIRED = required
        client.get("/projects/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/projects/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_developer_costs_one_query(client: Client, settings: Settings) -> None:
    give_password(client, make_user())
    counts = []
    for required in (False, True):
        settings.TWO_FACTOR_REQUIRED = required
        client.get("/projects/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/projects/")
        counts.append(len(queries))
    assert counts[1] - counts[0] == 1


def test_public_addresses_cost_nothing_more(client: Client, officer: User, settings: Settings) -> None:
    give_password(client, officer)
    counts = []
    for required in (False, True):
        settings.TWO_FACTOR_REQUIRED = required
        with CaptureQueriesContext(connection) as queries:
            client.get("/healthz")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def remove_by_staff(staff: User, user: User) -> str:
    """What the admin says after its action on an account."""
    client = Client()
    client.force_login(staff)
    form = {"action": "remove_second_factors", "_selected_action": [str(user.pk)]}
    return client.post(reverse("admin:connect_user_changelist"), form, follow=True).content.decode()


@pytest.fixture
def staff(settings: Settings) -> User:
    """A member of the staff who may change accounts; their own second factor is not what is tested."""
    settings.TWO_FACTOR_REQUIRED = False
    return make_staff(is_superuser=True)


def test_staff_help_who_lost_a_phone(client: Client, officer: User, staff: User) -> None:
    give_app(officer)
    give_password(client, officer)
    give_code(client, app_code())
    page = remove_by_staff(staff, officer)
    assert f"Two-factor sign-in of {officer.email} is removed, and its sessions have ended." in page
    assert where(client, "/projects/").startswith(LOGIN)
    assert give_password(client, officer) == "/projects/"
    event = AuditEvent.objects.get(action="account.two_factor_removed")
    assert (event.actor, event.object_label, event.after["factor"]) == (staff.email, officer.email, "authenticator app")
    notice = Notice.objects.get(kind="account.two-factor-removed", channel="mail")
    assert (notice.address, "The site’s staff have removed" in notice.text) == (officer.email, True)


def test_staff_cannot_remove_their_own_there(staff: User) -> None:
    give_app(staff)
    client = Client()
    assert "Your own factors are removed on the page Sign-in and security." in remove_by_staff(staff, staff)
    assert give_password(client, staff) == "/accounts/second-step/"


def test_staff_without_the_right_remove_nothing(officer: User, settings: Settings) -> None:
    give_app(officer)
    settings.TWO_FACTOR_REQUIRED = False
    remove_by_staff(make_staff(), officer)
    assert has_second_factor(officer)
    superuser, helper = make_staff(is_superuser=True), make_staff()
    helper.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    give_app(superuser)
    assert f"You may not change the account {superuser.email}." in remove_by_staff(helper, superuser)
    assert has_second_factor(superuser)
    assert not AuditEvent.objects.filter(action="account.two_factor_removed").exists()


def test_the_admin_shows_what_an_account_has_and_no_secret(officer: User, staff: User) -> None:
    give_app(officer)
    client = Client()
    client.force_login(staff)
    page = client.get(reverse("admin:connect_user_change", args=[officer.pk])).content.decode()
    assert "authenticator app" in page
    for model in ("mfa/authenticator", "usersessions/usersession"):
        assert client.get(f"/admin/{model}/").status_code == 404


def test_security_administrators_are_named_by_staff_and_need_one_from_then(client: Client, acme: Company) -> None:
    administrator = make_security_administrator(acme)
    give_password(client, administrator)
    assert where(client, "/connect/store/") == SECURITY
