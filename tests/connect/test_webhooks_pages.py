"""The pages about webhooks: the same for a project and a company, a secret that is shown once, and who may."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect.models import Company, DeliveryState, User, Webhook, WebhookDelivery
from connect.webhooks.signing import opened
from portal.models import Project
from portal.projects import delete_project
from tests.connect.conftest import SignIn
from tests.connect.factories import grant_access, make_webhook, make_webhook_message, tell
from tests.factories import make_company, make_member, make_project
from tests.page_text import text_of

HERE = "/connect/company/webhooks/"
ADDRESS = "https://hooks.example.com/mtls?token=t0p"

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_sam(sam: User, sign_in: SignIn) -> Client:
    return sign_in(sam)


@pytest.fixture
def project(dora: User) -> Project:
    return make_project(admin=dora, name="Checkout API")


def secrets_in(page: str) -> list[str]:
    return sorted(set(re.findall(r"whsec_[A-Za-z0-9_-]{43}", page)))


class TestAdding:
    def test_the_secret_is_shown_once(self, acme: Company, as_sam: Client) -> None:
        response = as_sam.post(HERE, {"url": ADDRESS})
        webhook = Webhook.objects.get()
        assert (webhook.scope, webhook.url, webhook.created_by) == (str(acme.pk), ADDRESS, "sam@acme.example")
        assert secrets_in(response.content.decode()) == [opened(webhook.secret)]
        assert "no-store" in response["Cache-Control"]
        here = f"{HERE}{webhook.pk}/"
        for path in (HERE, here, f"{here}secret/", f"{here}end/"):
            page = as_sam.get(path).content.decode()
            assert secrets_in(page) == []
            assert "hooks.example.com" in page

    def test_a_reload_shows_no_second_secret(self, as_sam: Client) -> None:
        as_sam.post(HERE, {"url": ADDRESS})
        again = as_sam.post(HERE, {"url": ADDRESS})
        assert secrets_in(again.content.decode()) == []
        assert "There is a webhook with this address already." in text_of(again)
        assert Webhook.objects.count() == 1

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ("", "Type the address that messages go to"),
            ("http://hooks.example.com/", "Use https://."),
            ("https://10.0.0.1/", "10.0.0.1 is not a public address."),
            ("https://" + "a" * 600, "at most 500 characters"),
            ("https://hooks.example.com/\u202e", "another character"),
        ],
    )
    def test_what_is_refused_is_named_and_kept(self, as_sam: Client, typed: str, sentence: str) -> None:
        response = as_sam.post(HERE, {"url": typed})
        assert sentence in text_of(response)
        assert response.context["form"]["url"].value() == typed
        assert not Webhook.objects.exists()
        assert not AuditEvent.objects.filter(action__startswith="webhook").exists()

    def test_a_private_key_is_named_and_never_shown_again(self, as_sam: Client) -> None:
        key = "-----BEGIN PRIVATE KEY-----MC4CAQAwBQYDK2VwBCIEIAECAwQFBgcICQoLDA0ODw-----END PRIVATE KEY-----"
        response = as_sam.post(HERE, {"url": key})
        assert "MC4CAQAw" not in response.content.decode()
        assert not Webhook.objects.exists()


class TestWho:
    def test_security_officers_may(self, acme: Company, dora: User, sign_in: SignIn) -> None:
        assert sign_in(dora).get(HERE).status_code == 403
        grant_access(dora)
        assert sign_in(dora).get(HERE).status_code == 200

    def test_other_companies_webhooks_do_not_exist(self, as_sam: Client) -> None:
        foreign = make_webhook_message(make_company())
        for way in ("", "secret/", "end/", f"messages/{foreign.pk}/"):
            assert as_sam.get(f"{HERE}{foreign.webhook_id}/{way}").status_code == 404
        for way in ("secret/", "end/", "test/", f"messages/{foreign.pk}/replay/"):
            assert as_sam.post(f"{HERE}{foreign.webhook_id}/{way}").status_code == 404

    def test_a_projects_webhooks_are_its_admins_alone(
        self, project: Project, dora: User, as_sam: Client, sign_in: SignIn
    ) -> None:
        message = make_webhook_message(project.company, scope=str(project.pk))
        here = f"/projects/{project.pk}/webhooks/"
        one = f"{here}{message.webhook_id}/"
        assert sign_in(dora).get(one).status_code == 200
        assert sign_in(make_member(project)).get(one).status_code == 403
        assert as_sam.get(one).status_code == 404
        assert as_sam.get(f"{HERE}{message.webhook_id}/").status_code == 404, "it is none of the company's"
        other = make_project(admin=dora, name="Other")
        assert sign_in(dora).get(f"/projects/{other.pk}/webhooks/{message.webhook_id}/").status_code == 404

    def test_a_message_of_another_webhook_is_not_found(self, acme: Company, as_sam: Client) -> None:
        one, other = make_webhook_message(acme), make_webhook_message(acme, url="https://other.example/")
        assert as_sam.get(f"{HERE}{one.webhook_id}/messages/{one.pk}/").status_code == 200
        assert as_sam.get(f"{HERE}{one.webhook_id}/messages/{other.pk}/").status_code == 404
        assert as_sam.get(f"{HERE}{one.webhook_id}/?before={other.pk}").status_code == 404
        assert as_sam.get(f"{HERE}{one.webhook_id}/?before=nonsense").status_code == 404


class TestTheList:
    def test_it_tells_state_and_last_message(self, acme: Company, as_sam: Client) -> None:
        assert "None yet" not in text_of(as_sam.get(HERE))
        failing = make_webhook_message(acme, url="https://failing.example/")
        make_webhook(acme, "https://quiet.example/")
        text = text_of(as_sam.get(HERE))
        assert "https://quiet.example Live None yet" in text
        assert "https://failing.example Live Failed" in text
        WebhookDelivery.objects.filter(pk=failing.pk).update(state=DeliveryState.DUE)
        assert "https://failing.example Live Trying again" in text_of(as_sam.get(HERE))
        WebhookDelivery.objects.filter(pk=failing.pk).update(state=DeliveryState.SENT, sent_at=timezone.now())
        assert "https://failing.example Live Delivered" in text_of(as_sam.get(HERE))

    def test_paths_that_may_hold_tokens_are_on_the_webhooks_own_page_alone(self, acme: Company, as_sam: Client) -> None:
        webhook, _ = make_webhook(acme, f"{ADDRESS}-abcd")
        assert "t0p" not in as_sam.get(HERE).content.decode()
        assert "https://hooks.example.com/…abcd" in text_of(as_sam.get(HERE))
        assert "t0p" in as_sam.get(f"{HERE}{webhook.pk}/").content.decode()

    def test_many_webhooks_cost_no_more_queries(self, acme: Company, as_sam: Client) -> None:
        as_sam.get(HERE)
        counts = []
        for number in range(10):
            make_webhook_message(acme, url=f"https://{number}.example/")
            if number in (1, 9):
                with CaptureQueriesContext(connection) as queries:
                    as_sam.get(HERE)
                counts.append(len(queries))
        assert counts[0] == counts[1]


class TestOne:
    @pytest.fixture
    def message(self, acme: Company) -> WebhookDelivery:
        return make_webhook_message(acme)

    @pytest.fixture
    def here(self, message: WebhookDelivery) -> str:
        return f"{HERE}{message.webhook_id}/"

    def test_the_log_tells_what_came_of_each_message(
        self, acme: Company, as_sam: Client, message: WebhookDelivery, here: str
    ) -> None:
        text = text_of(as_sam.get(here))
        assert "Something happened test.happened Failed 503 The receiver answered 503. 12" in text
        next_try = timezone.now() + timedelta(hours=2)
        WebhookDelivery.objects.update(state=DeliveryState.DUE, attempts=3, due_at=next_try)
        text = text_of(as_sam.get(here))
        assert f"Trying again 503 The receiver answered 503. 3 {timezone.now():%-d %b %Y}" in text
        assert f"next try {next_try:%-d %b %Y, %H:%M} UTC" in text

    def test_the_filter(self, as_sam: Client, here: str) -> None:
        assert "Something happened" in text_of(as_sam.get(f"{here}?show=failed"))
        assert "No message is in this state." in text_of(as_sam.get(f"{here}?show=sent"))
        assert "Something happened" in text_of(as_sam.get(f"{here}?show=nonsense"))

    def test_pages_of_the_log(self, acme: Company, as_sam: Client, here: str) -> None:
        for number in range(60):
            tell(acme, subject=f"Number {number}.")
        WebhookDelivery.objects.update(state=DeliveryState.SENT, sent_at=timezone.now())
        seen: list[str] = []
        path: str | None = here
        while path:
            page = as_sam.get(path).content.decode()
            seen += re.findall(r"Number \d+\.(?=</a>)", page)
            older = re.search(r'href="([^"]*before=[^"]*)"', page)
            path = older[1].replace("&amp;", "&") if older else None
        assert seen == [f"Number {number}." for number in reversed(range(60))]

    def test_many_messages_cost_no_more_queries(self, acme: Company, as_sam: Client, here: str) -> None:
        as_sam.get(here)
        counts = []
        for count in (1, 18):
            for _ in range(count):
                tell(acme)
            with CaptureQueriesContext(connection) as queries:
                as_sam.get(here)
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_a_test_is_queued_and_the_page_asks_what_came_of_it(self, as_sam: Client, here: str) -> None:
        response = as_sam.post(f"{here}test/", follow=True)
        assert "A test is on its way." in text_of(response)
        assert "A test from mTLS Rehearsal webhook.test Due None yet 0" in text_of(response)
        asks = re.search(r'hx-get="([^"]+)"', response.content.decode())
        assert asks is not None
        part = asks[1].replace("&amp;", "&")
        assert as_sam.get(part, headers={"HX-Request": "true"}).status_code == 204
        WebhookDelivery.objects.filter(kind="webhook.test").update(state=DeliveryState.SENT, sent_at=timezone.now())
        changed = as_sam.get(part, headers={"HX-Request": "true"})
        assert "A test from mTLS Rehearsal webhook.test Delivered" in text_of(changed)
        assert "<html" not in changed.content.decode()
        assert "hx-get" not in changed.content.decode(), "nothing moves any more"

    def test_a_message_is_sent_again(self, as_sam: Client, message: WebhookDelivery, here: str) -> None:
        assert f"{here}messages/{message.pk}/replay/" in as_sam.get(here).content.decode()
        response = as_sam.post(f"{here}messages/{message.pk}/replay/", follow=True)
        assert "The message is on its way again." in text_of(response)
        assert WebhookDelivery.objects.filter(state=DeliveryState.DUE).count() == 1
        due = WebhookDelivery.objects.get(state=DeliveryState.DUE)
        assert "still due" in text_of(as_sam.post(f"{here}messages/{due.pk}/replay/", follow=True))

    def test_what_was_sent_and_what_came_back(
        self, acme: Company, as_sam: Client, message: WebhookDelivery, here: str
    ) -> None:
        text = text_of(as_sam.get(f"{here}messages/{message.pk}/"))
        assert f'"id": "{message.pk}"' in text
        assert "<h1>Service Unavailable</h1>" in text, "it is text, not markup"
        assert "The receiver answered 503." in text

    def test_hostile_texts_are_shown_as_they_are(self, acme: Company, as_sam: Client, here: str) -> None:
        tell(acme, subject="<script>alert(1)</script>\u202egnp")
        row = WebhookDelivery.objects.get(state=DeliveryState.DUE)
        WebhookDelivery.objects.update(answer="<script>alert(2)</script>\u202e\nsecond")
        for path in (here, f"{here}messages/{row.pk}/"):
            page = as_sam.get(path).content.decode()
            assert "<script>alert" not in page
            assert "\u202e" not in page

    def test_the_secret_is_replaced_after_asking(self, as_sam: Client, message: WebhookDelivery, here: str) -> None:
        before = bytes(message.webhook.secret)
        assert "Replace the secret" in text_of(as_sam.get(f"{here}secret/"))
        message.webhook.refresh_from_db()
        assert bytes(message.webhook.secret) == before
        page = as_sam.post(f"{here}secret/")
        message.webhook.refresh_from_db()
        assert secrets_in(page.content.decode()) == [opened(message.webhook.secret)]
        assert "no-store" in page["Cache-Control"]
        assert AuditEvent.objects.filter(action="webhook.secret-replaced", actor="sam@acme.example").count() == 1

    def test_it_is_ended_after_asking(self, as_sam: Client, message: WebhookDelivery, here: str) -> None:
        assert "This cannot be undone" in text_of(as_sam.get(f"{here}end/"))
        message.webhook.refresh_from_db()
        assert message.webhook.ended_at is None
        assert "has ended. Nothing is sent there any more." in text_of(as_sam.post(f"{here}end/", follow=True))
        assert "had ended before" in text_of(as_sam.post(f"{here}end/", follow=True))
        page = as_sam.get(here)
        assert "This webhook has ended." in text_of(page)
        for way in ("test/", "replay/", "secret/", "end/"):
            assert way not in page.content.decode()
        assert "This webhook has ended" in text_of(as_sam.post(f"{here}test/", follow=True))
        assert secrets_in(as_sam.post(f"{here}secret/").content.decode()) == []


def test_a_deleted_project_ends_its_webhooks(project: Project) -> None:
    message = make_webhook_message(project.company, scope=str(project.pk))
    other = make_webhook_message(project.company)
    delete_project(project, actor=Actor("dora@acme.example"), now=timezone.now())
    message.webhook.refresh_from_db()
    other.webhook.refresh_from_db()
    assert message.webhook.ended_at is not None
    assert other.webhook.ended_at is None


def test_activity_tells_what_was_done_with_webhooks(project: Project, dora: User, sign_in: SignIn) -> None:
    client, here = sign_in(dora), f"/projects/{project.pk}/webhooks/"
    client.post(here, {"url": ADDRESS})
    webhook = Webhook.objects.get()
    client.post(f"{here}{webhook.pk}/secret/")
    client.post(f"{here}{webhook.pk}/end/")
    page = client.get(f"/projects/{project.pk}/activity/")
    for sentence in ("Added the webhook", "Replaced the secret of the webhook", "Ended the webhook"):
        assert f"{sentence} https://hooks.example.com" in text_of(page)
    assert "t0p" not in page.content.decode()
