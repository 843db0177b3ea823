"""Every address of the site as every kind of person: a table that must have a row for each."""

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
from tests.hostile.traces import fingerprint_of_database
from tests.whole_site import Route, WholeSite, make_whole_site, routes

PEOPLE = ("anonymous", "stranger", "reader", "admin", "staff")
IN = "in"  # sent to the sign-in page
SEEN_BY_ALL = "200 200 200 200 200"
SEEN_SIGNED_IN = f"{IN} 200 200 200 200"
SEEN_BY_TEAM = f"{IN} 404 200 200 404"
SEEN_BY_ADMINS = f"{IN} 404 403 200 404"
REFUSED_TO_ADMINS = f"{IN} 404 403 422 404"  # JSON for a script: nothing in it is right.
DONE_BY_ADMINS = f"{IN} 404 403 302 404"
SEEN_BY_STAFF = f"{IN} 403 403 403 200"
# Alice, who is ``admin`` here, is Security Administrator and security officer of her company, too.
SEEN_BY_ALICE = f"{IN} 404 404 200 404"
DONE_BY_ALICE = f"{IN} 404 404 302 404"
SEEN_BY_OFFICERS = f"{IN} 403 403 200 403"
DONE_BY_OFFICERS = f"{IN} 403 403 302 403"
# Whoever changes how they sign in confirms first that it is they.
CONFIRMED_FIRST = f"{IN} 302 302 302 302"
NEVER = "405 405 405 405 405"
NEVER_SIGNED_IN = f"{IN} 405 405 405 405"

