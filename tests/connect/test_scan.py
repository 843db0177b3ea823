"""The scan: which notices there are, to whom, in which state, and why others do not go out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, Certificate, CertificateUse, RevocationReason
from connect.expiry import scan
from connect.expiry.judgement import Judgement
from connect.expiry.mail import render
from connect.expiry.silence import NOBODY, PASSED_OVER
from connect.models import Channel, Notice, NoticeState, User, Webhook, WebhookDelivery
from connect.notices import Written
from kmp import entries
from kmp.models import InventoryEntry
from portal import revocation
from portal.models import Credential, Membership, Role
from portal.projects import delete_project
from tests.connect.expiring import before_end, mails_of, make_due_credentials, states_of, watched
from tests.factories import make_company, make_credential, make_member, make_project, make_user
from tests.kmp.factories import make_entry, make_officer

ACTOR = Actor("test")
DUE, SENT, SKIPPED = NoticeState.DUE, NoticeState.SENT, NoticeState.SKIPPED


@pytest.fixture
def alice(db: None) -> User:
    return make_user(email="alice@acme.example", company=make_company(name="Acme Payments Ltd"))


@pytest.fixture
def credential(alice: User, authorities: dict[str, Authority]) -> Credential:
    return make_credential(make_project(admin=alice), alias="PAYMENTS")


@pytest.fixture
def olga(db: None) -> User:
    """The one security officer of a company with a group mailbox."""
    return make_officer(make_company(group_email="Group@acme.example"), email="olga@acme.example")


@pytest.fixture
def entry(olga: User, authorities: dict[str, Authority]) -> InventoryEntry:
    return make_entry(olga.company)


def test_the_admins_of_the_project_get_a_mail_and_a_bell(credential: Credential, alice: User) -> None:
    bob = make_member(credential.project, Role.ADMIN, email="bob@acme.example")
    make_member(credential.project, Role.READ_ONLY)
    make_member(credential.project, Role.ADMIN, is_active=False)
    now = before_end(credential, days=30)
    assert scan.scan(now=now) == 4
    rows = Notice.objects.filter(threshold=30)
    assert set(rows.values_list("address", "channel", "state", "recipient")) == {
        (user.email, channel, state, user.pk)
        for user in (alice, bob)
        for channel, state in ((Channel.MAIL, DUE), (Channel.BELL, SENT))
    }
    for row in rows:
        assert row.subject.startswith("PAYMENTS (Sandbox) expires in 30 days")
        assert (row.kind, row.company) == ("connect.certificate-expires", alice.company)
        assert (row.scope, row.watched) == (str(credential.project_id), watched(credential))
        assert (row.clock_run, row.company_at, row.created_at) == (None, now, now)
        assert str(credential.project_id) in row.link
        assert f"rotate={credential.pk}" in row.link


def test_requester_officers_and_group_are_told_of_an_entry(entry: InventoryEntry, olga: User) -> None:
    former = make_officer(make_company())
    assert scan.scan(now=before_end(entry, days=90)) == 3
    rows = Notice.objects.filter(watched=watched(entry))
    assert set(rows.values_list("address", "channel")) == {
        (olga.email, Channel.MAIL),
        (olga.email, Channel.BELL),
        ("group@acme.example", Channel.MAIL),
    }
    assert set(rows.values_list("scope", flat=True)) == {str(olga.company_id)}
    assert not Notice.objects.filter(address=former.email, threshold__isnull=False).exists()


def test_a_threshold_is_judged_once(credential: Credential, alice: User) -> None:
    now = before_end(credential, days=90)
    assert scan.scan(now=now) == 2
    assert scan.scan(now=now) == 0
    assert scan.scan(now=now + timedelta(days=20)) == 0
    assert states_of(credential) == {90: DUE}
    # Who comes to the project later is told of the next one, not of the last.
    make_member(credential.project, Role.ADMIN)
    assert scan.scan(now=now + timedelta(days=25)) == 0
    assert scan.scan(now=before_end(credential, days=60)) == 4


@pytest.mark.usefixtures("credential", "entry")
def test_before_the_first_threshold_nobody_is_told() -> None:
    assert scan.scan(now=timezone.now()) == 0
    assert not Notice.objects.filter(threshold__isnull=False).exists()


@pytest.mark.parametrize(
    ("days", "nearest", "over"),
    [
        (59, 60, {90}),
        (12, 14, {90, 60, 30}),
        (0, 0, {90, 60, 30, 14, 7, 3, 1}),
        (-3, 0, {90, 60, 30, 14, 7, 3, 1}),
        (-400, -7, {90, 60, 30, 14, 7, 3, 1, 0}),
    ],
)
def test_after_an_outage_the_nearest_goes_out_and_the_others_say_why_not(
    credential: Credential, alice: User, days: int, nearest: int, over: set[int]
) -> None:
    assert scan.scan(now=before_end(credential, days=days)) == 2
    assert mails_of(credential) == {
        (nearest, alice.email): (DUE, ""),
        **{(threshold, alice.email): (SKIPPED, PASSED_OVER) for threshold in over},
    }
    kind = Notice.objects.filter(threshold=nearest).values_list("kind", flat=True).distinct().get()
    assert kind == ("connect.certificate-expired" if nearest < 0 else "connect.certificate-expires")
    credential.refresh_from_db()
    assert (credential.next_notice_at is None) == (nearest == -7)


def test_a_snoozed_one_is_silent_until_the_day(credential: Credential, alice: User) -> None:
    at_30, at_14 = before_end(credential, days=30), before_end(credential, days=14)
    credential.snoozed_until, credential.snoozed_by = at_14.date(), alice.email
    credential.save()
    assert scan.scan(now=at_30) == 0
    day = f"{at_14:%-d %B %Y}"
    assert mails_of(credential)[30, alice.email] == (SKIPPED, f"Snoozed until {day} by {alice.email}.")
    assert scan.scan(now=at_14) == 2
    assert states_of(credential) == {90: SKIPPED, 60: SKIPPED, 30: SKIPPED, 14: DUE}


def test_a_long_address_fits_into_the_reason(credential: Credential) -> None:
    credential.snoozed_until, credential.snoozed_by = before_end(credential, days=1).date(), "a" * 254
    credential.save()
    scan.scan(now=before_end(credential, days=90))
    assert len(Notice.objects.get(channel=Channel.MAIL, threshold=90).reason) == 200


def test_one_that_is_replaced_and_unused_is_silent(credential: Credential, alice: User) -> None:
    replaced_at = timezone.now() + timedelta(days=100)
    make_credential(credential.project, alias="PAYMENTS-2", predecessor=credential, now=replaced_at)
    assert scan.scan(now=before_end(credential, days=90)) == 0
    reason = "PAYMENTS-2 has replaced it, and it has not been used since."
    assert mails_of(credential)[90, alice.email] == (SKIPPED, reason)
    used_at = replaced_at + timedelta(days=1)
    CertificateUse.objects.create(
        certificate_id=credential.certificate_id, first_used_at=timezone.now(), last_used_at=used_at
    )
    assert scan.scan(now=before_end(credential, days=60)) == 2
    subject = Notice.objects.filter(threshold=60).values_list("subject", flat=True)[0]
    assert "PAYMENTS-2" in subject


def test_one_whose_successor_has_expired_is_told_of_and_is_to_be_replaced(credential: Credential, alice: User) -> None:
    newer = make_credential(credential.project, alias="PAYMENTS-2", predecessor=credential)
    Certificate.objects.filter(pk=newer.certificate_id).update(not_after=before_end(credential, days=40))
    scan.scan(now=before_end(credential, days=60))
    assert mails_of(credential)[60, alice.email][0] == SKIPPED
    scan.scan(now=before_end(credential, days=30))
    assert mails_of(credential)[30, alice.email][0] == DUE
    told = Notice.objects.get(watched=watched(credential), threshold=30, channel=Channel.MAIL)
    assert "its successor PAYMENTS-2 has expired, too" in told.subject
    assert f"?rotate={credential.pk}" in told.link
    mail = render(told, before_end(credential, days=30))
    assert isinstance(mail, Written)
    assert f"Rotate {credential.alias}" in mail.text
    assert f"Open {credential.alias}" not in mail.text


def test_a_renewed_entry_is_silent_and_its_successor_is_not(entry: InventoryEntry) -> None:
    newer = make_entry(renews=entry, now=timezone.now() + timedelta(days=100))
    assert scan.scan(now=before_end(entry, days=3)) == 0
    assert set(states_of(entry).values()) == {SKIPPED}
    assert scan.scan(now=before_end(newer, days=90)) == 3


def test_revoked_ones_and_deleted_projects_are_silent(credential: Credential, entry: InventoryEntry) -> None:
    other = make_credential(make_project(admin=make_user()))
    now, at_1 = timezone.now(), before_end(credential, days=1)
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=ACTOR, now=now)
    entries.revoke(entry, reason=RevocationReason.SUPERSEDED, actor=ACTOR, now=now)
    delete_project(other.project, actor=ACTOR, now=now)
    assert scan.scan(now=at_1) == 0
    assert not Notice.objects.filter(threshold__isnull=False).exists()


def test_where_nobody_is_there_to_tell_one_row_says_so(credential: Credential) -> None:
    Membership.objects.filter(project=credential.project).delete()
    assert scan.scan(now=before_end(credential, days=60)) == 0
    assert mails_of(credential) == {(90, ""): (SKIPPED, PASSED_OVER), (60, ""): (SKIPPED, NOBODY)}
    make_member(credential.project, Role.ADMIN, email="bob@acme.example")
    assert scan.scan(now=before_end(credential, days=60)) == 0
    assert scan.scan(now=before_end(credential, days=30)) == 2


def test_an_address_with_two_roles_is_told_once(entry: InventoryEntry, olga: User) -> None:
    assert olga.company is not None
    olga.company.group_email = olga.email.upper()
    olga.company.save()
    assert scan.scan(now=before_end(entry, days=90)) == 2
    assert set(Notice.objects.filter(threshold=90).values_list("recipient", flat=True)) == {olga.pk}


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow() -> None:
    found = []
    for count in (2, 20):
        make_due_credentials(count)
        with CaptureQueriesContext(connection) as captured:
            assert scan.scan(now=timezone.now()) == 2 * count
        found.append(len(captured))
    assert found[0] == found[1]


@pytest.mark.django_db
def test_pages_leave_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "PAGE", 3)
    made = make_due_credentials(7)
    assert [written for written in scan.pages(now=timezone.now()) if written] == [6, 6, 2]
    assert all(states_of(row) == {30: DUE} for row in made)


@pytest.mark.django_db(transaction=True)
def test_a_page_that_fails_is_undone_whole_and_done_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "PAGE", 3)
    made, now = make_due_credentials(7), timezone.now()
    with monkeypatch.context() as broken:
        tell_webhooks, calls = scan._tell_webhooks, []

        def fail_second(judged: Sequence[Judgement], *, now: datetime) -> None:
            calls.append(judged)
            if len(calls) == 2:
                raise ImproperlyConfigured("as if the database had gone away")
            tell_webhooks(judged, now=now)

        broken.setattr(scan, "_tell_webhooks", fail_second)
        with pytest.raises(ImproperlyConfigured):
            scan.scan(now=now)
    assert Notice.objects.count() == 6, "the first page stands, nothing of the second"
    assert scan.scan(now=now) == 8
    assert all(states_of(row) == {30: DUE} for row in made)


@pytest.mark.django_db
def test_webhooks_of_the_project_are_told_of_what_goes_out(alice: User) -> None:
    project = make_project(admin=alice)
    (told,) = make_due_credentials(1, project=project)
    (silent,) = make_due_credentials(1, project=project)
    Credential.objects.filter(pk=silent.pk).update(snoozed_until=timezone.now().date() + timedelta(days=9))
    Webhook.objects.create(
        id=uuid4(),
        company=project.company,
        scope=str(project.pk),
        url="https://hooks.example/",
        secret=b"sealed",
        created_at=timezone.now(),
        created_by=alice.email,
    )
    scan.scan(now=timezone.now())
    delivery = WebhookDelivery.objects.get()
    assert delivery.kind == "connect.certificate-expires"
    assert watched(told) in delivery.event
    assert told.alias in delivery.body
