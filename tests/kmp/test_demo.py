"""The demo data of KMP: really signed, in every state, in the order of time, and useful for trying things out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.authorities import create_hierarchy
from certauthority.lint import lint_certificate
from certauthority.models import Authority, EndpointCall, ReasonCode
from certauthority.x509.profile import add_months
from connect.demo_access import create_demo_access
from connect.lifecycle import days_left
from connect.models import Channel, Company, Notice, NoticeState, User
from connect.notices import unread_count
from kmp import demo, drafts, judgement
from kmp.demo import create_demo_inventory
from kmp.errors import RequestIncomplete
from kmp.inventory import Status, status_of
from kmp.models import CertificateRequest, InventoryEntry, RequestState
from kmp.requests import submit
from portal.demo import create_demo_data
from tests.kmp.wizard import csr_for_renewal

pytestmark = pytest.mark.django_db


def people_of_the_demo(*, now: datetime) -> dict[str, User]:
    """The accounts of the demo with the access that was granted to them, however the site makes them by now."""
    create_demo_data(now=now)
    people = {user.email: user for user in User.objects.all()}
    if not people[demo.OLGA].access_requests.exists():
        create_demo_access(people, now)
    return people


@pytest.fixture
def people(authorities: dict[str, Authority]) -> dict[str, User]:
    now = timezone.now()
    people = people_of_the_demo(now=now)
    if not InventoryEntry.objects.exists():
        create_demo_inventory(people, now=now)
    return people


@pytest.mark.parametrize(
    ("now", "days"),
    [
        (datetime(2026, 11, 21, 12, 0, tzinfo=UTC), 20),
        (datetime(2027, 2, 28, 12, 0, tzinfo=UTC), 20),
        (datetime(2028, 2, 29, 12, 0, tzinfo=UTC), 20),
        (datetime(2027, 3, 11, 0, 0, tzinfo=UTC), 17),  # No certificate of 13 months ends on 31 March 2027.
        (datetime(2027, 12, 31, 23, 59, tzinfo=UTC), 20),
    ],
)
def test_there_is_a_certificate_in_every_status(now: datetime, days: int) -> None:
    create_hierarchy(begin=add_months(now, -60), now=now)
    people = people_of_the_demo(now=now)
    if not InventoryEntry.objects.exists():
        create_demo_inventory(people, now=now)
    acme = InventoryEntry.objects.filter(company__name="Acme Payments Ltd")
    statuses = Counter(status_of(entry, now=now) for entry in acme)
    assert statuses == {
        Status.ACTIVE: 7,
        Status.EXPIRING_SOON: 1,
        Status.EXPIRED: 1,
        Status.RENEWED: 2,
        Status.REVOKED: 1,
    }
    (expiring,) = [entry for entry in acme if status_of(entry, now=now) == Status.EXPIRING_SOON]
    assert days_left(expiring.expires_at, now=now) == days
    assert acme.values("application").distinct().order_by().count() == 4
    assert not InventoryEntry.objects.filter(company__name="Globex Bank").exists()


def test_there_is_a_chain_of_three_versions(people: dict[str, User]) -> None:
    chain = InventoryEntry.objects.filter(application__code=demo.XBS, environment="mtf").order_by("version")
    assert [entry.version for entry in chain] == [1, 2, 3]
    assert len({entry.line for entry in chain}) == len({entry.certificate.subject_digest for entry in chain}) == 1


def test_there_is_a_request_in_every_state(people: dict[str, User]) -> None:
    acme = Company.objects.get(name="Acme Payments Ltd")
    states = Counter(CertificateRequest.objects.filter(company=acme).values_list("state", flat=True))
    assert states == {
        RequestState.DRAFT: 1,
        RequestState.SUBMITTED: 1,
        RequestState.IN_REVIEW: 1,
        RequestState.SIGNED: 12,
        RequestState.REJECTED: 1,
        RequestState.CANCELLED: 1,
    }
    waiting = CertificateRequest.objects.filter(state__in=[RequestState.SUBMITTED, RequestState.IN_REVIEW])
    assert set(waiting.values_list("application__code", "decide_at")) == {(demo.A2A, None)}
    assert CertificateRequest.objects.get(state=RequestState.REJECTED).reason.startswith("A2A Commerce has not")


def test_the_certificates_are_really_signed_and_pass_the_lint(people: dict[str, User]) -> None:
    for entry in InventoryEntry.objects.select_related("certificate__authority"):
        assert entry.certificate.authority is not None
        assert entry.certificate.authority.name == "kmp"
        assert lint_certificate(bytes(entry.certificate.der)) == []


def test_numbers_and_events_are_in_the_order_of_time(people: dict[str, User]) -> None:
    times = list(CertificateRequest.objects.order_by("number").values_list("created_at", flat=True))
    assert times == sorted(times)
    events = AuditEvent.objects.filter(object_type__in=["kmp-request", "kmp-certificate"]).order_by("pk")
    moments = [event.at for event in events]
    assert moments == sorted(moments)
    issued = list(InventoryEntry.objects.order_by("reference").values_list("issued_at", flat=True))
    assert issued == sorted(issued)


def test_what_happened_long_ago_is_neither_mailed_nor_counted_today(people: dict[str, User]) -> None:
    old = Notice.objects.filter(created_at__lt=timezone.now() - timedelta(days=7), event__startswith="kmp.")
    assert old.count() > 100
    assert set(old.values_list("state", flat=True)) == {NoticeState.SENT}
    due = Notice.objects.filter(channel=Channel.MAIL, state=NoticeState.DUE, event__startswith="kmp.")
    assert 0 < due.count() < 10
    assert 0 < unread_count(people[demo.OLGA], at_most=100) < 5


def test_the_expiring_one_is_free_to_be_renewed(people: dict[str, User]) -> None:
    now = timezone.now()
    expiring = next(entry for entry in InventoryEntry.objects.all() if status_of(entry, now=now) == "expiring_soon")
    olga = people[demo.OLGA]
    draft = drafts.start_renewal(expiring, by=olga, actor=Actor(olga.email), now=now)
    drafts.save_csr(draft, csr_for_renewal(expiring), name="x.csr", by=olga, actor=Actor(olga.email), now=now)
    assert submit(draft, by=olga, actor=Actor(olga.email), now=now).state == RequestState.SUBMITTED


def test_the_draft_of_globex_lacks_only_an_officer_and_a_mailbox(people: dict[str, User]) -> None:
    draft = CertificateRequest.objects.get(company__name="Globex Bank")
    assert judgement.judge(draft, now=timezone.now()).acceptable
    with pytest.raises(RequestIncomplete, match="requires an additional security officer"):
        submit(draft, by=draft.officer, actor=Actor(draft.officer.email), now=timezone.now())


def test_one_that_is_on_no_project_was_tried_and_refused_and_none_was_ever_accepted(people: dict[str, User]) -> None:
    tried = EndpointCall.objects.filter(certificate__inventory_entry__isnull=False)
    assert {(call.accepted, call.reason) for call in tried} == {(False, ReasonCode.NOT_ON_PROJECT)}
    assert tried.values("certificate").distinct().order_by().count() == 1
