"""What staff do to an account ends its sessions at once; a failed sign-in is in the log without what was typed."""

from __future__ import annotations

import logging

import pytest
from django.test import Client
from django.urls import reverse

from connect import accounts
from tests.connect.factories import make_staff
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PROJECTS = "/projects/"


def test_closing_an_account_ends_its_sessions() -> None:
    user, browser, staff = make_user(), Client(), Client()
    browser.force_login(user)
    staff.force_login(make_staff(is_superuser=True))
    assert browser.get(PROJECTS).status_code == 200
    form = {"email": user.email, "name": user.name, "company": user.company_id}
    assert staff.post(reverse("admin:connect_user_change", args=[user.pk]), form).status_code == 302
    assert browser.get(PROJECTS).status_code == 302


def test_a_new_password_by_staff_ends_its_sessions() -> None:
    user, browser, staff = make_user(), Client(), Client()
    browser.force_login(user)
    staff.force_login(make_staff(is_superuser=True))
    new = "a new battery of horses"
    form = {"password1": new, "password2": new, "usable_password": "true"}
    address = reverse("admin:auth_user_password_change", args=[user.pk])
    assert staff.post(address, form).status_code == 302
    assert browser.get(PROJECTS).status_code == 302


def test_a_failed_sign_in_is_logged_without_what_was_typed(caplog: pytest.LogCaptureFixture) -> None:
    user = make_user()
    Client().post("/accounts/login/", {"login": user.email, "password": "not the password"})
    (line,) = [record for record in caplog.records if record.name == accounts.__name__]
    assert (line.levelno, line.getMessage()) == (logging.WARNING, "A sign-in from 127.0.0.1 failed at the password.")
    assert user.email not in caplog.text