# Name of the address: what GET answers, and what a POST of an empty form answers, to each of PEOPLE in turn.
# An empty form is refused with the page itself (200); what is sent on (302) needs no more than the address.
ROWS = {
    "home": (f"{IN} 302 302 302 302", f"{IN} 302 302 302 302"),
    "healthz": (SEEN_BY_ALL, NEVER),
    "readyz": (SEEN_BY_ALL, NEVER),
    # From this machine: tests/config/test_metrics.py has who else may not.
    "metrics": (SEEN_BY_ALL, NEVER),
    "account_login": ("200 302 302 302 302", "200 302 302 302 302"),
    "account_logout": ("302 200 200 200 200", "302 302 302 302 302"),
    "account_change_password": (SEEN_SIGNED_IN, SEEN_SIGNED_IN),
    "mfa_authenticate": ("302 302 302 302 302", "302 302 302 302 302"),
    "account_reauthenticate": (SEEN_SIGNED_IN, SEEN_SIGNED_IN),
    "account_security": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "account_totp": (CONFIRMED_FIRST, CONFIRMED_FIRST),
    "account_passkey_add": (CONFIRMED_FIRST, CONFIRMED_FIRST),
    "account_passkey": (CONFIRMED_FIRST, CONFIRMED_FIRST),
    "account_factor_remove": (CONFIRMED_FIRST, CONFIRMED_FIRST),
    "account_recovery_codes": (CONFIRMED_FIRST, CONFIRMED_FIRST),
    "account_recovery_codes_file": (f"{IN} 403 403 403 403", NEVER_SIGNED_IN),
    "account_sessions": (SEEN_SIGNED_IN, f"{IN} 302 302 302 302"),
    # Nothing is kept for any of them: tests/connect/test_unsent.py has whom it is shown to.
    "account_unsent": (f"{IN} 302 302 302 302", f"{IN} 302 302 302 302"),
    "connect:notices": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "connect:notices_read": (NEVER_SIGNED_IN, f"{IN} 302 302 302 302"),
    "connect:notice_open": (NEVER_SIGNED_IN, f"{IN} 404 404 302 404"),
    "connect:notice_settings": (SEEN_SIGNED_IN, f"{IN} 302 302 302 302"),
    "connect:notice_sample": (NEVER_SIGNED_IN, f"{IN} 302 302 302 302"),
    "connect:calendar_address": (NEVER_SIGNED_IN, f"{IN} 302 302 302 302"),
    "connect:calendar_feed": (SEEN_BY_ALL, NEVER),
    "connect:digest_unsubscribe": (SEEN_BY_ALL, SEEN_BY_ALL),
    "connect:company_notices": (SEEN_BY_OFFICERS, NEVER_SIGNED_IN),
    "connect:company_notice_retry": (NEVER_SIGNED_IN, DONE_BY_ALICE),
    "connect:snooze_link": (SEEN_BY_ALL, SEEN_BY_ALL),
    "connect:mailbox": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "connect:mail": (f"{IN} 404 404 200 200", NEVER_SIGNED_IN),
    "connect:mail_html": (f"{IN} 404 404 200 200", NEVER_SIGNED_IN),
    "connect:store": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "connect:request_access": (f"{IN} 200 200 302 200", f"{IN} 200 200 302 200"),
    "connect:items": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "connect:item": (SEEN_BY_ALICE, NEVER_SIGNED_IN),
    "connect:item_cancel": (NEVER_SIGNED_IN, f"{IN} 404 404 302 404"),
    "connect:item_give_up": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "connect:inbox": (f"{IN} 403 403 200 200", NEVER_SIGNED_IN),
    "connect:inbox_item": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "connect:access_withdraw": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "connect:company": (f"{IN} 200 200 200 403", f"{IN} 403 403 200 403"),
    # Charlie, who is ``stranger`` here, is admin of a project of his own company.
    "connect:clock": (f"{IN} 200 403 200 200", f"{IN} 200 403 200 405"),
    "connect:company_clock": (f"{IN} 404 403 200 200", f"{IN} 404 403 200 200"),
    "connect:clock_start_over": (f"{IN} 404 403 200 200", f"{IN} 404 403 200 200"),
    "connect:webhooks": (SEEN_BY_OFFICERS, SEEN_BY_OFFICERS),
    "connect:webhook": (SEEN_BY_OFFICERS, NEVER_SIGNED_IN),
    "connect:webhook_secret": (SEEN_BY_OFFICERS, SEEN_BY_OFFICERS),
    "connect:webhook_end": (SEEN_BY_OFFICERS, DONE_BY_OFFICERS),
    "connect:webhook_test": (NEVER_SIGNED_IN, DONE_BY_OFFICERS),
    "connect:webhook_message": (SEEN_BY_OFFICERS, NEVER_SIGNED_IN),
    "connect:webhook_replay": (NEVER_SIGNED_IN, DONE_BY_OFFICERS),
    "connect:company_verify": (f"{IN} 200 200 200 403", f"{IN} 302 302 302 403"),
    "connect:verifications": (SEEN_BY_STAFF, NEVER_SIGNED_IN),
    "connect:verification": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "kmp:inventory": (f"{IN} 403 403 200 403", NEVER_SIGNED_IN),
    "kmp:inventory_file": (f"{IN} 403 403 200 403", NEVER_SIGNED_IN),
    "kmp:entry": (SEEN_BY_ALICE, NEVER_SIGNED_IN),
    "kmp:entry_download": (SEEN_BY_ALICE, NEVER_SIGNED_IN),
    "kmp:entry_calls": (f"{IN} 404 404 302 404", NEVER_SIGNED_IN),
    "kmp:entry_propagation": (f"{IN} 404 404 302 404", NEVER_SIGNED_IN),
    "kmp:entry_revoke": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "kmp:entry_snooze": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "kmp:requests": (SEEN_BY_OFFICERS, NEVER_SIGNED_IN),
    "kmp:request_new": (SEEN_BY_OFFICERS, SEEN_BY_OFFICERS),
    "kmp:renew_by_serial": (SEEN_BY_OFFICERS, SEEN_BY_OFFICERS),
    "kmp:entry_renew": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "kmp:request": (SEEN_BY_ALICE, NEVER_SIGNED_IN),
    "kmp:request_details": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "kmp:request_csr": (SEEN_BY_ALICE, DONE_BY_ALICE),
    "kmp:request_review": (SEEN_BY_ALICE, SEEN_BY_ALICE),
    "kmp:request_submit": (DONE_BY_ALICE, SEEN_BY_ALICE),
    "kmp:request_cancel": (NEVER_SIGNED_IN, DONE_BY_ALICE),
    "kmp:request_take_over": (NEVER_SIGNED_IN, DONE_BY_ALICE),
    "kmp:request_correct": (NEVER_SIGNED_IN, DONE_BY_ALICE),
    "kmp:notices": (SEEN_BY_OFFICERS, NEVER_SIGNED_IN),
    "kmp:company": (SEEN_BY_OFFICERS, SEEN_BY_OFFICERS),
    "kmp:support": (f"{IN} 403 403 200 200", NEVER_SIGNED_IN),
    "kmp:review_queue": (SEEN_BY_STAFF, NEVER_SIGNED_IN),
    "kmp:review": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "kmp:requirements": (SEEN_BY_STAFF, NEVER_SIGNED_IN),
    "kmp:application": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "kmp:requirement": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "ocsp": (SEEN_BY_ALL, SEEN_BY_ALL),  # An empty request is told malformedRequest, in OCSP's own words.
    "certauthority:crl": (SEEN_BY_ALL, NEVER),
    "certauthority:crl_shard": (SEEN_BY_ALL, NEVER),
    "certauthority:certificate": (SEEN_BY_ALL, NEVER),
    "certauthority:bundle": (SEEN_BY_ALL, NEVER),
    "portal:projects": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "portal:project_create": (SEEN_SIGNED_IN, SEEN_SIGNED_IN),
    "portal:project": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:project_delete": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:team": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:team_invite": (NEVER_SIGNED_IN, SEEN_BY_ADMINS),
    "portal:team_role": (NEVER_SIGNED_IN, SEEN_BY_ADMINS),
    "portal:team_remove": (SEEN_BY_ADMINS, DONE_BY_ADMINS),
    "portal:production_access": (SEEN_BY_ADMINS, DONE_BY_ADMINS),
    "portal:production_requests": (SEEN_BY_STAFF, NEVER_SIGNED_IN),
    "portal:production_request": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "portal:notices": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:notice_retry": (NEVER_SIGNED_IN, DONE_BY_ADMINS),
    "portal:webhooks": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:webhook": (SEEN_BY_ADMINS, NEVER_SIGNED_IN),
    "portal:webhook_secret": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:webhook_end": (SEEN_BY_ADMINS, DONE_BY_ADMINS),
    "portal:webhook_test": (NEVER_SIGNED_IN, DONE_BY_ADMINS),
    "portal:webhook_message": (SEEN_BY_ADMINS, NEVER_SIGNED_IN),
    "portal:webhook_replay": (NEVER_SIGNED_IN, DONE_BY_ADMINS),
    "portal:activity": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:trusted_cas": (SEEN_SIGNED_IN, NEVER_SIGNED_IN),
    "portal:trusted_ca_add": (SEEN_BY_STAFF, SEEN_BY_STAFF),
    "portal:trusted_ca": (SEEN_BY_STAFF, f"{IN} 403 403 403 302"),
    "portal:credentials": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:add_certificate": (SEEN_BY_ADMINS, NEVER_SIGNED_IN),
    "portal:generate_key": (SEEN_BY_ADMINS, REFUSED_TO_ADMINS),
    "portal:upload_csr": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:paste_csr": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:upload_certificate": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:check_csr": (NEVER_SIGNED_IN, SEEN_BY_ADMINS),
    "portal:check_certificate": (NEVER_SIGNED_IN, SEEN_BY_ADMINS),
    "portal:credential": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:credential_download": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:credential_calls": (f"{IN} 404 302 302 404", NEVER_SIGNED_IN),
    "portal:credential_propagation": (f"{IN} 404 302 302 404", NEVER_SIGNED_IN),
    "portal:keystore_saved": (NEVER_SIGNED_IN, DONE_BY_ADMINS),
    "portal:credential_revoke": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    # Without htmx the parts lead to the pages that hold them.
    "portal:guides": (f"{IN} 404 302 302 404", NEVER_SIGNED_IN),
    "portal:guide": (f"{IN} 404 302 302 404", NEVER_SIGNED_IN),
    "portal:rotation_report": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:rotation_json": (SEEN_BY_TEAM, NEVER_SIGNED_IN),
    "portal:credential_snooze": (SEEN_BY_ADMINS, SEEN_BY_ADMINS),
    "portal:clinic": (SEEN_SIGNED_IN, SEEN_SIGNED_IN),
}
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
