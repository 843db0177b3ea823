"""The admin: staff create accounts and verify companies there, and cannot touch what use-cases keep."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect.access_requests import withdraw
from connect.models import Company, User
from tests.connect.factories import grant_access
from tests.factories import PASSWORD, make_company, make_many_credentials, make_project, make_user

KEPT = {"audit.auditevent", "portal.project", "portal.membership", "portal.credential"}


@pytest.fixture
def staff(db: None) -> User:
    return make_user(email="kim@rehearsal.example", is_staff=True, is_superuser=True, company=None)


@pytest.fixture
def as_staff(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def account_form(user: User, **changes: object) -> dict[str, object]:
    form = {"email": user.email, "name": user.name, "company": user.company_id or "", "is_active": "on"}
    return {**form, **changes}


def test_staff_create_an_account_that_can_sign_in(as_staff: Client) -> None:
    company = make_company()
    form = {
        "email": "New@Acme.example",
        "name": "New Person",
        "company": company.pk,
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert as_staff.post(reverse("admin:connect_user_add"), form).status_code == 302
    user = User.objects.get(email="new@acme.example")
    assert (user.name, user.company, user.is_staff) == ("New Person", company, False)
    assert user.check_password(PASSWORD)
    event = AuditEvent.objects.get(action="account.created")
    assert (event.actor, event.company) == ("kim@rehearsal.example", str(company.pk))
    assert PASSWORD not in str(event.after)


def test_an_address_in_another_case_is_the_same_account(as_staff: Client, staff: User) -> None:
    form = {
        "email": "KIM@rehearsal.example",
        "name": "Other",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    answer = as_staff.post(reverse("admin:connect_user_add"), form)
    assert answer.status_code == 200
    assert "already exists" in answer.content.decode()
    assert User.objects.count() == 1


def test_staff_verify_a_company(as_staff: Client) -> None:
    company = make_company(verified_at=None, cid="123456")
    assert company.certificate_cid == "000000"
    now = timezone.now()
    form = {
        "name": company.name,
        "cid": "123456",
        "country": "GB",
        "verified_at_0": f"{now:%Y-%m-%d}",
        "verified_at_1": f"{now:%H:%M:%S}",
    }
    assert as_staff.post(reverse("admin:connect_company_change", args=[company.pk]), form).status_code == 302
    company.refresh_from_db()
    assert company.certificate_cid == "123456"
    event = AuditEvent.objects.get(action="company.changed")
    assert event.before == {"verified_at": None}
    assert list(event.after) == ["verified_at"]


def test_a_security_officer_becomes_a_security_administrator_only_after_giving_up_access(as_staff: Client) -> None:
    user = make_user()
    granted = grant_access(user)
    address = reverse("admin:connect_user_change", args=[user.pk])
    answer = as_staff.post(address, account_form(user, is_security_administrator="on"))
    assert answer.status_code == 200
    assert "This person is a security officer, and a Security Administrator is none" in answer.content.decode()
    user.refresh_from_db()
    assert not user.is_security_administrator
    withdraw(granted, by=user, reason="I decide now", actor=Actor(user.email), now=timezone.now())
    assert as_staff.post(address, account_form(user, is_security_administrator="on")).status_code == 302
    user.refresh_from_db()
    assert user.is_security_administrator


def test_who_is_both_from_earlier_days_can_still_be_changed(as_staff: Client) -> None:
    user = make_user()
    grant_access(user)
    user.is_security_administrator = True
    user.save()
    address = reverse("admin:connect_user_change", args=[user.pk])
    form = account_form(user, is_security_administrator="on", name="New Name")
    assert as_staff.post(address, form).status_code == 302
    user.refresh_from_db()
    assert (user.name, user.is_security_administrator) == ("New Name", True)


def test_staff_name_a_security_administrator(as_staff: Client) -> None:
    user = make_user()
    address = reverse("admin:connect_user_change", args=[user.pk])
    assert as_staff.post(address, account_form(user, is_security_administrator="on")).status_code == 302
    user.refresh_from_db()
    assert user.is_security_administrator
    event = AuditEvent.objects.get(action="account.changed")
    assert (event.before, event.after) == ({"is_security_administrator": False}, {"is_security_administrator": True})
    answer = as_staff.post(address, account_form(user, is_security_administrator="on", company=""))
    assert answer.status_code == 200
    assert "A Security Administrator decides for a company. Choose it." in answer.content.decode()
    user.refresh_from_db()
    assert user.company is not None


def test_staff_set_the_group_email(as_staff: Client) -> None:
    company = make_company(verified_at=None)
    form = {"name": company.name, "cid": company.cid or "", "country": "GB", "group_email": "certs@acme.example"}
    assert as_staff.post(reverse("admin:connect_company_change", args=[company.pk]), form).status_code == 302
    event = AuditEvent.objects.get(action="company.changed")
    assert (event.before, event.after) == ({"group_email": ""}, {"group_email": "certs@acme.example"})


def test_saving_without_a_change_is_no_event(as_staff: Client) -> None:
    user = make_user()
    as_staff.post(reverse("admin:connect_user_change", args=[user.pk]), account_form(user))
    assert not AuditEvent.objects.filter(object_type="account", action="account.changed").exists()


def test_an_account_is_closed_and_not_deleted(as_staff: Client) -> None:
    user = make_user()
    address = reverse("admin:connect_user_change", args=[user.pk])
    assert as_staff.post(address, account_form(user, is_active="")).status_code == 302
    user.refresh_from_db()
    assert not user.is_active
    assert AuditEvent.objects.get(action="account.changed").after == {"is_active": False}
    assert as_staff.post(reverse("admin:connect_user_delete", args=[user.pk]), {"post": "yes"}).status_code == 403
    assert (
        as_staff.post(reverse("admin:connect_company_delete", args=[user.company_id]), {"post": "yes"}).status_code
        == 403
    )
    assert Company.objects.filter(users=user).exists()


def test_a_new_password_by_staff_is_recorded(as_staff: Client) -> None:
    user = make_user()
    address = reverse("admin:auth_user_password_change", args=[user.pk])
    as_staff.post(address, {"usable_password": "true", "password1": "short", "password2": "short"})
    assert not AuditEvent.objects.filter(action="account.password_set").exists()
    form = {"usable_password": "true", "password1": f"new {PASSWORD}", "password2": f"new {PASSWORD}"}
    assert as_staff.post(address, form).status_code == 302
    user.refresh_from_db()
    assert user.check_password(f"new {PASSWORD}")
    assert AuditEvent.objects.get(action="account.password_set").object_id == str(user.pk)


def test_staff_without_every_right_give_themselves_none(db: None) -> None:
    helper = make_user(is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(content_type__app_label="connect"))
    client = Client()
    client.force_login(helper)
    address = reverse("admin:connect_user_change", args=[helper.pk])
    assert client.post(address, account_form(helper, is_superuser="on", is_staff="on")).status_code == 302
    helper.refresh_from_db()
    assert not helper.is_superuser
    boss = make_user(is_staff=True, is_superuser=True)
    address = reverse("admin:auth_user_password_change", args=[boss.pk])
    form = {"usable_password": "true", "password1": f"new {PASSWORD}", "password2": f"new {PASSWORD}"}
    assert client.post(address, form).status_code == 403
    boss.refresh_from_db()
    assert boss.check_password(PASSWORD)


@pytest.mark.parametrize("label", sorted(KEPT))
def test_what_use_cases_keep_is_only_to_be_read(as_staff: Client, label: str) -> None:
    make_many_credentials(make_project(), 1)
    model = next(model for model in admin.site._registry if model._meta.label_lower == label)
    row = model._default_manager.first()
    assert row is not None
    name = label.replace(".", "_")
    assert as_staff.get(reverse(f"admin:{name}_changelist")).status_code == 200
    assert as_staff.get(reverse(f"admin:{name}_change", args=[row.pk])).status_code == 200
    assert as_staff.get(reverse(f"admin:{name}_add")).status_code == 403
    assert as_staff.post(reverse(f"admin:{name}_change", args=[row.pk]), {}).status_code == 403
    assert as_staff.post(reverse(f"admin:{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_certificates_and_authorities_are_not_in_the_admin_at_all() -> None:
    assert not [model for model in admin.site._registry if model._meta.app_label == "certauthority"]


def test_sign_in_goes_by_the_sites_own_page(client: Client) -> None:
    answer = client.get("/admin/login/", {"next": "/admin/"})
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
    assert client.post("/admin/login/", {"username": "a", "password": "b"})["Location"].startswith(
        reverse("account_login")
    )


def test_other_people_do_not_enter(db: None) -> None:
    client = Client()
    client.force_login(make_user())
    assert client.get("/admin/", follow=True).status_code == 403
