"""The keys that wait in a browser: which are offered, where, for how long, and what discarding one says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from connect.models import User
from portal.models import Credential, CredentialMethod, Environment, Project
from tests.browser.generating import HANG_MILLISECONDS, PASSWORD, fill_in, kept_in, press_create, type_password_again
from tests.browser.recorder import Recorder
from tests.factories import make_credential
from tests.portal.credential_pages import credential_url, page_url

KEEP = """(copies) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("rehearsal-keys", 1);
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const writing = opening.result.transaction("copies", "readwrite");
    for (const { age, ...copy } of copies) {
      const bytes = new Uint8Array([48, 0]);
      const createdAt = Date.now() - age;
      writing.objectStore("copies").put({ ...copy, spki: bytes, protectedKey: bytes, createdAt });
    }
    writing.oncomplete = () => { opening.result.close(); resolve(); };
    writing.onerror = () => reject(writing.error);
  };
})"""
DAY = timedelta(days=1)


@pytest.fixture
def address(relay: Recorder, made_in: Project) -> str:
    return relay.address + page_url("generate_key", made_in)


def copy_of(
    alias: str,
    user: User,
    project: Project,
    environment: Environment = Environment.SANDBOX,
    *,
    age: timedelta = DAY,
    **more: Any,
) -> dict[str, Any]:
    """What the page keeps, as it was so long ago."""
    return {
        "id": str(uuid4()),
        "user": str(user.pk),
        "address": page_url("generate_key", project, environment),
        "place": f"{project.pk}/{environment}",
        "alias": alias,
        "keyType": "ec-p256",
        "csr": "",
        "commonName": "1-Client-MTF-123456",
        "age": int(age.total_seconds() * 1000),
        **more,
    }


def keep(page: Page, *copies: dict[str, Any]) -> None:
    """Put copies into the browser and open the page anew."""
    expect(page.get_by_role("button", name="Create certificate")).to_be_enabled()
    page.evaluate(KEEP, list(copies))
    page.reload()
    expect(page.get_by_role("button", name="Create certificate")).to_be_enabled()


def leave_unanswered(page: Page, address: str) -> None:
    """Make a key whose request is lost, and come back."""
    page.route("**/add/generate/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    fill_in(page, alias="payouts")
    press_create(page)
    expect(page.locator("#interrupted")).to_be_visible(timeout=HANG_MILLISECONDS)
    page.unroute("**/add/generate/")
    page.goto(address)


def test_old_copies_and_those_of_others_are_purged(form: Page, maker: User, made_in: Project) -> None:
    keep(
        form,
        copy_of("fresh", maker, made_in, age=7 * DAY - timedelta(hours=1)),
        copy_of("old", maker, made_in, age=7 * DAY + timedelta(hours=1)),
        {**copy_of("foreign", maker, made_in), "user": "0"},
    )
    assert kept_in(form) == ["fresh"]
    expect(form.locator("#kept > *")).to_have_count(1)
    expect(form.get_by_role("button", name="Finish fresh")).to_be_visible()


def test_a_copy_of_another_place_is_finished_there(form: Page, maker: User, made_in: Project, relay: Recorder) -> None:
    keep(form, copy_of("elsewhere", maker, made_in, Environment.PRODUCTION))
    expect(form.get_by_role("button", name="Finish elsewhere")).to_have_count(0)
    form.get_by_role("link", name="Finish elsewhere there").click()
    expect(form).to_have_url(relay.address + page_url("generate_key", made_in, Environment.PRODUCTION))
    expect(form.get_by_role("button", name="Finish elsewhere")).to_be_visible()


def test_wrong_passwords_are_said_and_send_nothing(form: Page, address: str, relay: Recorder) -> None:
    leave_unanswered(form, address)
    sent = len([one for one in relay.requests if one.method == "POST"])
    for wrong, sentence in (("", "Type the password that you gave"), (PASSWORD + "x", "This is not the password of")):
        type_password_again(form, "payouts", wrong)
        form.get_by_role("button", name="Finish payouts").click()
        field = form.get_by_label("Keystore password of payouts")
        expect(form.locator("#kept .errors")).to_contain_text(sentence)
        expect(field).to_have_attribute("aria-invalid", "true")
    assert len([one for one in relay.requests if one.method == "POST"]) == sent
    assert kept_in(form) == ["payouts"]


def test_a_damaged_copy_is_said_to_be_damaged(page: Page, address: str, maker: User, made_in: Project) -> None:
    page.goto(address)
    keep(page, copy_of("broken", maker, made_in))
    page.evaluate("addEventListener('error', (event) => event.preventDefault())")
    type_password_again(page, "broken", PASSWORD)
    page.get_by_role("button", name="Finish broken").click()
    expect(page.locator("#kept .errors")).to_contain_text("The kept copy is damaged")


def test_discarding_asks_first_and_says_that_the_outcome_is_unknown(form: Page, address: str) -> None:
    leave_unanswered(form, address)
    form.get_by_role("button", name="Discard the copy of payouts").click()
    dialog = form.get_by_role("dialog", name="Discard the key of payouts?")
    expect(dialog).to_contain_text("does not know whether the certificate was issued")
    expect(dialog.get_by_role("link", name="list of certificates")).to_be_visible()
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    form.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    form.get_by_role("button", name="Discard the copy of payouts").click()
    dialog.get_by_role("button", name="Keep it").click()
    assert kept_in(form) == ["payouts"]
    form.get_by_role("button", name="Discard the copy of payouts").click()
    dialog.get_by_role("button", name="Discard the key").click()
    expect(form.locator("#kept")).to_be_hidden()
    assert kept_in(form) == []


def test_discarding_leads_to_a_certificate_that_was_issued(form: Page, maker: User, made_in: Project) -> None:
    credential = make_credential(made_in, alias="payouts")
    issued = credential_url("credential", credential)
    keep(form, copy_of("payouts", maker, made_in, issued=issued))
    form.get_by_role("button", name="Discard the copy of payouts").click()
    dialog = form.get_by_role("dialog")
    expect(dialog).not_to_contain_text("does not know", use_inner_text=True)
    dialog.get_by_role("link", name="open payouts").click()
    expect(form.get_by_role("heading", level=1)).to_have_text("payouts")


def test_a_kept_request_that_is_refused_comes_back_as_a_form(form: Page, address: str, made_in: Project) -> None:
    leave_unanswered(form, address)
    make_credential(made_in, alias="payouts")
    type_password_again(form, "payouts", PASSWORD)
    form.get_by_role("button", name="Finish payouts").click()
    expect(form.locator("#alias-error")).to_be_visible(timeout=HANG_MILLISECONDS)
    assert form.get_by_label("Certificate alias").input_value() == "payouts"
    expect(form.locator("#kept")).to_be_hidden()
    assert kept_in(form) == []
    assert Credential.objects.count() == 1


def test_the_certificates_page_knows_whether_the_copy_is_here(
    form: Page, maker: User, made_in: Project, relay: Recorder
) -> None:
    credential = make_credential(made_in, alias="payouts", method=CredentialMethod.GENERATED_KEY)
    keep(form, copy_of("payouts", maker, made_in, id=str(credential.submission)))
    form.goto(relay.address + credential_url("credential", credential))
    panel = form.locator("#keystore")
    expect(panel.locator("[data-no-copy]")).to_be_hidden()
    panel.get_by_role("link", name="Finish payouts").click()
    form.get_by_role("button", name="Discard the copy of payouts").click()
    form.get_by_role("button", name="Discard the key").click()
    expect(form.locator("#kept")).to_be_hidden()
    form.goto(relay.address + credential_url("credential", credential))
    expect(panel.locator("[data-no-copy]")).to_be_visible()
    expect(panel.get_by_role("link", name="Finish payouts")).to_be_hidden()


def test_who_has_the_keystore_needs_the_copy_no_more(
    form: Page, maker: User, made_in: Project, relay: Recorder
) -> None:
    credential = make_credential(made_in, alias="payouts", method=CredentialMethod.GENERATED_KEY)
    keep(form, copy_of("payouts", maker, made_in, id=str(credential.submission)))
    form.goto(relay.address + credential_url("credential", credential))
    expect(form.get_by_role("link", name="Finish payouts")).to_be_visible()
    form.get_by_role("button", name="I have the keystore").click()
    expect(form.locator("#keystore")).to_have_count(0)
    assert kept_in(form) == []
    credential.refresh_from_db()
    assert credential.keystore_saved_at is not None
