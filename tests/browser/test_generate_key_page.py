"""The page `Generate a new private key`: what is typed, while it runs, and that it works by keyboard alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Dialog, Page, expect

from portal.models import Credential
from tests.browser.generating import ALIAS, PASSWORD, fill_in, kept_in, press_create, requests_of, wait_until_ready
from tests.browser.recorder import Recorder

# What is typed


def test_the_first_wrong_field_is_led_to_and_all_say_what_is_wrong(form: Page, relay: Recorder) -> None:
    press_create(form)
    alias, password = form.locator("#alias"), form.locator("#keystore-password")
    expect(alias).to_be_focused()
    for field, sentence in ((alias, "Give the certificate an alias."), (password, "Choose a keystore password.")):
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(re.escape(sentence)))
    assert requests_of(relay) == 0


@pytest.mark.parametrize(
    ("alias", "password", "repeated", "field", "sentence"),
    [
        ("pay/outs", PASSWORD, PASSWORD, "alias", "Leave out everything else."),
        (ALIAS, "elevenchars", "elevenchars", "keystore-password", "Use at least 12 characters"),
        (ALIAS, "pâssword-of-mine", "pâssword-of-mine", "keystore-password", "Java cannot open"),
        (ALIAS, PASSWORD, "", "repeated-password", "Type the keystore password again."),
        (ALIAS, PASSWORD, PASSWORD + "x", "repeated-password", "The two passwords differ."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    form: Page, relay: Recorder, alias: str, password: str, repeated: str, field: str, sentence: str
) -> None:
    fill_in(form, alias=alias, key_type="EC P-384", password=password)
    form.get_by_label("Repeat the keystore password").fill(repeated)
    press_create(form)
    expect(form.locator(f"#{field}")).to_be_focused()
    expect(form.locator("[aria-invalid]")).to_have_count(1)
    expect(form.locator(f"#{field}-error")).to_contain_text(sentence)
    typed = {"alias": alias, "keystore-password": password, "repeated-password": repeated, "key-type": "ec-p384"}
    assert {name: form.locator(f"#{name}").input_value() for name in typed} == typed
    assert (requests_of(relay), kept_in(form)) == (0, [])


def test_a_password_that_is_too_long_is_refused_and_not_cut(form: Page, relay: Recorder) -> None:
    fill_in(form, alias=ALIAS)
    for label in ("Keystore password", "Repeat the keystore password"):
        form.get_by_label(label, exact=True).fill("")
        form.keyboard.insert_text("x" * 1001)
        assert len(form.get_by_label(label, exact=True).input_value()) == 1001
    press_create(form)
    expect(form.locator("#keystore-password-error")).to_contain_text("1,000 characters")
    assert (requests_of(relay), kept_in(form)) == (0, [])


def test_a_weak_password_that_keeps_the_rules_is_no_obstacle(form: Page) -> None:
    weak = "a" * 12
    form.get_by_label("Keystore password", exact=True).fill(weak)
    expect(form.locator("#strength small")).to_contain_text("Very weak.")
    fill_in(form, alias=ALIAS, password="aaaaaaaaaaaa")
    press_create(form)
    wait_until_ready(form, ALIAS)


def test_passwords_are_shown_and_hidden_on_request(form: Page) -> None:
    show = form.get_by_role("button", name="Show the passwords")
    inputs = form.locator("#keystore-password, #repeated-password")
    for shown in ("true", "false"):
        show.click()
        expect(show).to_have_attribute("aria-pressed", shown)
        kinds = inputs.evaluate_all("(inputs) => inputs.map((input) => input.type)")
        assert kinds == [{"true": "text", "false": "password"}[shown]] * 2


def test_a_suggested_password_stands_in_both_fields_and_can_be_copied(form: Page) -> None:
    form.get_by_role("button", name="Suggest one").click()
    suggested = form.get_by_label("Keystore password", exact=True).input_value()
    assert len(suggested) == 24
    assert form.get_by_label("Repeat the keystore password").input_value() == suggested
    expect(form.get_by_label("Keystore password", exact=True)).to_have_attribute("type", "text")
    expect(form.locator("#strength small")).to_have_text("Strong.")
    form.get_by_role("button", name="Copy the keystore password").click()
    expect(form.locator("#announcer")).to_have_text("Copied the keystore password.")
    assert form.evaluate("navigator.clipboard.readText()") == suggested
    form.get_by_role("button", name="Suggest one").click()
    assert form.get_by_label("Keystore password", exact=True).input_value() != suggested


def test_the_password_fields_can_be_sent_by_no_browser(form: Page) -> None:
    for field in form.locator("input[type=password]").all():
        assert field.get_attribute("name") is None
    expect(form.locator("#generate-form")).to_have_attribute("method", "dialog")


def test_the_shown_common_name_is_the_one_of_the_click(form: Page) -> None:
    pattern = re.compile(r"\d{13}-Client-MTF-123456")
    expect(form.locator("#common-name")).to_have_text(pattern)
    before = form.locator("#common-name").inner_text()
    fill_in(form, alias=ALIAS)
    press_create(form)
    wait_until_ready(form, ALIAS)
    shown = form.locator("#common-name").inner_text()
    assert shown > before
    assert Credential.objects.get().certificate.common_name == shown


def test_the_keyboard_is_enough(form: Page) -> None:
    expect(form.get_by_label("Certificate alias")).to_be_enabled()
    form.get_by_label("Certificate alias").focus()
    form.keyboard.type(ALIAS)
    form.keyboard.press("Tab")
    expect(form.get_by_role("button", name="Suggest one")).to_be_focused()
    form.keyboard.press("Enter")
    expect(form.get_by_label("Keystore password", exact=True)).to_be_focused()
    form.keyboard.press("Enter")
    wait_until_ready(form, ALIAS)
    expect(form.locator("#finished-title")).to_be_focused()
    form.get_by_role("radio", name="curl").focus()
    form.keyboard.press("ArrowRight")
    expect(form.get_by_role("radio", name="Python", exact=True)).to_be_checked()
    expect(form.locator("#usage pre:visible")).to_contain_text("payouts-private-key.key")
    form.locator("#usage .panel:visible button").focus()
    form.keyboard.press("Enter")
    expect(form.locator("#announcer")).to_have_text("Copied the Python command.")
    copied = form.evaluate("navigator.clipboard.readText()")
    assert copied == form.locator("#usage pre:visible").text_content()


# While it runs


def test_the_step_is_said_in_one_line_and_leaving_asks_first(form: Page, relay: Recorder) -> None:
    relay.lose = "POST "
    fill_in(form, alias=ALIAS)
    press_create(form)
    expect(form.locator("#progress").get_by_role("status")).to_have_text("Requesting certificate")
    expect(form.locator("#progress").get_by_role("progressbar")).not_to_have_attribute("value", re.compile(".*"))
    expect(form.locator("#steps [aria-current=step]")).to_contain_text("Requesting certificate")
    done = form.locator("#steps li.ok")
    assert [line.split("\n")[0] for line in done.all_inner_texts()] == [
        "Generating key",
        "Signing request",
        "Protecting key",
    ]
    assert all(re.search(r"\d s$", line) for line in done.all_inner_texts())
    assert kept_in(form) == [ALIAS]
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    form.once("dialog", stay)
    with form.expect_event("dialog"):
        form.close(run_before_unload=True)
    form.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    assert not form.is_closed()


def test_leaving_asks_nothing_before_and_after(form: Page) -> None:
    form.on("dialog", lambda dialog: pytest.fail(dialog.message))
    fill_in(form, alias=ALIAS)
    form.reload()
    fill_in(form, alias=ALIAS)
    press_create(form)
    wait_until_ready(form, ALIAS)
    form.reload()
    expect(form.get_by_role("button", name=f"Finish {ALIAS}")).to_be_visible()
