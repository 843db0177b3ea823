"""When a mail about a certificate’s end leaves: by what has happened since it was stored, and why it may stay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from audit.events import Actor
from certauthority.models import RevocationReason
from connect import delivery
from connect.delivery import Outcome
from connect.expiry.mail import ENDED, NOT_CONCERNED, RUN_OVER
from connect.models import Company, Notice, NoticeState, User
from portal.models import Credential, Environment, Membership, Role
from portal.projects import delete_project
from portal.revocation import end
from tests.connect.expiring import before_end
from tests.connect.expiry_mails import ALICE, delivered, html_of, lifetime, stored_notice, succeed, url, use
from tests.connect.factories import move_clock
from tests.factories import make_credential, make_member, make_project, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("authorities")]


@pytest.fixture(autouse=True)
def _outbox(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def alice(acme: Company) -> User:
    return make_user(email=ALICE, name="Alice Marlow", company=acme)


@pytest.fixture
def credential(alice: User) -> Credential:
    return make_credential(make_project(admin=alice, name="Checkout API"), Environment.PRODUCTION, alias="payouts-2026")


def test_a_real_notice_tells_of_one_clock_though_the_company_s_was_moved_before_it_went_out(
    credential: Credential,
) -> None:
    now = before_end(credential, days=30)
    use(credential, now)
    notice = stored_notice(lifetime(credential), ALICE, threshold=30, now=now)
    move_clock(credential.project.company, timedelta(days=100))
    sent = delivered(notice, now=now + timedelta(minutes=1))
    assert "expires in 30 days" in sent.subject
    for text in (str(sent.body), html_of(sent)):
        assert "clock of your company" not in text
        assert "(real time)" not in text


def test_a_mail_tells_of_its_own_threshold_though_the_clock_was_moved_on(credential: Credential) -> None:
    now, company = timezone.now(), credential.project.company
    move_clock(company, before_end(credential, days=30) - now)
    notice = stored_notice(lifetime(credential), ALICE, threshold=30, now=now)
    move_clock(company, timedelta(days=16))
    assert "expires in 30 days" in delivered(notice, now=now + timedelta(seconds=5)).subject


def test_a_mail_that_waited_for_the_mail_server_tells_the_days_that_are_left_by_then(credential: Credential) -> None:
    now = before_end(credential, days=3)
    notice = stored_notice(lifetime(credential), ALICE, threshold=3, now=now)
    assert "expires in 2 days" in delivered(notice, now=now + timedelta(days=1)).subject
    assert "expires in 2 days" in notice.subject, "it is kept as it was sent"


def revoked(credential: Credential) -> str:
    end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("alice"), now=timezone.now())
    return ENDED


def of_a_deleted_project(credential: Credential) -> str:
    delete_project(credential.project, actor=Actor("alice"), now=timezone.now())
    return ENDED


def snoozed(credential: Credential) -> str:
    Credential.objects.filter(pk=credential.pk).update(snoozed_until=date(9999, 1, 1), snoozed_by=ALICE)
    return f"Snoozed until 1 January 9999 by {ALICE}."


def replaced_and_unused(credential: Credential) -> str:
    succeed(credential)
    return "payouts-2027 has replaced it, and it has not been used since."


def no_admin_any_more(credential: Credential) -> str:
    make_member(credential.project, Role.ADMIN)
    Membership.objects.filter(project=credential.project, user__email=ALICE).delete()
    return NOT_CONCERNED


def after_the_run(credential: Credential) -> str:
    Notice.objects.update(clock_run=uuid4())
    return RUN_OVER


@pytest.mark.parametrize(
    "happens", [revoked, of_a_deleted_project, snoozed, replaced_and_unused, no_admin_any_more, after_the_run]
)
def test_what_has_happened_before_the_mail_leaves_silences_it(
    credential: Credential, happens: Callable[[Credential], str]
) -> None:
    now = before_end(credential, days=30)
    notice = stored_notice(lifetime(credential), ALICE, threshold=30, now=now)
    reason = happens(credential)
    assert delivery.deliver(notice.pk, now=now) is Outcome.SKIPPED
    notice.refresh_from_db()
    assert (notice.state, notice.reason, notice.sent_at) == (NoticeState.SKIPPED, reason, None)
    assert not mail.outbox
    assert delivery.deliver(notice.pk, now=now) is Outcome.NOT_DUE


def test_a_real_notice_goes_out_though_a_clock_run_has_begun(credential: Credential) -> None:
    now = before_end(credential, days=30)
    notice = stored_notice(lifetime(credential), ALICE, threshold=30, now=now)
    move_clock(credential.project.company, timedelta(days=100))
    assert "expires in 30 days" in delivered(notice, now=now).subject


def test_a_mail_that_cannot_be_written_is_tried_again(credential: Credential, monkeypatch: pytest.MonkeyPatch) -> None:
    now = before_end(credential, days=30)
    notice = stored_notice(lifetime(credential), ALICE, threshold=30, now=now)
    with monkeypatch.context() as broken:
        broken.setattr("connect.expiry.mail.recipients_of", lambda _: 1 / 0)
        assert delivery.deliver(notice.pk, now=now) is Outcome.NOT_SENT
    notice.refresh_from_db()
    assert (notice.state, notice.attempts, notice.error) == (NoticeState.DUE, 1, "ZeroDivisionError")
    assert notice.due_at > now
    delivered(notice, now=notice.due_at)


def test_only_what_can_be_left_has_an_unsubscribe_header(settings: Settings, credential: Credential) -> None:
    now = before_end(credential, days=30)
    notice = stored_notice(lifetime(credential), ALICE, threshold=30, now=now)
    Notice.objects.filter(pk=notice.pk).update(unsubscribe="/connect/digest/unsubscribe/token/")
    notice.refresh_from_db()
    plain = delivered(notice, now=now).message()
    assert plain["List-Unsubscribe"] == f"<{url('/connect/digest/unsubscribe/token/')}>"
    assert plain["List-Unsubscribe-Post"] is None, "one click needs https (RFC 8058, 3.1)"
    settings.SITE_URL = "https://rehearsal.example"
    over_https = delivery._mail(notice).message()
    assert over_https["List-Unsubscribe"] == "<https://rehearsal.example/connect/digest/unsubscribe/token/>"
    assert over_https["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
