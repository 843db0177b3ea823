"""A wrong clock in the device loses no key and keeps none for longer: the seven days go by the server's."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from connect.models import User
from portal.models import Credential, Project
from tests.browser.generating import fill_in, kept_in, press_create, wait_until_ready
from tests.browser.recorder import Recorder
from tests.browser.test_generate_key_kept import DAY, copy_of, keep, leave_unanswered
from tests.portal.credential_pages import page_url

# Only what a clock tells is moved; what is measured goes on as it is.
MOVE = """(() => {{ const tell = Date.now; Date.now = () => tell() + {milliseconds}; }})()"""
STAMPS = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("rehearsal-keys", 1);
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const asking = opening.result.transaction("copies").objectStore("copies").getAll();
    asking.onsuccess = () => { opening.result.close(); resolve(asking.result.map((copy) => copy.createdAt)); };
  };
})"""
MINUTE = 60_000


@pytest.fixture
def address(relay: Recorder, made_in: Project) -> str:
    return relay.address + page_url("generate_key", made_in)


def move_clock(page: Page, by: timedelta) -> None:
    page.add_init_script(MOVE.format(milliseconds=int(by.total_seconds() * 1000)))


def is_now(milliseconds: int) -> bool:
    return abs(milliseconds - time.time() * 1000) < MINUTE


@pytest.mark.parametrize("wrong", [-400 * DAY, 400 * DAY])
def test_a_wrong_clock_stamps_nothing(page: Page, address: str, maker: User, wrong: timedelta) -> None:
    move_clock(page, wrong)
    page.goto(address)
    leave_unanswered(page, address)
    expect(page.get_by_role("button", name="Finish payouts")).to_be_visible()
    (stamp,) = page.evaluate(STAMPS)
    assert is_now(stamp)


@pytest.mark.parametrize("wrong", [-400 * DAY, 400 * DAY])
def test_a_clock_that_was_set_meanwhile_purges_nothing(form: Page, address: str, wrong: timedelta) -> None:
    leave_unanswered(form, address)
    move_clock(form, wrong)
    form.goto(address)
    expect(form.get_by_role("button", name="Finish payouts")).to_be_visible()
    assert kept_in(form) == ["payouts"]


def test_a_clock_that_is_late_keeps_no_copy_longer(form: Page, maker: User, made_in: Project) -> None:
    move_clock(form, -30 * DAY)
    keep(form, copy_of("old", maker, made_in, age=8 * DAY))
    assert kept_in(form) == []


def test_a_copy_from_the_future_begins_its_seven_days_now(form: Page, maker: User, made_in: Project) -> None:
    keep(form, copy_of("early", maker, made_in, age=-30 * DAY))
    assert kept_in(form) == ["early"]
    (stamp,) = form.evaluate(STAMPS)
    assert is_now(stamp)


def test_the_unique_part_of_the_name_is_the_servers_time(page: Page, address: str) -> None:
    move_clock(page, 400 * DAY)
    page.goto(address)
    fill_in(page, alias="payouts")
    press_create(page)
    wait_until_ready(page, "payouts")
    unique, _, _ = Credential.objects.get().certificate.common_name.partition("-")
    assert len(unique) == 13
    assert is_now(int(unique))
