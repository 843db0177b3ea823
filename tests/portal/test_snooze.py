"""`Snooze` on the page of a credential."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, RevocationReason
from portal import revocation
from portal.models import Credential, Project
from tests.connect.factories import move_clock
from tests.factories import let_expire, make_credential
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url


@pytest.fixture
def credential(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="payouts")


@pytest.fixture
def url(credential: Credential) -> str:
    return credential_url("credential_snooze", credential)


@pytest.fixture
def page(credential: Credential) -> str:
    return credential_url("credential", credential)


def in_days(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()


def until(credential: Credential) -> str:
    credential.refresh_from_db()
    return credential.snoozed_until.isoformat() if credential.snoozed_until else ""


def test_an_admin_snoozes_and_the_page_says_until_when_and_who(
    as_alice: Client, url: str, page: str, credential: Credential, project: Project
) -> None:
    assert "Snooze its notices" in text_of(as_alice.get(page))
    response = as_alice.post(url, {"until": in_days(9)}, follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert (until(credential), credential.snoozed_by) == (in_days(9), "alice@acme.example")
    text = text_of(response)
    day = timezone.now() + timedelta(days=9)
    assert f"payouts is snoozed until {day:%-d %B %Y}." in text
    assert "as alice@acme.example asked" in text
    assert f"Snoozed the notices of payouts until {in_days(9)}" in text
    assert f"Snoozed the notices of payouts until {in_days(9)}" in text_of(
        as_alice.get(reverse("portal:activity", args=[project.pk]))
    )


def test_wake_up_now_ends_it(as_alice: Client, url: str, page: str, credential: Credential) -> None:
    as_alice.post(url, {"until": in_days(9)})
    response = as_alice.post(url, {"wake": "1"}, follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert until(credential) == ""
    assert "payouts is awake." in text_of(response)
    assert "Snoozed until" not in text_of(response)


def test_the_day_can_be_changed(as_alice: Client, url: str, credential: Credential) -> None:
    as_alice.post(url, {"until": in_days(9)})
    as_alice.post(url, {"until": in_days(19)})
    assert until(credential) == in_days(19)


@pytest.mark.parametrize("typed", ["", "soon", "2020-01-01", "2999-01-01"])
def test_a_wrong_day_changes_nothing_and_stays_in_its_box(
    as_alice: Client, url: str, credential: Credential, typed: str
) -> None:
    response = as_alice.post(url, {"until": typed})
    assert response.status_code == 200
    assert 'aria-invalid="true"' in response.content.decode()
    assert not typed or f'value="{typed}"' in response.content.decode()
    assert until(credential) == ""


def test_reading_the_form_changes_nothing(as_alice: Client, url: str, credential: Credential) -> None:
    response = as_alice.get(url, {"until": in_days(9)})
    assert "Until when?" in text_of(response)
    assert until(credential) == ""


def test_a_reader_sees_it_and_cannot_change_it(
    as_alice: Client, as_bob: Client, url: str, page: str, credential: Credential
) -> None:
    assert "Snooze its notices" not in text_of(as_bob.get(page))
    assert as_bob.post(url, {"until": in_days(9)}).status_code == 403
    assert until(credential) == ""
    as_alice.post(url, {"until": in_days(9)})
    text = text_of(as_bob.get(page))
    assert "as alice@acme.example asked" in text
    assert "Wake up now" not in text
    assert as_bob.post(url, {"wake": "1"}).status_code == 403
    assert until(credential) == in_days(9)


def test_a_stranger_finds_nothing(as_charlie: Client, url: str, credential: Credential) -> None:
    assert as_charlie.get(url).status_code == 404
    assert as_charlie.post(url, {"until": in_days(9)}).status_code == 404
    assert until(credential) == ""


def test_what_has_ended_is_only_told_about(as_alice: Client, url: str, page: str, credential: Credential) -> None:
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("factory"), now=timezone.now())
    response = as_alice.post(url, {"until": in_days(9)}, follow=True)
    assert response.redirect_chain == [(page, 302)]
    assert "payouts has ended." in text_of(response)
    assert "Snooze its notices" not in text_of(response)
    assert until(credential) == ""


def test_after_the_last_notice_the_page_offers_no_snooze(
    as_alice: Client, url: str, page: str, credential: Credential
) -> None:
    let_expire(credential, in_days=-8)
    assert "Snooze its notices" not in text_of(as_alice.get(page))
    assert "No further notice about payouts will come" in text_of(as_alice.get(url))


def test_a_silence_that_is_over_by_the_companys_clock_is_over(
    as_alice: Client, url: str, page: str, credential: Credential
) -> None:
    as_alice.post(url, {"until": in_days(9)})
    move_clock(credential.project.company, timedelta(days=8))
    assert "Snoozed until" in text_of(as_alice.get(page))
    move_clock(credential.project.company, timedelta(days=1))
    assert "Snoozed until" not in text_of(as_alice.get(page))
