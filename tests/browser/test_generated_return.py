"""A closed tab loses nothing: the key waits in the browser, encrypted; and where it is lost, another is made."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from connect.models import User
from portal.models import Credential, Project
from tests.browser.generating import (
    EVERYTHING_KEPT,
    HANG_MILLISECONDS,
    PASSWORD,
    Keystore,
    chain_of,
    confirm_saved,
    create,
    fill_in,
    finish,
    no_download,
    press_create,
    sign_in,
    type_password_again,
    wait_until_ready,
)
from tests.browser.recorder import Recorder
from tests.keystores.readers import read_with_keytool, read_with_openssl
from tests.portal.credential_pages import credential_url, page_url

ALIAS = "payouts"
SAVED = re.compile(r"Saved: ")


@pytest.fixture
def second_page(browser_context: BrowserContext) -> Page:
    """A new tab of the same browser."""
    return browser_context.new_page()


def opens(keystore: Keystore) -> bool:
    """Whether openssl and keytool find the site's certificate and its key in it."""
    chain = chain_of(Credential.objects.get(ended_at=None))
    read = [read(keystore.path, keystore.password) for read in (read_with_openssl, read_with_keytool)]
    return all(contents.key_matches and contents.chain == chain for contents in read)


def close_after_issue(form: Page, relay: Recorder, **typed: str) -> None:
    """Ask for a certificate and close the tab when the site has issued it and the page has not heard of it."""
    relay.hold = "POST "
    fill_in(form, alias=ALIAS, **typed)
    press_create(form)
    wait_in_page(form, relay.held.is_set)
    form.close(run_before_unload=False)
    relay.hold = ""
    assert Credential.objects.get().alias == ALIAS


def close_before_request(form: Page, relay: Recorder) -> None:
    """Ask for a certificate and close the tab before the request has come to the site."""
    relay.lose = "POST "
    fill_in(form, alias=ALIAS)
    press_create(form)
    wait_in_page(form, relay.lost.is_set)
    form.close(run_before_unload=False)
    relay.lose = ""
    assert not Credential.objects.exists()


def wait_in_page(page: Page, is_done: Callable[[], bool]) -> None:
    """Wait while the browser works: its events come only while Playwright waits itself."""
    for _ in range(HANG_MILLISECONDS // 50):
        if is_done():
            return
        page.wait_for_timeout(50)
    raise AssertionError("The request was not sent.")


@pytest.mark.parametrize("key_type", ["RSA 2048", "EC P-384"])
def test_a_tab_closed_after_the_issue_is_finished_on_return(
    form: Page, second_page: Page, relay: Recorder, made_in: Project, tmp_path: Path, key_type: str
) -> None:
    close_after_issue(form, relay, key_type=key_type)
    issued = chain_of(Credential.objects.get())
    posts = len([sent for sent in relay.requests if sent.method == "POST"])
    for wrong in (f"{PASSWORD}x", PASSWORD.strip(), PASSWORD.swapcase(), "x" * 12):
        second_page.goto(relay.address + page_url("generate_key", made_in))
        with no_download(second_page):
            type_password_again(second_page, ALIAS, wrong)
            second_page.get_by_role("button", name=f"Finish {ALIAS}").click()
            said = second_page.get_by_text("This is not the password")
            expect(said).to_be_visible(timeout=HANG_MILLISECONDS)
    assert len([sent for sent in relay.requests if sent.method == "POST"]) == posts
    keystore = finish(second_page, tmp_path, alias=ALIAS)
    assert opens(keystore)
    assert chain_of(Credential.objects.get()) == issued
    assert keystore.leaf == issued[0]


def test_a_tab_closed_before_the_request_is_finished_on_return(
    form: Page, second_page: Page, relay: Recorder, made_in: Project, tmp_path: Path
) -> None:
    close_before_request(form, relay)
    second_page.goto(relay.address + page_url("generate_key", made_in))
    keystore = finish(second_page, tmp_path, alias=ALIAS)
    assert opens(keystore)
    assert Credential.objects.get().alias == ALIAS


def test_a_finished_keystore_is_offered_again_until_it_is_said_to_be_saved(
    form: Page, relay: Recorder, made_in: Project, tmp_path: Path
) -> None:
    first = create(form, tmp_path, alias=ALIAS)
    with form.expect_download() as again:
        form.get_by_role("button", name="Download again").click()
    again.value.save_as(tmp_path / "again.p12")
    assert (tmp_path / "again.p12").read_bytes() == first.path.read_bytes()
    form.goto(relay.address + page_url("generate_key", made_in))
    second = finish(form, tmp_path, alias=ALIAS)
    assert opens(second)
    assert second.leaf == chain_of(Credential.objects.get())[0]
    confirm_saved(form)
    form.goto(relay.address + page_url("generate_key", made_in))
    expect(form.get_by_role("button", name="Create certificate")).to_be_enabled()
    expect(form.get_by_role("button", name=f"Finish {ALIAS}")).to_have_count(0)
    assert ALIAS not in str(form.evaluate(EVERYTHING_KEPT)["databases"])


def test_the_certificates_page_says_that_the_keystore_is_saved(form: Page, relay: Recorder, tmp_path: Path) -> None:
    create(form, tmp_path, alias=ALIAS)
    address = relay.address + credential_url("credential", Credential.objects.get())
    form.goto(address)
    expect(form.locator("#keystore")).to_contain_text("This browser still has the encrypted key.")
    form.get_by_role("link", name=f"Finish {ALIAS}").click()
    finish(form, tmp_path, alias=ALIAS)
    confirm_saved(form)
    form.goto(address)
    expect(form.get_by_role("main")).to_contain_text(SAVED)
    expect(form.locator("#keystore")).to_have_count(0)
    expect(form.get_by_role("link", name=f"Finish {ALIAS}")).to_have_count(0)


def test_a_copy_that_is_lost_is_revoked_and_made_again(
    form: Page, browser: Browser, relay: Recorder, maker: User, tmp_path: Path
) -> None:
    close_after_issue(form, relay)
    lost = Credential.objects.get()
    other_browser = browser.new_context()
    sign_in(other_browser, maker, relay.address)
    page = other_browser.new_page()
    page.goto(relay.address + credential_url("credential", lost))
    expect(page.locator("#keystore")).to_contain_text("nobody can recover the key")
    expect(page.get_by_role("link", name=f"Finish {ALIAS}")).to_be_hidden()
    page.locator("#keystore").get_by_role("link", name="Revoke and create again").click()
    page.get_by_label("Type REVOKE to confirm").fill("REVOKE")
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_label("Certificate alias")).to_have_value(ALIAS)
    keystore = create(page, tmp_path, alias=ALIAS)
    assert opens(keystore)
    lost.refresh_from_db()
    assert lost.ended_at is not None
    assert lost.certificate.revocation_reason in {"superseded", "cessationOfOperation"}
    live = Credential.objects.get(ended_at=None)
    assert (live.alias, live.pk != lost.pk) == (ALIAS, True)
    assert chain_of(live)[0] != chain_of(lost)[0]
    other_browser.close()


