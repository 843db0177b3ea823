"""Every address of the site as every kind of person, as the table says."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from certauthority.models import Authority
from portal.models import Environment
from tests.access_table import IN, PEOPLE, ROWS, SEEN_BY_STAFF
from tests.hostile.traces import fingerprint_of_database
from tests.whole_site import Route, WholeSite, make_whole_site, routes

# Django's admin is one group: for the site's staff alone, whatever the page.
ADMIN = "admin:"
# They answer everybody: with the sign-in page, and with the way out.
ADMIN_FOR_ALL = {"admin:login", "admin:logout"}
# Programs ask these by POST; they change nothing and know no sessions.
WITHOUT_TOKEN = {"ocsp"}


@pytest.fixture
def site(authorities: dict[str, Authority]) -> WholeSite:
    return make_whole_site()


def url_of(route: Route, site: WholeSite, **other: Any) -> str:
    values = site.parameters(**other)
    return reverse(route.name, kwargs={name: values[name] for name in route.parameters})


def answer(client: Client, method: str, url: str) -> str:
    """The status, or ``in`` for the way to the sign-in page. Whatever the request did is undone."""
    cookies = copy(client.cookies)
    with transaction.atomic():
        response = getattr(client, method)(url)
        transaction.set_rollback(True)
    client.cookies = cookies
    location = response.headers.get("Location", "")
    return IN if location.startswith(f"{reverse('account_login')}?next=") else str(response.status_code)


def test_every_address_answers_every_kind_of_person_as_the_table_says(site: WholeSite) -> None:
    clients = {person: site.client(person) for person in PEOPLE}
    ours = [route for route in routes() if not route.name.startswith(ADMIN)]
    assert {route.name for route in ours} == set(ROWS), "each address has one row, and no row is left over"
    wrong = []
    for route in ours:
        for method, expected in zip(("get", "post"), ROWS[route.name], strict=True):
            found = " ".join(answer(clients[person], method, url_of(route, site)) for person in PEOPLE)
            if found != expected:
                wrong.append(f"{method.upper()} {route.name}: {found}, not {expected}")
    assert wrong == []


def test_the_admin_is_for_staff_alone(site: WholeSite) -> None:
    clients = {person: site.client(person) for person in PEOPLE}
    group = [route for route in routes() if route.name.startswith(ADMIN)]
    assert len(group) > 20
    wrong = []
    for route in group:
        url = "/" + _filled(route.pattern, site)
        for method in ("get", "post"):
            for person in PEOPLE:
                found = answer(clients[person], method, url)
                allowed = {IN, "302", "403", "404"}
                if person == "staff" or route.name in ADMIN_FOR_ALL:
                    allowed |= {"200", "400", "405"}
                if found not in allowed:
                    wrong.append(f"{method.upper()} {url} as {person}: {found}")
        if route.name == "admin:index":
            assert answer(clients["staff"], "get", url) == "200"
    assert wrong == []


def _filled(pattern: str, site: WholeSite) -> str:
    """An address of the admin, with an account's id where it asks for an object."""
    for placeholder in ("<path:object_id>", "<id>", "<path:content_type_id>", "<path:object_id>"):
        pattern = pattern.replace(placeholder, str(site.member.pk))
    pattern = pattern.replace("<int:content_type_id>", "1").replace("^(?P<app_label>auth|account|connect)/$", "auth/")
    return pattern.replace("(?P<url>.*)$", "nothing/")


def test_every_post_without_its_token_is_refused(site: WholeSite) -> None:
    wrong = []
    for route in routes():
        _, post = ROWS.get(route.name, (SEEN_BY_STAFF, SEEN_BY_STAFF))
        if "405" in post or route.name in WITHOUT_TOKEN:
            continue
        url = "/" + _filled(route.pattern, site) if route.name.startswith(ADMIN) else url_of(route, site)
        for person in PEOPLE:
            client = site.client(person, enforce_csrf_checks=True)
            found = answer(client, "post", url)
            if found != "403":
                wrong.append(f"POST {url} as {person}: {found}")
    assert wrong == []


def test_what_belongs_to_others_does_not_exist(site: WholeSite) -> None:
    """Under one's own project, other people's objects are 404, and so is everything of a project that is gone."""
    others: list[dict[str, Any]] = [
        {"project_id": site.foreign.pk, "credential_id": site.foreign_credential.pk, "user_id": site.stranger.pk},
        {"project_id": site.foreign.pk},
        {"credential_id": site.foreign_credential.pk, "user_id": site.stranger.pk},
        {"credential_id": site.deleted_credential.pk, "user_id": site.staff.pk},
        {"environment": Environment.PRODUCTION},
        {"project_id": site.deleted.pk, "credential_id": site.deleted_credential.pk, "user_id": site.admin.pk},
        {"project_id": site.member.pk, "credential_id": site.project.pk, "user_id": site.project.pk},
    ]
    admin, wrong, asked = site.client("admin"), [], 0
    for route in routes():
        for other in others:
            concerned = set(other) & set(route.parameters)
            if other == {"environment": Environment.PRODUCTION} and "credential_id" not in route.parameters:
                continue
            if not concerned or not route.name.startswith("portal:"):
                continue
            for method, expected in zip(("get", "post"), ROWS[route.name], strict=True):
                if "405" in expected:
                    continue
                asked += 1
                found = answer(admin, method, url_of(route, site, **other))
                if found != "404":
                    wrong.append(f"{method.upper()} {route.name} of {sorted(map(str, other.values()))}: {found}")
    assert wrong == []
    assert asked > 80


def test_ids_in_the_query_and_in_forms_are_looked_at_as_well(site: WholeSite) -> None:
    admin, project = site.client("admin"), site.project
    add = reverse("portal:add_certificate", args=[project.pk, "sandbox"])
    listed = reverse("portal:credentials", args=[project.pk, "sandbox"])
    for credential in (site.foreign_credential, site.deleted_credential):
        for way in ("", "generate/", "upload-csr/", "paste-csr/", "upload-certificate/"):
            assert admin.get(f"{add}{way}?rotate={credential.pk}").status_code == 404
        assert credential.alias not in admin.get(f"{listed}?new={credential.pk}&show=all").content.decode()
    production = reverse("portal:add_certificate", args=[project.pk, "production"])
    assert admin.get(f"{production}?rotate={site.credential.pk}").status_code == 404
    chosen = admin.post(reverse("portal:clinic"), {"project": site.foreign.pk, "environment": "sandbox", "csr": "x"})
    assert "Choose one of your projects." in chosen.content.decode()
    assert site.foreign.name not in chosen.content.decode()


def test_the_log_of_another_project_is_no_place_to_read_on_from(site: WholeSite) -> None:
    event = AuditEvent.objects.filter(project=str(site.foreign.pk)).first()
    assert event is not None
    url = reverse("portal:activity", args=[site.project.pk])
    assert site.client("admin").get(f"{url}?before={event.reference}").status_code == 404


def test_no_get_changes_anything(site: WholeSite) -> None:
    """Every page is read by who may see most, and the database is as before, but for sessions."""
    clients = [site.client("admin"), site.client("staff")]
    before = fingerprint_of_database()
    for client in clients:
        for route in routes():
            if not route.name.startswith(ADMIN):
                client.get(url_of(route, site))
                client.get(url_of(route, site), {"_method": "POST", "confirmation": "REVOKE", "name": "Checkout API"})
                client.get(url_of(route, site), headers={"X-HTTP-Method-Override": "POST"})
    assert fingerprint_of_database() == before
