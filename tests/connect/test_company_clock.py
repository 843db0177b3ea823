"""Connect where a company's clock is ahead: what happens is stamped in real time, and events carry both times."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from connect.models import AccessRequest, Company, User
from tests.connect.conftest import SignIn
from tests.connect.factories import make_access_request, make_staff, move_clock
from tests.connect.second_factor_steps import give_password
from tests.factories import make_user
from tests.page_text import text_of

YEAR = timedelta(days=365)


def newest(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("id")


def assert_tells_both_times(event: AuditEvent) -> None:
    assert abs(event.at - timezone.now()) < timedelta(minutes=5)
    assert event.company_at == event.at + YEAR


def test_a_sign_in_carries_both_times(client: Client, dora: User, acme: Company) -> None:
    move_clock(acme, YEAR)
    give_password(client, dora)
    assert_tells_both_times(newest("account.signed_in"))


def test_a_sign_in_of_another_company_and_of_none_carries_one(client: Client, acme: Company) -> None:
    move_clock(acme, YEAR)
    for user in (make_user(), make_user(company=None)):
        give_password(client, user)
        event = newest("account.signed_in")
        assert (event.object_id, event.company_at) == (str(user.pk), None)
        client.logout()


def test_an_access_request_carries_both_times_and_its_age_is_real(
    dora: User, sam: User, acme: Company, sign_in: SignIn
) -> None:
    move_clock(acme, YEAR)
    dora.refresh_from_db()
    make_access_request(dora)
    assert_tells_both_times(newest("access.requested"))
    assert abs(AccessRequest.objects.get().requested_at - timezone.now()) < timedelta(minutes=5)
    assert "less than a minute" in text_of(sign_in(sam).get(reverse("connect:inbox")))


@pytest.mark.parametrize("model", ["user", "company"])
def test_what_staff_change_in_the_admin_carries_both_times(
    dora: User, acme: Company, sign_in: SignIn, model: str
) -> None:
    move_clock(acme, YEAR)
    as_staff = sign_in(make_staff(is_superuser=True))
    if model == "user":
        form = {"email": dora.email, "name": "Dora Marsh", "company": acme.pk, "is_active": "on"}
        as_staff.post(reverse("admin:connect_user_change", args=[dora.pk]), form)
        assert_tells_both_times(newest("account.changed"))
    else:
        form = {"name": acme.name, "cid": acme.cid, "country": "DE", "group_email": ""}
        as_staff.post(reverse("admin:connect_company_change", args=[acme.pk]), form)
        assert_tells_both_times(newest("company.changed"))
    acme.refresh_from_db()
    assert acme.clock_ahead == YEAR, "the admin leaves the clock as it is"


def test_the_log_in_the_admin_shows_both_times(client: Client, dora: User, acme: Company, sign_in: SignIn) -> None:
    move_clock(acme, YEAR)
    give_password(client, dora)
    at = newest("account.signed_in").company_at
    assert at is not None
    page = text_of(sign_in(make_staff(is_superuser=True)).get(reverse("admin:audit_auditevent_changelist")))
    assert "Company at" in page
    assert str(at.year) in page