def test_a_copy_of_a_certificate_that_was_revoked_meanwhile_builds_no_keystore(
    form: Page, second_page: Page, relay: Recorder, made_in: Project
) -> None:
    close_after_issue(form, relay)
    second_page.goto(relay.address + page_url("generate_key", made_in))
    expect(second_page.get_by_role("button", name=f"Finish {ALIAS}")).to_be_visible()
    third_page = second_page.context.new_page()
    third_page.goto(relay.address + credential_url("credential_revoke", Credential.objects.get()))
    third_page.get_by_label("Type REVOKE to confirm").fill("REVOKE")
    third_page.get_by_role("button", name="Revoke", exact=True).click()
    expect(third_page.get_by_text(f"{ALIAS} was revoked.").first).to_be_visible()
    with no_download(second_page):
        type_password_again(second_page, ALIAS, PASSWORD)
        second_page.get_by_role("button", name=f"Finish {ALIAS}").click()
        expect(second_page.get_by_text(f"{ALIAS} has ended").first).to_be_visible(timeout=HANG_MILLISECONDS)
    assert ALIAS not in str(second_page.evaluate(EVERYTHING_KEPT)["databases"])
    assert Credential.objects.count() == 1


def test_an_answer_that_is_lost_is_asked_for_again(form: Page, tmp_path: Path) -> None:
    """The tab stays open, the network fails after the issue, and `Try again` gets the same certificate."""
    form.route("**/add/generate/", lambda route: route.fetch() and route.abort(), times=1)
    fill_in(form, alias=ALIAS)
    press_create(form)
    said = form.get_by_text("It is not known whether the certificate was issued")
    expect(said).to_be_visible(timeout=HANG_MILLISECONDS)
    issued = chain_of(Credential.objects.get())
    with form.expect_download(timeout=HANG_MILLISECONDS) as download:
        form.get_by_role("button", name="Try again").click()
        wait_until_ready(form, ALIAS)
    path = tmp_path / "payouts.p12"
    download.value.save_as(path)
    assert Keystore(path, PASSWORD).leaf == issued[0]
    assert chain_of(Credential.objects.get()) == issued
