"""A certificate whose key a browser made: is its keystore saved? And the way on where it is lost."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority, RevocationReason
from connect.models import User
from portal import keystores, revocation
from portal.errors import NotAllowed
from portal.models import Credential, CredentialMethod, Environment, Project
from tests.factories import make_credential
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url, made_in_browser, page_url

QUESTION = "Is the keystore of payouts-2027 saved?"
JSON = {"Accept": "application/json"}
RIGHT = {"reason": "superseded", "confirmation": "REVOKE"}


@pytest.fixture
def credential(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="payouts-2027", method=CredentialMethod.GENERATED_KEY)


@pytest.fixture
def url(credential: Credential) -> str:
    return credential_url("keystore_saved", credential)


def again_url(credential: Credential) -> str:
    return credential_url("credential_revoke", credential) + "?again=1"


def end(credential: Credential) -> None:
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())


class TestPanel:
    def test_until_somebody_says_so_it_asks(self, as_alice: Client, credential: Credential, alice: User) -> None:
        page = as_alice.get(credential_url("credential", credential))
        text, body = text_of(page), page.content.decode()
        assert QUESTION in text
        assert "If it is lost, nobody can recover the key." in text
        assert "open this page there, under the same address, to finish." in text
        assert f'action="{credential_url("keystore_saved", credential)}"' in body
        assert again_url(credential) in body
        assert "Keystore Not confirmed yet" in text
        assert (
            f'id="keystore" aria-labelledby="keystore-title" data-submission="{credential.submission}" '
            f'data-user="{alice.pk}" data-now="{page.context["server_now"]}"'
        ) in body
        assert abs(page.context["server_now"] - timezone.now().timestamp() * 1000) < 60_000
        assert "no-store" in page.headers["Cache-Control"]

    def test_without_script_nothing_is_said_of_a_copy(self, as_alice: Client, credential: Credential) -> None:
        body = as_alice.get(credential_url("credential", credential)).content.decode()
        assert body.count("data-has-copy hidden>") == body.count("data-has-copy") == 2
        assert body.count("data-no-copy>") == 1
        assert "js/kept-copy" in body

    def test_a_reader_reads_it_and_can_press_nothing(self, as_bob: Client, credential: Credential) -> None:
        page = as_bob.get(credential_url("credential", credential))
        body = page.content.decode()
        assert QUESTION in text_of(page)
        assert "An admin of the project can say so, or revoke the certificate and create it again." in text_of(page)
        for word in ("I have the keystore", "?again=1", "data-submission", "js/kept-copy", str(credential.submission)):
            assert word not in body

    def test_other_certificates_have_none(self, as_alice: Client, project: Project, credential: Credential) -> None:
        other = make_credential(project, alias="own-key")
        page = as_alice.get(credential_url("credential", other))
        assert 'id="keystore"' not in page.content.decode()
        assert "Keystore" not in text_of(page).partition("Identifiers")[2]

    def test_once_it_has_ended_nobody_asks(self, as_alice: Client, credential: Credential) -> None:
        end(credential)
        text = text_of(as_alice.get(credential_url("credential", credential)))
        assert QUESTION not in text
        assert "Keystore Never confirmed" in text


class TestSaved:
    def test_it_is_noted_and_said(self, as_alice: Client, url: str, credential: Credential) -> None:
        page = as_alice.post(url, follow=True)
        assert page.redirect_chain == [(credential_url("credential", credential), 302)]
        credential.refresh_from_db()
        assert credential.keystore_saved_at is not None
        text = text_of(page)
        assert "It is noted that the keystore of payouts-2027 is saved." in text
        assert QUESTION not in text
        assert f"Keystore Saved: {credential.keystore_saved_at:%-d %b %Y, %H:%M} UTC. Lost since?" in text
        assert again_url(credential) in page.content.decode()

    def test_a_reader_sees_the_date_alone(self, as_alice: Client, as_bob: Client, url: str, project: Project) -> None:
        as_alice.post(url)
        page = as_bob.get(url.removesuffix("keystore-saved/"))
        assert "Keystore Saved: " in text_of(page)
        assert "Revoke and create again" not in text_of(page)

    def test_the_log_says_who_noted_it(self, as_alice: Client, url: str, credential: Credential) -> None:
        as_alice.post(url)
        event = AuditEvent.objects.get(action="credential.keystore-saved")
        assert (event.actor, event.address) == ("alice@acme.example", "127.0.0.1")
        assert event.object_id == str(credential.pk)
        sentence = "Noted that the keystore of payouts-2027 is saved"
        for page in (f"/projects/{credential.project_id}/activity/", credential_url("credential", credential)):
            assert sentence in text_of(as_alice.get(page))

    def test_a_script_is_answered_with_nothing(self, as_alice: Client, url: str, credential: Credential) -> None:
        response = as_alice.post(url, headers=JSON)
        assert (response.status_code, response.content) == (204, b"")
        until = f"{credential.certificate.not_after:%-d %B %Y}"
        text = text_of(as_alice.get(page_url("credentials", credential.project, new=credential.pk)))
        assert f"payouts-2027 was added. It expires on {until}. Next: put its keystore where your code finds it" in text

    def test_the_panel_is_answered_with_nothing_and_says_what_is_noted(
        self, as_alice: Client, url: str, credential: Credential
    ) -> None:
        assert as_alice.post(url, {"panel": "1"}, headers=JSON).status_code == 204
        text = text_of(as_alice.get(credential_url("credential", credential)))
        assert "It is noted that the keystore of payouts-2027 is saved." in text
        assert "was added" not in text.partition("History")[0]

    @pytest.mark.parametrize("headers", [{}, JSON])
    def test_of_one_that_has_ended_nothing_is_said_to_be_next(
        self, as_alice: Client, url: str, credential: Credential, headers: dict[str, str]
    ) -> None:
        end(credential)
        as_alice.post(url, headers=headers)
        text = text_of(as_alice.get(page_url("credentials", credential.project)))
        assert "It is noted that the keystore of payouts-2027 is saved. payouts-2027 ended on" in text
        assert "was added" not in text
        assert "Next:" not in text

    def test_after_a_rotation_the_next_page_says_how_to_go_on(self, as_alice: Client, credential: Credential) -> None:
        new = make_credential(
            credential.project, alias="new-one", method=CredentialMethod.GENERATED_KEY, predecessor=credential
        )
        as_alice.post(credential_url("keystore_saved", new), headers=JSON)
        text = text_of(as_alice.get(page_url("credentials", credential.project)))
        assert "Next: move your code over to its keystore. Once nothing uses payouts-2027 any more, revoke" in text

    @pytest.mark.parametrize("headers", [{}, JSON, {"Accept": "*/*"}, {"Accept": "text/html;q=x,"}, {"Accept": ""}])
    def test_said_again_it_is_no_news(
        self, as_alice: Client, url: str, credential: Credential, headers: dict[str, str]
    ) -> None:
        as_alice.post(url)
        credential.refresh_from_db()
        first = credential.keystore_saved_at
        response = as_alice.post(url, headers=headers)
        assert response.status_code == (204 if headers == JSON else 302)
        credential.refresh_from_db()
        assert credential.keystore_saved_at == first
        assert AuditEvent.objects.filter(action="credential.keystore-saved").count() == 1

    def test_only_keystores_of_browsers_are_noted(self, as_alice: Client, project: Project, url: str) -> None:
        other = make_credential(project, alias="own-key")
        assert as_alice.post(credential_url("keystore_saved", other)).status_code == 404
        with pytest.raises(NotAllowed, match="The key of own-key was not made in a browser"):
            keystores.mark_saved(other, actor=Actor("test"), now=timezone.now())
        other.refresh_from_db()
        assert other.keystore_saved_at is None
        missing = url.replace(url.split("/")[-3], str(uuid.uuid4()))
        assert as_alice.post(missing).status_code == 404

    def test_get_changes_nothing(self, as_alice: Client, url: str, credential: Credential) -> None:
        assert as_alice.get(url).status_code == 405
        credential.refresh_from_db()
        assert credential.keystore_saved_at is None

    def test_strangers_get_404_and_readers_403(
        self, as_charlie: Client, as_bob: Client, url: str, credential: Credential
    ) -> None:
        for client, status in ((as_charlie, 404), (as_bob, 403)):
            assert client.post(url, headers=JSON).status_code == client.post(url).status_code == status
        credential.refresh_from_db()
        assert credential.keystore_saved_at is None
        assert not AuditEvent.objects.filter(action="credential.keystore-saved").exists()


class TestRevokeAndCreateAgain:
    def test_it_says_what_follows(self, as_alice: Client, credential: Credential) -> None:
        page = as_alice.get(again_url(credential))
        text, body = text_of(page), page.content.decode()
        for sentence in (
            "Revoke and create again For a keystore that is lost",
            "payouts-2027",
            "This cannot be undone",
            "wherever a copy of its keystore is still in use",
            "Then the page “Generate a new private key” opens with the alias payouts-2027.",
            "A keystore that is lost and that nobody else has is no key compromise.",
            "Type REVOKE to confirm",
        ):
            assert sentence in text
        assert "choose Rotate" not in text
        assert '<option value="superseded" selected>' in body
        assert f'action="{again_url(credential)}"' in body

    @pytest.mark.parametrize("environment", list(Environment))
    def test_it_revokes_and_leads_to_a_new_key_under_the_same_alias(
        self, as_alice: Client, credential: Credential, project: Project, environment: Environment
    ) -> None:
        old = make_credential(project, environment, alias="pay 1", method=CredentialMethod.GENERATED_KEY)
        page = as_alice.post(again_url(old), RIGHT, follow=True)
        target = page_url("generate_key", project, environment) + "?" + urlencode({"alias": old.alias})
        assert page.redirect_chain == [(target, 302)]
        assert "pay 1 was revoked. Its alias is free again" in text_of(page)
        assert page.context["alias"] == "pay 1"
        old.refresh_from_db()
        assert old.ended_at is not None
        assert old.certificate.revocation_reason == RevocationReason.SUPERSEDED
        if environment == Environment.SANDBOX:
            answer = as_alice.post(target, made_in_browser(project, alias="pay 1"))
            assert answer.status_code == 200, "the alias is free"

    def test_a_rotation_goes_on(self, as_alice: Client, credential: Credential, project: Project) -> None:
        old = make_credential(project, alias="old-one")
        new = make_credential(project, alias="new-one", method=CredentialMethod.GENERATED_KEY, predecessor=old)
        response = as_alice.post(again_url(new), RIGHT)
        assert response["Location"] == page_url("generate_key", project, alias="new-one", rotate=old.pk)
        assert "You are rotating old-one" in text_of(as_alice.get(response["Location"]))

    @pytest.mark.parametrize("word", ["", "revoke", "REVOKE "])
    def test_any_other_word_changes_nothing(self, as_alice: Client, credential: Credential, word: str) -> None:
        page = as_alice.post(again_url(credential), {**RIGHT, "confirmation": word})
        assert page.status_code == 200
        assert "Revoke and create again" in text_of(page)
        credential.refresh_from_db()
        assert credential.ended_at is None

    def test_once_it_has_ended_only_the_way_on_is_left(self, as_alice: Client, credential: Credential) -> None:
        end(credential)
        target = page_url("generate_key", credential.project, alias="payouts-2027")
        for page in (as_alice.get(again_url(credential)), as_alice.post(again_url(credential), RIGHT)):
            text = text_of(page)
            assert "payouts-2027 has ended already" in text
            assert "Create payouts-2027 again" in text
            assert f'href="{target}"' in page.content.decode()
        assert AuditEvent.objects.filter(action="credential.revoked").count() == 1

    def test_ones_own_key_is_only_revoked(self, as_alice: Client, project: Project, credential: Credential) -> None:
        other = make_credential(project, alias="own-key")
        assert "create again" not in text_of(as_alice.get(again_url(other)))
        response = as_alice.post(again_url(other), RIGHT)
        assert response["Location"] == page_url("credentials", project)

    @pytest.mark.parametrize("query", ["", "?again=", "?again=0", "?again=yes"])
    def test_without_the_word_in_the_address_it_is_only_revoked(
        self, as_alice: Client, credential: Credential, query: str
    ) -> None:
        response = as_alice.post(credential_url("credential_revoke", credential) + query, RIGHT)
        assert response["Location"] == page_url("credentials", credential.project)

    def test_strangers_get_404_and_readers_403(
        self, as_charlie: Client, as_bob: Client, credential: Credential
    ) -> None:
        for client, status in ((as_charlie, 404), (as_bob, 403)):
            url = again_url(credential)
            assert client.get(url).status_code == client.post(url, RIGHT).status_code == status
