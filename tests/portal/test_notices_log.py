"""The log on a project's page of notices: what was sent, failed and was skipped, and trying again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from connect.models import Channel, Notice, NoticeState, User
from portal.models import Project, Role
from tests.connect.factories import make_mail
from tests.factories import make_company, make_member, make_project, make_user
from tests.page_text import text_of


@pytest.fixture
def alice(db: None) -> User:
    return make_user(email="alice@acme.example", name="Alice Marlow", company=make_company(name="Acme Payments Ltd"))


@pytest.fixture
def project(alice: User) -> Project:
    return make_project(admin=alice, name="Checkout API")


@pytest.fixture
def page(alice: User, project: Project) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def url_of(project: Project, query: str = "") -> str:
    return reverse("portal:notices", args=[project.pk]) + query


def log_of(response: Any) -> list[str]:
    return [row.line.first.subject for row in response.context["log_rows"]]


def test_the_filter_is_in_the_address(page: Client, project: Project) -> None:
    for state in NoticeState:
        make_mail(str(project.pk), state, subject=f"It is {state}")
    make_mail(str(uuid4()), subject="Of another project")
    assert sorted(log_of(page.get(url_of(project)))) == ["It is due", "It is failed", "It is sent", "It is skipped"]
    for state in NoticeState:
        response = page.get(url_of(project, f"?show={state}"))
        assert log_of(response) == [f"It is {state}"]
        assert [chip.show for chip in response.context["chips"] if chip.is_chosen] == [state]
    counts = {chip.label: str(chip.count) for chip in page.get(url_of(project, "?show=odd")).context["chips"]}
    assert counts == {"All": "4", "Sent": "1", "Due": "1", "Failed": "1", "Skipped": "1"}


def test_an_event_is_one_line_with_its_people_and_what_became_of_each_mail(page: Client, project: Project) -> None:
    bob = make_user(name="Bob Tran", email="bob@acme.example")
    at = timezone.now()
    common = {"event": "one", "created_at": at, "subject": "payouts expires in 7 days"}
    make_mail(str(project.pk), NoticeState.SENT, recipient=bob, **common)
    make_mail(
        str(project.pk),
        NoticeState.FAILED,
        address="gone@acme.example",
        error="SMTPRecipientsRefused: 550 no such user",
        attempts=3,
        **common,
    )
    again = {"error": "ConnectionRefusedError: refused", "due_at": at + timedelta(minutes=5)}
    make_mail(str(project.pk), NoticeState.DUE, address="slow@acme.example", attempts=2, **again, **common)
    make_mail(str(project.pk), NoticeState.SKIPPED, address="z@acme.example", reason="Snoozed until 3 May.", **common)
    response = page.get(url_of(project))
    assert log_of(response) == ["payouts expires in 7 days"]
    text = text_of(response)
    assert "Bob Tran, gone@acme.example, slow@acme.example and 1 more" in text
    assert "1 failed 1 due 1 sent 1 skipped" in text
    assert "gone@acme.example: SMTPRecipientsRefused: 550 no such user given up after 3 attempts" in text
    assert f"2 attempts so far; next try {at + timedelta(minutes=5):%-d %b %Y, %H:%M} UTC" in text
    assert "Snoozed until 3 May." in text
    assert "4" not in [str(chip.count) for chip in response.context["chips"]]


def test_bells_are_not_counted_as_mails(page: Client, project: Project, alice: User) -> None:
    make_mail(str(project.pk), NoticeState.FAILED, event="one", recipient=alice)
    now = timezone.now()
    Notice.objects.create(
        event="one",
        kind="test",
        channel=Channel.BELL,
        address=alice.email,
        recipient=alice,
        subject="Something happened",
        state=NoticeState.SENT,
        created_at=now,
        due_at=now,
        sent_at=now,
        scope=str(project.pk),
    )
    counts = {chip.label: str(chip.count) for chip in page.get(url_of(project)).context["chips"]}
    assert (counts["Sent"], counts["Failed"]) == ("0", "1")


def test_admins_try_a_failed_mail_again(page: Client, project: Project) -> None:
    mails = [
        make_mail(str(project.pk), NoticeState.FAILED, event="one", address=f"{name}@acme.example", attempts=40)
        for name in ("a", "b")
    ]
    other = make_mail(str(project.pk), NoticeState.FAILED, event="two")
    again = reverse("portal:notice_retry", args=[project.pk, mails[0].pk])
    assert again in page.get(url_of(project)).content.decode()
    answer = page.post(again, follow=True)
    assert "2 mails will be tried again within a minute." in text_of(answer)
    for mail in mails:
        mail.refresh_from_db()
        assert (mail.state, mail.attempts) == (NoticeState.DUE, 0)
        assert mail.due_at <= timezone.now()
    other.refresh_from_db()
    assert other.state == NoticeState.FAILED
    event = AuditEvent.objects.get(action="notice.tried-again")
    assert (event.project, event.before) == (str(project.pk), {"failed": 2})
    assert "Nothing of it has failed any more." in text_of(page.post(again, follow=True))
    assert AuditEvent.objects.filter(action="notice.tried-again").count() == 1
    assert "Tried again to send “Something happened”" in text_of(
        page.get(reverse("portal:activity", args=[project.pk]))
    )


def test_nobody_else_tries_it_again(page: Client, project: Project) -> None:
    mail = make_mail(str(project.pk), NoticeState.FAILED)
    elsewhere = make_mail(str(make_project().pk), NoticeState.FAILED)
    again = reverse("portal:notice_retry", args=[project.pk, mail.pk])
    reader, stranger = Client(), Client()
    reader.force_login(make_member(project, Role.READ_ONLY))
    stranger.force_login(make_user())
    assert page.get(again).status_code == 405
    assert reader.post(again).status_code == 403
    assert "Try again" not in text_of(reader.get(url_of(project)))
    assert stranger.post(again).status_code == 404
    assert page.post(reverse("portal:notice_retry", args=[project.pk, elsewhere.pk])).status_code == 404
    assert set(Notice.objects.values_list("state", flat=True)) == {NoticeState.FAILED}


def test_the_log_goes_on_to_older_lines_without_gap_or_repeat(page: Client, project: Project) -> None:
    at = timezone.now()
    for number in range(60):
        # Three events of one moment, two mails each: a page ends in the middle of a moment.
        moment = at - timedelta(minutes=number // 3)
        for name in ("a", "b"):
            event = f"event-{number:02}"
            make_mail(str(project.pk), event=event, subject=event, created_at=moment, address=f"{name}@acme.example")
    seen, query, pages = [], "", 0
    while pages < 5:
        response = page.get(url_of(project, query))
        seen += log_of(response)
        pages += 1
        older = response.context["log"].older
        if older is None:
            break
        query = f"?before={older}"
    assert pages == 3
    assert seen == [f"event-{number:02}" for number in range(60)]


def test_a_place_in_the_log_that_is_none_is_not_found(page: Client, project: Project) -> None:
    elsewhere = make_mail(str(uuid4()))
    for place in (str(elsewhere.pk), str(uuid4()), "nonsense"):
        assert page.get(url_of(project, f"?before={place}")).status_code == 404


def test_hostile_names_stay_text(page: Client, project: Project) -> None:
    bad = "<script>alert(1)</script>\u202e"
    make_mail(str(project.pk), NoticeState.FAILED, subject=bad, error=bad, link="javascript:alert(1)")
    shown = page.get(url_of(project)).content.decode()
    assert "<script>alert(1)" not in shown
    assert "javascript:" not in shown
    assert "\u202e" not in shown
