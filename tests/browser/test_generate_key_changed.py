"""What has changed since the page was opened: access, the sign-in, the certificate to replace, the copies elsewhere."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Route, expect

from audit.events import Actor
from certauthority.models import RevocationReason
from connect.models import User
from portal import revocation
from portal.models import Credential, CredentialMethod, Environment, Membership, Project, Role
from portal.projects import delete_project
from tests.browser.generating import (
    ALIAS,
    HANG_MILLISECONDS,
    PASSWORD,
    fill_in,
    kept_in,
    no_download,
    press_create,
    requests_of,
    sign_in,
    type_password_again,
    wait_until_ready,
)
from tests.browser.recorder import Recorder
from tests.browser.test_generate_key_kept import copy_of, keep, leave_unanswered
from tests.factories import make_credential, make_project
from tests.portal.credential_pages import credential_url, page_url

ACTOR = Actor("test")


@pytest.fixture
def address(relay: Recorder, made_in: Project) -> str:
    return relay.address + page_url("generate_key", made_in)


@pytest.fixture
def second_page(browser_context: BrowserContext) -> Page:
    """Another tab of the same browser."""
    return browser_context.new_page()


def discard(page: Page, alias: str = ALIAS) -> None:
    page.get_by_role("button", name=f"Discard the copy of {alias}").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard the key").click()


def end(credential: Credential) -> None:
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=ACTOR, now=timezone.now())


def delete(project: Project) -> None:
    delete_project(project, actor=ACTOR, now=timezone.now())


# Copies that another tab deleted


def test_a_copy_that_another_tab_discards_meanwhile_does_not_come_back(
    form: Page, second_page: Page, address: str
) -> None:
    def discard_and_go_on(route: Route) -> None:
        second_discards(second_page, address)
        route.continue_()

    form.route("**/add/generate/", discard_and_go_on, times=1)
    fill_in(form, alias=ALIAS)
    press_create(form)
    wait_until_ready(form, ALIAS)
    assert kept_in(form) == []


def second_discards(page: Page, address: str) -> None:
    page.goto(address)
    discard(page)
    expect(page.locator("#kept")).to_be_hidden()


def test_a_card_whose_copy_another_tab_discarded_says_so(
    form: Page, second_page: Page, address: str, relay: Recorder
) -> None:
    leave_unanswered(form, address)
    expect(form.get_by_role("button", name=f"Finish {ALIAS}")).to_be_visible()
    second_discards(second_page, address)
    sent = requests_of(relay)
    with no_download(form):
        type_password_again(form, ALIAS, PASSWORD)
        form.get_by_role("button", name=f"Finish {ALIAS}").click()
        expect(form.locator("#kept")).to_contain_text(f"The copy of {ALIAS}’s key is no longer in this browser")
    expect(form.get_by_role("button", name=f"Finish {ALIAS}")).to_have_count(0)
    assert (requests_of(relay), kept_in(form)) == (sent, [])
    assert not Credential.objects.exists()


def test_trying_again_without_the_copy_sends_nothing(form: Page, second_page: Page, address: str) -> None:
    form.route("**/add/generate/", lambda route: route.abort(), times=1)
    fill_in(form, alias=ALIAS)
    press_create(form)
    expect(form.locator("#interrupted")).to_be_visible(timeout=HANG_MILLISECONDS)
    second_discards(second_page, address)
    form.get_by_role("button", name="Try again").click()
    expect(form.locator("#form-alert")).to_contain_text("it was deleted in another tab")
    expect(form.get_by_label("Certificate alias")).to_have_value(ALIAS)
    assert not Credential.objects.exists()


def test_the_password_of_a_copy_stands_on_the_page_no_longer_than_it_is_needed(form: Page, address: str) -> None:
    leave_unanswered(form, address)
    type_password_again(form, ALIAS, PASSWORD)
    form.get_by_role("button", name=f"Finish {ALIAS}").click()
    wait_until_ready(form, ALIAS)
    typed = form.locator("input[type=password]").evaluate_all("(all) => all.map((one) => one.value)")
    assert typed == [""] * 3


# Certificates that have ended


def test_a_copy_of_a_revoked_certificate_can_only_be_discarded(
    form: Page, address: str, maker: User, made_in: Project
) -> None:
    credential = make_credential(made_in, alias=ALIAS, method=CredentialMethod.GENERATED_KEY)
    issued = credential_url("credential", credential)
    keep(form, copy_of(ALIAS, maker, made_in, id=str(credential.submission), issued=issued))
    form.get_by_role("button", name=f"Discard the copy of {ALIAS}").click()
    expect(form.get_by_role("dialog")).to_contain_text("If it is still live and the keystore is lost, revoke it there.")
    form.get_by_role("button", name="Keep it").click()
    end(credential)
    form.goto(address)
    expect(form.locator("#kept")).to_contain_text(f"{ALIAS} ended on")
    expect(form.get_by_role("button", name=f"Finish {ALIAS}")).to_have_count(0)
    form.get_by_role("button", name=f"Discard the copy of {ALIAS}").click()
    dialog = form.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{ALIAS} ended on")
    expect(dialog).not_to_contain_text("revoke it", use_inner_text=True)
    dialog.get_by_role("button", name="Discard the key").click()
    expect(form.locator("#kept")).to_be_hidden()
    assert kept_in(form) == []


def test_a_predecessor_that_ended_meanwhile_costs_one_more_click(form: Page, relay: Recorder, made_in: Project) -> None:
    old = make_credential(made_in, alias="old-one")
    form.goto(relay.address + page_url("generate_key", made_in, rotate=old.pk))
    expect(form.get_by_text("You are rotating old-one")).to_be_visible()
    end(old)
    fill_in(form, alias=ALIAS)
    press_create(form)
    alert = form.locator("#form-alert")
    expect(alert).to_contain_text("press “Create certificate” again", timeout=HANG_MILLISECONDS)
    expect(form.get_by_text("You are rotating old-one")).to_have_count(0)
    assert form.get_by_label("Keystore password", exact=True).input_value() == PASSWORD
    press_create(form)
    wait_until_ready(form, ALIAS)
    assert Credential.objects.get(alias=ALIAS).predecessor is None


# Access


def test_a_copy_of_a_deleted_project_can_be_discarded_elsewhere(form: Page, maker: User) -> None:
    gone = make_project(admin=maker, name="Gone")
    keep(form, copy_of("elsewhere", maker, gone, Environment.PRODUCTION))
    delete(gone)
    form.get_by_role("button", name="Discard the copy of elsewhere").click()
    dialog = form.get_by_role("dialog", name="Discard the key of elsewhere?")
    listed = dialog.get_by_role("link", name="list of certificates")
    expect(listed).to_have_attribute("href", page_url("credentials", gone, Environment.PRODUCTION))
    dialog.get_by_role("button", name="Discard the key").click()
    expect(form.locator("#kept")).to_be_hidden()
    assert kept_in(form) == []


@pytest.mark.parametrize("change", ["project deleted", "made a reader", "taken off the team"])
def test_who_lost_access_is_told_so_and_may_discard(form: Page, made_in: Project, change: str) -> None:
    lose_access(made_in, change)
    fill_in(form, alias=ALIAS)
    press_create(form)
    title = form.locator("#interrupted-title")
    expect(title).to_have_text("You cannot add certificates to this project now", timeout=HANG_MILLISECONDS)
    expect(form.locator("#interrupted-text")).to_contain_text("This request issued nothing.")
    form.locator("#interrupted").get_by_role("button", name="Discard the key").click()
    form.get_by_role("dialog").get_by_role("button", name="Discard the key").click()
    expect(form).to_have_url(re.compile(r"//[^/]+/(projects/)?$"))
    assert kept_in(form) == []


def lose_access(project: Project, change: str) -> None:
    if change == "project deleted":
        delete(project)
    elif change == "made a reader":
        Membership.objects.filter(project=project).update(role=Role.READ_ONLY)
    else:
        Membership.objects.filter(project=project).delete()


@pytest.mark.parametrize("change", ["project deleted", "made a reader"])
def test_where_the_portal_can_note_nothing_any_more_the_copy_can_be_deleted(
    form: Page, made_in: Project, change: str
) -> None:
    fill_in(form, alias=ALIAS)
    press_create(form)
    wait_until_ready(form, ALIAS)
    lose_access(made_in, change)
    form.get_by_role("button", name="The keystore is saved").click()
    expect(form.locator("#confirm-error")).to_contain_text("The project was deleted, you are no longer an admin of it")
    form.get_by_role("button", name="Delete the copy").click()
    form.get_by_role("dialog").get_by_role("button", name="Discard the key").click()
    expect(form.locator("#confirmed-text")).to_be_focused()
    assert kept_in(form) == []


def test_a_sign_in_that_was_renewed_in_another_tab_is_no_matter(
    form: Page, relay: Recorder, maker: User, browser_context: BrowserContext
) -> None:
    browser_context.clear_cookies()
    sign_in(browser_context, maker, relay.address)
    fill_in(form, alias=ALIAS)
    press_create(form)
    wait_until_ready(form, ALIAS)
    assert Credential.objects.get().alias == ALIAS


def test_a_browser_whose_cookies_are_refused_is_told_so(form: Page) -> None:
    form.route(
        "**/add/generate/",
        lambda route: (
            route.fulfill(status=403, content_type="text/html", body="<h1>Forbidden</h1>")
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    fill_in(form, alias=ALIAS)
    press_create(form)
    expect(form.locator("#interrupted-title")).to_have_text(
        "The portal refused this browser’s request", timeout=HANG_MILLISECONDS
    )
    expect(form.locator("#interrupted-text")).to_contain_text("Allow this site to set cookies")


# The panel on the certificate's page


def test_a_copy_stays_until_the_portal_has_noted_that_the_keystore_is_saved(
    form: Page, maker: User, made_in: Project, relay: Recorder
) -> None:
    credential = make_credential(made_in, alias=ALIAS, method=CredentialMethod.GENERATED_KEY)
    keep(form, copy_of(ALIAS, maker, made_in, id=str(credential.submission)))
    form.goto(relay.address + credential_url("credential", credential))
    expect(form.get_by_role("link", name=f"Finish {ALIAS}")).to_be_visible()
    Membership.objects.filter(project=made_in).update(role=Role.READ_ONLY)
    with form.expect_navigation():
        form.get_by_role("button", name="I have the keystore").click()
    expect(form.get_by_role("main")).to_contain_text("You are a read-only member")
    assert kept_in(form) == [ALIAS]
