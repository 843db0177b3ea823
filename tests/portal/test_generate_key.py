"""`Generate a new private key`: the page, and what its script is answered."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.chains import issuers_of
from certauthority.models import Authority, RevocationReason
from connect.models import User
from portal import revocation
from portal.models import Credential, CredentialMethod, Environment, Project
from tests.factories import make_credential, make_csr
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url, made_in_browser, page_url

ENVIRONMENTS = pytest.mark.parametrize("environment", list(Environment))


@pytest.fixture
def url(authorities: dict[str, Authority], project: Project) -> str:
    return page_url("generate_key", project)


class TestPage:
    @ENVIRONMENTS
    def test_it_says_what_will_be_asked_for(
        self, as_alice: Client, authorities: dict[str, Authority], project: Project, environment: Environment
    ) -> None:
        page = as_alice.get(page_url("generate_key", project, environment))
        assert page.status_code == 200
        end = f"-Client-{environment.code}-123456"
        assert [(line["label"], line["value"]) for line in page.context["subject"]] == [
            ("C", "GB"),
            ("O", "Acme Payments Ltd"),
            ("OU", "Checkout API"),
            ("CN", f"<milliseconds>{end}"),
        ]
        assert json.loads(page.context["subject_json"]) == [
            ["C", "GB"],
            ["O", "Acme Payments Ltd"],
            ["OU", "Checkout API"],
            ["CN", end],
        ]
        assert f"<milliseconds>{end}" in text_of(page)

    def test_a_company_without_a_country_has_none_in_the_subject(
        self, as_alice: Client, url: str, project: Project
    ) -> None:
        project.company.country = ""
        project.company.save()
        assert [label for label, _ in json.loads(as_alice.get(url).context["subject_json"])] == ["O", "OU", "CN"]

    def test_it_names_the_kinds_of_keys_and_whose_page_it_is(self, as_alice: Client, url: str, alice: User) -> None:
        context = as_alice.get(url).context
        assert [label for _, label in context["key_types"]] == [
            "RSA 2048",
            "RSA 3072",
            "RSA 4096",
            "EC P-256",
            "EC P-384",
        ]
        assert context["user_key"] == str(alice.pk)

    def test_the_date_is_that_of_a_certificate_made_now(self, as_alice: Client, url: str, project: Project) -> None:
        shown = as_alice.get(url).context["valid_until"]
        credential = Credential.objects.get(pk=as_alice.post(url, made_in_browser(project)).json()["credential"]["id"])
        assert 0 <= (credential.certificate.not_after - shown).total_seconds() < 60

    @pytest.mark.parametrize(
        ("true", "untrue"),
        [
            ("The submission number Random; a repeated request makes no second certificate sent", "and nothing else"),
            ("each request of this page and its script that the browser lists", "each request since this page was"),
            ("The keystore was handed to this browser’s downloads.", "was downloaded to this device"),
            ("once the copy in this browser is deleted, nobody can make it again", "it cannot be made again"),
            ("another click makes another key and another subject", "cannot be put right on this page"),
        ],
    )
    def test_it_promises_no_more_than_it_knows(self, as_alice: Client, url: str, true: str, untrue: str) -> None:
        text = text_of(as_alice.get(url))
        assert true in text
        assert untrue not in text

    def test_the_months_are_those_of_the_settings(self, as_alice: Client, url: str, settings: Settings) -> None:
        settings.CLIENT_CERTIFICATE_MONTHS = 7
        assert ", 7 months" in text_of(as_alice.get(url))

    def test_it_brings_the_time_and_is_never_kept(self, as_alice: Client, url: str) -> None:
        page = as_alice.get(url)
        assert f'data-now="{page.context["server_now"]}"' in page.content.decode()
        assert abs(page.context["server_now"] - timezone.now().timestamp() * 1000) < 60_000
        assert "no-store" in page.headers["Cache-Control"]

    def test_it_knows_which_keys_are_of_no_use_any_more(self, as_alice: Client, url: str, project: Project) -> None:
        """Copies of them may wait in the browser: of these alone, and only while browsers keep them."""
        made = partial(make_credential, project, method=CredentialMethod.GENERATED_KEY)
        lost, old = made(alias="lost"), made(alias="old")
        for credential in (lost, old, make_credential(project, alias="by-csr")):
            revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())
        made(alias="live")
        made(Environment.PRODUCTION, alias="elsewhere")
        Credential.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=9))
        ended = json.loads(as_alice.get(url).context["ended_json"])
        assert list(ended) == [str(lost.submission)]
        assert "lost ended on" in ended[str(lost.submission)]

    @pytest.mark.parametrize(
        ("site", "said"),
        [
            (
                "https://portal.bank.test",
                'Open <a href="https://portal.bank.test{url}">https://portal.bank.test</a>, or',
            ),
            (
                "http://localhost:8000",
                'Open <a href="http://localhost:8000{url}">http://localhost:8000</a> on the comp',
            ),
            ("http://portal.bank.test", "Ask who runs this site for an address that begins with https://"),
        ],
    )
    def test_where_browsers_make_no_keys_it_leads_to_the_sites_own_address(
        self, as_alice: Client, url: str, settings: Settings, site: str, said: str
    ) -> None:
        settings.SITE_URL = site
        assert said.format(url=url) in as_alice.get(url).content.decode()

    def test_without_a_ca_it_still_opens(self, as_alice: Client, project: Project) -> None:
        page = as_alice.get(page_url("generate_key", project))
        assert page.status_code == 200
        assert page.context["valid_until"] is None

    @pytest.mark.parametrize(
        ("alias", "shown"),
        [("payouts 2027", "payouts 2027"), ("", ""), ("a/b", ""), ("x" * 65, ""), ("<b>", "")],
    )
    def test_a_good_alias_in_the_address_is_filled_in(self, as_alice: Client, url: str, alias: str, shown: str) -> None:
        page = as_alice.get(url, {"alias": alias})
        assert page.context["alias"] == shown

    def test_a_rotation_is_noted(self, as_alice: Client, url: str, project: Project) -> None:
        old = make_credential(project, alias="old-one")
        page = as_alice.get(url, {"rotate": str(old.pk)})
        assert page.context["upload_url"] == page_url("upload_csr", project, rotate=old.pk)
        assert "You are rotating old-one" in text_of(page)
        answer = as_alice.post(page_url("generate_key", project, rotate=old.pk), made_in_browser(project))
        assert Credential.objects.get(pk=answer.json()["credential"]["id"]).predecessor == old

    def test_where_the_predecessor_has_ended_the_page_opens_without_it(
        self, as_alice: Client, url: str, project: Project
    ) -> None:
        """A copy of a key may wait on this page, so it must open."""
        old = make_credential(project, alias="old-one")
        revocation.end(old, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())
        page = as_alice.get(url, {"rotate": str(old.pk)}, follow=True)
        assert page.redirect_chain == [(url, 302)]
        assert "old-one has ended, so there is nothing to rotate." in text_of(page)


class TestAnswer:
    @ENVIRONMENTS
    def test_it_brings_the_certificate_with_its_chain(
        self, as_alice: Client, authorities: dict[str, Authority], project: Project, environment: Environment
    ) -> None:
        form = made_in_browser(project, csr=make_csr(project, environment).decode(), alias="pay outs")
        response = as_alice.post(page_url("generate_key", project, environment), form)
        credential = Credential.objects.get()
        assert credential.method == CredentialMethod.GENERATED_KEY
        assert str(credential.submission) == form["submission"]
        assert credential.keystore_saved_at is None
        answer = response.json()
        assert set(answer) == {"credential", "certificates", "usage"}
        assert answer["credential"] == {
            "id": str(credential.pk),
            "alias": "pay outs",
            "file_name": "pay-outs",
            "url": credential_url("credential", credential),
            "list_url": page_url("credentials", project, environment, new=credential.pk),
            "saved_url": credential_url("keystore_saved", credential),
            "not_after": credential.certificate.not_after.isoformat(),
            "valid_until": f"{credential.certificate.not_after:%-d %B %Y}",
            "ended": None,
        }
        chain = [bytes(credential.certificate.der), *issuers_of(credential.certificate)]
        assert [base64.b64decode(text) for text in answer["certificates"]] == chain
        assert len(chain) == 3
        assert [set(line) for line in answer["usage"]] == [{"label", "text", "mark"}] * 7

    def test_it_is_json_that_nobody_keeps_or_guesses_at(self, as_alice: Client, url: str, project: Project) -> None:
        for form, status in ((made_in_browser(project), 200), ({}, 422)):
            response = as_alice.post(url, form)
            assert response.status_code == status
            assert response["Content-Type"] == "application/json"
            assert response["Cache-Control"] == "no-store"
            assert response["X-Content-Type-Options"] == "nosniff"

    def test_the_log_says_who_made_what_and_how(self, as_alice: Client, url: str, project: Project) -> None:
        as_alice.post(url, made_in_browser(project))
        event = AuditEvent.objects.get(action="credential.added")
        assert (event.actor, event.after["method"]) == ("alice@acme.example", "generated-key")
        text = text_of(as_alice.get(f"/projects/{project.pk}/activity/"))
        assert "Added by: Generate a new private key" in text
