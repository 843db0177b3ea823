"""The mails about certificates’ ends: what they say, and to whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from certauthority.models import Certificate
from connect.certificate_facts import day_in_words, in_words
from connect.expiry import snooze
from connect.expiry.mail import Moment, message, subject_of
from connect.models import Company, User
from connect.notices import SUBJECT_LENGTH, Recipient
from connect.templatetags.look import colon_hex
from kmp.models import InventoryEntry
from portal.models import Credential, Environment
from tests.connect.expiring import before_end
from tests.connect.expiry_mails import ALICE, GROUP, delivered, html_of, lifetime, stored_notice, succeed, url, use
from tests.connect.factories import move_clock
from tests.connect.lifetimes import day, make_lifetime
from tests.factories import make_credential, make_project, make_user
from tests.kmp.factories import make_entry, make_officer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("authorities")]
NOON = day("2027-02-01T12:00")

# Smuggling: line ends of every kind, NUL, a bidirectional override, and markup.
HOSTILE = "x\r\nBcc: evil@x.example\n\n\u2028\u2029\x00\x85\u202e<b>&"


@pytest.fixture(autouse=True)
def _outbox(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def alice(acme: Company) -> User:
    return make_user(email=ALICE, name="Alice Marlow", company=acme)


@pytest.fixture
def credential(alice: User) -> Credential:
    return make_credential(make_project(admin=alice, name="Checkout API"), Environment.PRODUCTION, alias="payouts-2026")


@pytest.fixture
def entry(acme: Company) -> InventoryEntry:
    acme.group_email = GROUP
    acme.save()
    make_officer(acme, email="olga@acme.example")
    return make_entry(acme)


@pytest.mark.parametrize(
    ("expires", "threshold", "words"),
    [
        ("2027-05-02T09:04", 90, "expires in 90 days"),
        ("2027-02-02T09:04", 1, "expires in 1 day"),
        ("2027-02-01T13:00", 0, "expires today"),
        ("2027-02-01T11:00", 0, "expired today"),
        ("2027-01-31T23:59", -7, "expired 1 day ago"),
        ("2027-01-25T09:04", -7, "expired 7 days ago"),
        # After an outage the days are those that are left, not the threshold's.
        ("2027-02-06T09:04", 7, "expires in 5 days"),
        ("2027-01-30T09:04", 0, "expired 2 days ago"),
    ],
)
def test_a_subject_tells_the_days_that_are_left(expires: str, threshold: int, words: str) -> None:
    about = make_lifetime("payouts-2026", environment="Production", expires_at=day(expires))
    subject = subject_of(about, threshold, now=NOON)
    assert subject == f"payouts-2026 (Production) {words}, and nothing replaces it"


@pytest.mark.parametrize(
    ("successor_ends", "state"), [("2028-03-01", "is live"), ("2027-02-01T11:59", "has expired, too")]
)
def test_a_subject_tells_whether_a_successor_is_live(successor_ends: str, state: str) -> None:
    about = make_lifetime("payouts-2026", expires_at=day("2027-02-08"), successor="payouts-2027")
    about = replace(about, successor_since=day("2027-01-01"), successor_expires_at=day(successor_ends))
    subject = subject_of(about, 7, now=NOON)
    assert subject == f"payouts-2026 (Sandbox) expires in 7 days; its successor payouts-2027 {state}"


def test_the_longest_names_fit_into_a_subject() -> None:
    about = make_lifetime("a" * 64, environment="Production", expires_at=day("2027-05-02"), successor="b" * 64)
    subject = subject_of(about, 90, now=NOON)
    assert subject == f"{'a' * 64} (Production) expires in 90 days; its successor {'b' * 64} is live"
    assert len(subject) <= SUBJECT_LENGTH


def test_the_mail_says_everything_that_is_needed_to_act(credential: Credential) -> None:
    now = before_end(credential, days=30)
    about = lifetime(credential)
    notice = stored_notice(about, ALICE, threshold=30, now=now)
    sent = delivered(notice, now=now)
    assert sent.subject == notice.subject == "payouts-2026 (Production) expires in 30 days, and nothing replaces it"
    certificate = credential.certificate
    facts = (
        f"From {in_words(certificate.not_after)}, calls with payouts-2026",
        "No other certificate is ready to take over.",
        "Checkout API",
        "Production",
        certificate.common_name,
        str(colon_hex(certificate.serial)),
        str(colon_hex(certificate.fingerprint)),
        about.issuer,
        "Never seen at this site’s mTLS endpoint",
        "Rotate payouts-2026",
        url(f"/projects/{credential.project_id}/production/add/?rotate={credential.pk}"),
        f"The next notice comes on {day_in_words(certificate.not_after - timedelta(days=14))}, 14 days before",
        snooze.snooze_url(about, ALICE).rpartition("/snooze/")[0],
        "You get this because you are an admin of the project Checkout API.",
    )
    html = html_of(sent).replace("<strong>", "").replace("</strong>", "")
    for text in (str(sent.body), html):
        assert [part for part in facts if part not in text] == []
        assert "clock of your company" not in text
    assert f"Its calls are refused from {day_in_words(certificate.not_after)}" in html, "the preheader"
    assert (notice.text, notice.html, notice.sent_at) == (
        str(sent.body),
        str(sent.alternatives[0][0]),
        now,
    ), "kept as it was sent"
    assert sent.message()["Message-ID"] == f"<{notice.pk}@localhost>"
    assert sent.message()["List-Unsubscribe"] is None, "nobody can leave the list: the snooze link is for that"


def test_the_mail_to_a_group_address_tells_of_an_entry(entry: InventoryEntry) -> None:
    now = before_end(entry, days=1)
    sent = delivered(stored_notice(lifetime(entry), GROUP, threshold=1, now=now), now=now)
    assert sent.to == [GROUP]
    assert sent.subject == f"{entry.reference} (MTF) expires in 1 day, and nothing replaces it"
    body = str(sent.body)
    assert "Application: Developers portal client\n" in body
    assert f"Renew {entry.reference}:\n{url(reverse('kmp:entry_renew', args=[entry.reference]))}" in body
    assert "or because this is its Certificate Management Group Email." in body
    assert "the day on which it expires" in body


def test_a_successor_and_the_last_use_are_told(credential: Credential) -> None:
    newer = succeed(credential)
    used_at = newer.created_at + timedelta(hours=2)
    use(credential, used_at)
    now = before_end(credential, days=7)
    sent = delivered(stored_notice(lifetime(credential), ALICE, threshold=7, now=now), now=now)
    assert sent.subject == "payouts-2026 (Production) expires in 7 days; its successor payouts-2027 is live"
    for text in (str(sent.body), html_of(sent)):
        assert f"payouts-2027 has been live since {in_words(newer.created_at)}, but payouts-2026 is still used" in text
        assert f"{in_words(used_at)} at this site’s mTLS endpoint" in text
        assert "Open payouts-2026" in text
        assert url(f"/projects/{credential.project_id}/production/{credential.pk}/") in text
        assert "Replace it now" not in text


def test_a_successor_that_has_expired_is_none(credential: Credential) -> None:
    newer, now = succeed(credential), before_end(credential, days=7)
    Certificate.objects.filter(pk=newer.certificate_id).update(not_after=now - timedelta(days=1))
    use(credential, newer.created_at + timedelta(hours=2))
    sent = delivered(stored_notice(lifetime(credential), ALICE, threshold=7, now=now), now=now)
    assert "its successor payouts-2027 has expired, too" in sent.subject
    assert "payouts-2027, which was to take over, has expired. Replace it now" in str(sent.body)


def test_after_the_end_one_more_and_it_is_the_last(credential: Credential) -> None:
    now = before_end(credential, days=-7)
    sent = delivered(stored_notice(lifetime(credential), ALICE, threshold=-7, now=now), now=now)
    assert sent.subject == "payouts-2026 (Production) expired 7 days ago, and nothing replaces it"
    for text in (str(sent.body), html_of(sent)):
        assert "are refused. No other certificate has taken over. Replace it now." in text
        assert "This is the last notice about this certificate." in text
        assert "/snooze/" not in text
    assert f"Expired: {in_words(credential.certificate.not_after)}\n" in str(sent.body)


def test_both_clocks_are_told_where_the_company_s_is_ahead(credential: Credential) -> None:
    now = timezone.now()
    company = credential.project.company
    move_clock(company, before_end(credential, days=30) - now)
    use(credential, now)
    sent = delivered(stored_notice(lifetime(credential), ALICE, threshold=30, now=now), now=now)
    assert "expires in 30 days" in sent.subject
    assert f"It shows {in_words(now + company.clock_ahead)}, while it is {in_words(now)} in fact." in str(sent.body)
    assert f"It shows <strong>{in_words(now + company.clock_ahead)}</strong>, while" in html_of(sent)
    assert f"{in_words(now)} at this site’s mTLS endpoint (real time)" in str(sent.body)


def test_names_smuggle_no_header_no_line_and_no_markup() -> None:
    about = make_lifetime(
        HOSTILE,
        common_name=HOSTILE,
        issuer=HOSTILE,
        place=HOSTILE,
        environment=HOSTILE,
        successor=HOSTILE,
        successor_since=NOON,
        act_label=f"Rotate {HOSTILE}",
        company=Company(name=HOSTILE, clock_run=uuid4()),
        expires_at=day("2027-02-08"),
    )
    written = message(about, 7, to=Recipient(ALICE), moment=Moment(NOON, NOON))
    assert written.subject.isprintable()
    assert all(line.isprintable() for line in written.text.split("\n"))
    assert not [line for line in written.text.split("\n") if line.startswith(("Bcc:", "evil"))]
    assert "<b>" not in written.html
    assert "&lt;b&gt;&amp;" in written.html
    assert not set("\u2028\u2029\x00\x85\u202e\r") & set(written.html)
    message_sent = mail.EmailMultiAlternatives(written.subject, written.text, to=[ALICE]).message()
    assert message_sent["Bcc"] is None
    assert message_sent["Subject"].replace("\n", "").isprintable()
