"""`Send me a sample`: every kind of notice has one, it is complete, and it goes to nobody else."""

from __future__ import annotations

import re
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.conf import settings as site_settings
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.template import Context, Template
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisAway

from connect import samples, tasks
from connect.models import Channel, Company, DemoMail, Notice, User, WebhookDelivery
from connect.samples import SampleRefused, send_sample
from tests.connect.conftest import SignIn
from tests.connect.factories import move_clock
from tests.factories import make_member, make_project, make_user
from tests.page_text import text_of

pytestmark = pytest.mark.django_db
TEMPLATES = site_settings.BASE_DIR / "templates" / "notices"
KINDS = sorted(file.stem for file in TEMPLATES.glob("*.txt") if not file.stem.startswith("_"))
ONE = "portal.credential-added"
INVENTED = "The names, numbers and dates in it are invented."


@pytest.fixture
def missing_is_seen(settings: Settings) -> None:
    """What a template asks for and does not get is written out."""
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "OPTIONS": {**engine["OPTIONS"], "string_if_invalid": "MISSING %s"}}]


def mail_to(user: User) -> Notice:
    return Notice.objects.get(address=user.email, channel=Channel.MAIL)


def test_every_kind_of_notice_has_a_sample_in_text_and_html() -> None:
    assert sorted(kind.name for kind in samples.kinds()) == KINDS
    assert sorted(file.stem for file in TEMPLATES.glob("*.html") if "." in file.stem) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_is_complete_and_says_what_it_is(kind: str, dora: User, missing_is_seen: None) -> None:
    send_sample(kind, to=dora, now=timezone.now())
    mail, bell = mail_to(dora), Notice.objects.get(recipient=dora, channel=Channel.BELL)
    for notice in (mail, bell):
        assert notice.subject.startswith("[Sample] ")
        assert len(notice.subject) > len("[Sample] ") + 10
    for text in (mail.subject, mail.text, mail.html, bell.text):
        assert "MISSING" not in text
        assert "None" not in text.replace("Successor: None", "").replace(">None</dd>", "")
    assert mail.text.startswith("This is a sample that you asked for.")
    assert INVENTED in mail.html
    assert mail.subject in mail.html.replace("&#x27;", "'").replace("&amp;", "&")
    assert mail.link in mail.text
    assert resolve(mail.link).url_name


def test_each_press_sends_another_and_nobody_else_gets_one(dora: User, acme: Company) -> None:
    admin = make_user(company=acme)
    make_member(make_project(admin=admin))
    for _ in range(2):
        send_sample(ONE, to=dora, now=timezone.now())
    assert Notice.objects.filter(channel=Channel.MAIL).count() == 2
    assert set(Notice.objects.values_list("address", "scope")) == {(dora.email, "")}
    assert not WebhookDelivery.objects.exists()


def test_a_sample_is_delivered_like_a_notice_and_tells_of_one_clock_only(
    dora: User, acme: Company, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "connect.mailbox.MailboxBackend"
    move_clock(acme, timedelta(days=400))
    send_sample("connect.certificate-expires", to=dora, now=timezone.now())
    tasks.deliver_due_notices()
    mail = DemoMail.objects.get(address=dora.email)
    assert mail.subject == "[Sample] payouts-2026 (Production) expires in 30 days, and nothing replaces it"
    assert "The clock of your company is ahead" not in mail.text


def test_a_digest_s_sample_tells_of_one_clock_only(dora: User, acme: Company) -> None:
    move_clock(acme, timedelta(days=400))
    dora.refresh_from_db()
    send_sample("connect.digest", to=dora, now=timezone.now())
    sample = mail_to(dora)
    assert "expires in 30 days" in sample.text
    assert "clock is ahead" not in sample.text + sample.html


def test_a_person_has_so_many_an_hour(dora: User, sam: User, settings: Settings) -> None:
    settings.NOTICE_SAMPLES_AN_HOUR = 3
    for _ in range(3):
        send_sample(ONE, to=dora, now=timezone.now())
    with pytest.raises(SampleRefused, match="3 samples in an hour"):
        send_sample(ONE, to=dora, now=timezone.now())
    send_sample(ONE, to=sam, now=timezone.now())
    assert Notice.objects.filter(channel=Channel.MAIL).count() == 4


def test_without_a_count_none_is_sent(dora: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*arguments: object, **named: object) -> None:
        raise RedisAway("no answer")

    monkeypatch.setattr(cache, "incr", away)
    with pytest.raises(SampleRefused, match="Try again in a few minutes"):
        send_sample(ONE, to=dora, now=timezone.now())
    assert not Notice.objects.exists()


def said(response: object) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]  # of the test client


def test_the_button_sends_it_and_says_to_whom(dora: User, sign_in: SignIn) -> None:
    browser, address = sign_in(dora), reverse("connect:notice_sample")
    assert browser.get(address).status_code == HTTPStatus.METHOD_NOT_ALLOWED
    response = browser.post(address, {"kind": ONE})
    assert response["Location"] == reverse("connect:notice_settings")
    assert said(response) == [f"A sample is on its way to {dora.email}. It is in your bell, too."]
    assert mail_to(dora).kind == ONE


@pytest.mark.parametrize("kind", ["", "nothing", "portal.credential-added\x00", "x" * 10_000])
def test_an_unknown_kind_is_refused_in_words(dora: User, sign_in: SignIn, kind: str) -> None:
    response = sign_in(dora).post(reverse("connect:notice_sample"), {"kind": kind})
    assert response.status_code == HTTPStatus.FOUND
    assert said(response) == ["There is no such notice. Choose one of the list."]
    assert not Notice.objects.exists()


def test_who_is_not_signed_in_gets_none(client: Client) -> None:
    assert client.post(reverse("connect:notice_sample"), {"kind": ONE}).status_code == HTTPStatus.FOUND
    assert not Notice.objects.exists()


def test_the_list_has_a_button_for_each_kind() -> None:
    page = Template("{% load samples %}{% notice_samples %}").render(Context({"csrf_token": "x"}))
    assert [kind for kind in KINDS if f'value="{kind}"' not in page] == []
    assert page.count("<button") == len(KINDS)
    groups = ["Expiry", "Developers portal", "Key Management Portal", "Company and access", "Sign-in"]
    assert re.findall(r"<h3 [^>]*>([^<]*)</h3>", page) == groups


def test_the_settings_page_has_the_list(dora: User, sign_in: SignIn) -> None:
    assert "Send me a sample" in text_of(sign_in(dora).get(reverse("connect:notice_settings")))
