"""The guided rotation on the pages: where it stands, for whom, and how it follows what happens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from certauthority.models import Authority, ReasonCode
from portal.models import Credential, Project
from tests.factories import let_expire, make_credential
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url, page_url
from tests.portal.rotation_calls import called, end

HTMX = {"HX-Request": "true"}
_STATE = re.compile(r'hx-get="([^"?]+)\?state=([0-9a-f.]+)"')


@pytest.fixture
def old(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="old-one")


@pytest.fixture
def new(old: Credential, project: Project) -> Credential:
    return make_credential(project, alias="new-one", predecessor=old)


class TestPages:
    def polled(self, page: Any) -> tuple[str, str]:
        found = _STATE.search(page.content.decode())
        assert found is not None
        return found.group(1), found.group(2)

    def test_it_stands_on_the_summary_and_on_both_certificates(
        self, as_alice: Client, project: Project, old: Credential, new: Credential
    ) -> None:
        for page in (f"/projects/{project.pk}/", credential_url("credential", old), credential_url("credential", new)):
            text = text_of(as_alice.get(page))
            assert "old-one to new-one" in text
            assert "1. Add: New certificate added" in text
            assert "2. Switch: Switch your code over" in text
            assert "3. Prove: Prove that nothing uses the old one" in text
            assert "4. Revoke: Revoke the old certificate" in text

    def test_the_summary_begins_one_for_what_expires_soon(
        self, as_alice: Client, as_bob: Client, project: Project, old: Credential
    ) -> None:
        url = f"/projects/{project.pk}/"
        assert "Rotate old-one" not in text_of(as_alice.get(url)).partition("Before Production")[0]
        let_expire(old, in_days=10)
        assert "No successor yet" in text_of(as_alice.get(url))
        for client, times in ((as_alice, 2), (as_bob, 0)):
            add = page_url("add_certificate", project, rotate=old.pk)
            assert client.get(url).content.decode().count(add) == times

    def test_readers_see_it_without_what_changes(self, as_bob: Client, old: Credential, new: Credential) -> None:
        called(new, 90)
        page = as_bob.get(credential_url("credential", new))
        assert "Safe to revoke the old certificate" in text_of(page)
        assert credential_url("credential_revoke", old) not in page.content.decode()

    @pytest.mark.parametrize("place", ["summary", "certificate"])
    def test_polling_answers_nothing_until_something_changed(
        self, as_bob: Client, project: Project, old: Credential, new: Credential, place: str
    ) -> None:
        page = f"/projects/{project.pk}/" if place == "summary" else credential_url("credential", new)
        url, state = self.polled(as_bob.get(page))
        assert as_bob.get(url, {"state": state}, headers=HTMX).status_code == 204
        called(new, 1)
        answer = as_bob.get(url, {"state": state}, headers=HTMX)
        assert answer.status_code == 200
        assert "First call with the new one" in text_of(answer)
        assert b"data-announce" in answer.content
        assert b"<main" not in answer.content
        assert as_bob.get(url, {"state": self.polled(answer)[1]}, headers=HTMX).status_code == 204
        end(old)
        answer = as_bob.get(url, {"state": state}, headers=HTMX)
        assert "The rotation is done" in text_of(answer)
        assert b"hx-get" not in answer.content

    def test_what_is_no_news_is_not_read_out(self, as_bob: Client, old: Credential, new: Credential) -> None:
        url, state = self.polled(as_bob.get(credential_url("credential", new)))
        called(new, 1, reason=ReasonCode.WRONG_ENVIRONMENT)
        answer = as_bob.get(url, {"state": state}, headers=HTMX)
        assert answer.status_code == 200
        assert b"data-announce" not in answer.content

    def test_without_htmx_the_parts_lead_to_their_pages(
        self, as_bob: Client, project: Project, new: Credential
    ) -> None:
        for part, page in (
            (f"/projects/{project.pk}/rotations/", f"/projects/{project.pk}/"),
            (credential_url("guide", new), credential_url("credential", new)),
        ):
            assert as_bob.get(part)["Location"] == page

    def test_strangers_get_no_part(self, as_charlie: Client, project: Project, new: Credential) -> None:
        for part in (f"/projects/{project.pk}/rotations/", credential_url("guide", new)):
            assert as_charlie.get(part, headers=HTMX).status_code == 404

    def test_without_rotations_nothing_is_asked_again(self, as_bob: Client, project: Project, old: Credential) -> None:
        for page in (f"/projects/{project.pk}/", credential_url("credential", old)):
            assert b"rotations/?state" not in as_bob.get(page).content
            assert b"guide/?state" not in as_bob.get(page).content
