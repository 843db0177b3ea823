"""Calls at the endpoint are counted: added to what is there, in a few statements, by any number of gateways."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from certauthority import use
from certauthority.models import (
    Authority,
    Certificate,
    CertificateUse,
    CertificateUseHour,
    CertificateUseMinute,
    CertificateUseSource,
    EndpointCall,
    ReasonCode,
)
from certauthority.use_records import record_calls, record_tally
from certauthority.use_tally import Tally
from tests.certauthority.ocsp_client import issue, revoke
from tests.certauthority.seen_calls import NOON, make_certificate, seen

GUARD_SECONDS = 60


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@pytest.mark.django_db
def test_calls_are_counted_by_hour() -> None:
    one = make_certificate()
    record_calls([seen(one, NOON), seen(one, NOON + minutes(59.99)), seen(one, NOON + minutes(60))])
    record_calls([seen(one, NOON + minutes(5), refused=True)])
    found = use.hours([one.pk], since=NOON, until=NOON + timedelta(hours=2))[one.pk]
    assert [(hour.hour, hour.accepted, hour.refused) for hour in found] == [
        (NOON, 2, 1),
        (NOON + timedelta(hours=1), 1, 0),
    ]


@pytest.mark.django_db
def test_hours_are_asked_for_from_a_moment_to_before_another() -> None:
    one, never = make_certificate(), make_certificate()
    record_calls([seen(one, NOON + timedelta(hours=hour)) for hour in range(-1, 3)])
    found = use.hours([one.pk, never.pk], since=NOON, until=NOON + timedelta(hours=2))
    assert [hour.hour for hour in found[one.pk]] == [NOON, NOON + timedelta(hours=1)]
    assert found[never.pk] == []


@pytest.mark.django_db
def test_the_first_and_the_last_use_are_those_of_accepted_calls_in_any_order() -> None:
    one = make_certificate()
    record_calls([seen(one, NOON - minutes(9), refused=True)])
    assert use.uses([one.pk]) == {}
    record_calls([seen(one, NOON)])
    record_calls([seen(one, NOON - minutes(3)), seen(one, NOON + minutes(9), refused=True)])
    record_calls([seen(one, NOON + minutes(2))])
    record_calls([seen(one, NOON + minutes(1))])
    found = use.uses([one.pk])[one.pk]
    assert found.first_used_at == NOON - minutes(3)
    assert found.last_used_at == NOON + minutes(2)


@pytest.mark.django_db
def test_sources_are_told_with_their_first_and_last_call() -> None:
    one = make_certificate()
    record_calls(
        [seen(one, NOON, address="10.0.0.5"), seen(one, NOON + minutes(1), refused=True, address="2001:db8::1")]
    )
    record_calls([seen(one, NOON - minutes(1), address="10.0.0.5"), seen(one, NOON + minutes(2), refused=True)])
    record_calls([seen(one, NOON + minutes(3), refused=True, address="10.0.0.5")])
    found = {source.address: source for source in use.sources([one.pk])[one.pk]}
    assert list(found) == ["10.0.0.5", "127.0.0.1", "2001:db8::1"]
    assert found["10.0.0.5"] == use.SourceOfUse("10.0.0.5", NOON - minutes(1), NOON + minutes(3), NOON, 2, 1)
    assert found["2001:db8::1"].last_accepted_at is None


@pytest.mark.django_db
def test_a_source_that_was_refused_at_first_is_noted_when_it_is_accepted() -> None:
    one = make_certificate()
    record_calls([seen(one, NOON, refused=True)])
    record_calls([seen(one, NOON + minutes(1))])
    record_calls([seen(one, NOON + minutes(2), refused=True)])
    assert use.sources([one.pk])[one.pk][0].last_accepted_at == NOON + minutes(1)


@pytest.mark.django_db
def test_the_last_hour_is_sixty_minutes_to_the_minute() -> None:
    one, never = make_certificate(), make_certificate()
    now = NOON + timedelta(seconds=30)
    record_calls(
        [
            seen(one, now - minutes(61), address="10.0.0.9"),
            seen(one, now - minutes(60), address="10.0.0.6"),
            seen(one, now - minutes(10), address="10.0.0.5", refused=True),
            seen(one, now, address="10.0.0.5"),
            seen(one, now, address="10.0.0.8", refused=True),
        ]
    )
    found = use.last_hour([one.pk, never.pk], now=now)
    assert found[one.pk] == use.LastHour(
        accepted=2,
        refused=2,
        addresses=("10.0.0.5", "10.0.0.6", "10.0.0.8"),
        accepted_from=("10.0.0.5", "10.0.0.6"),
    )
    assert found[never.pk] == use.LastHour(accepted=0, refused=0, addresses=(), accepted_from=())


@pytest.mark.django_db
def test_of_each_certificate_the_newest_fifty_calls_are_kept() -> None:
    one, other = make_certificate(), make_certificate()
    record_calls([seen(other, NOON - timedelta(days=1))])
    record_calls([seen(one, NOON + timedelta(seconds=second)) for second in range(30)])
    record_calls([seen(one, NOON + timedelta(seconds=second)) for second in range(30, 90)])
    record_calls([seen(one, NOON - minutes(1))])
    assert EndpointCall.objects.filter(certificate=one).count() == 50
    calls = use.last_calls(one.pk, most=50)
    assert [call.at for call in calls] == [NOON + timedelta(seconds=second) for second in range(89, 39, -1)]
    assert len(use.last_calls(one.pk)) == 20
    assert EndpointCall.objects.filter(certificate=other).count() == 1


@pytest.mark.django_db
def test_a_call_is_kept_with_everything_that_was_seen() -> None:
    one = make_certificate()
    record_calls([seen(one, NOON, reason=ReasonCode.REVOKED, environment="production", address="2001:db8::1")])
    call = use.last_calls(one.pk)[0]
    assert (call.at, call.accepted, call.reason, call.environment) == (NOON, False, ReasonCode.REVOKED, "production")
    assert (call.client_address, call.tls_version, call.cipher) == ("2001:db8::1", "TLSv1.3", "TLS_AES_256_GCM_SHA384")


@pytest.mark.django_db
def test_a_certificate_that_is_gone_is_left_out_and_hinders_no_other() -> None:
    one = make_certificate()
    gone = Certificate(id=uuid.uuid4())
    record_calls([seen(gone, NOON), seen(one, NOON), seen(gone, NOON, refused=True)])
    assert CertificateUse.objects.get().certificate_id == one.pk
    assert CertificateUseHour.objects.get().certificate_id == one.pk
    record_calls([seen(gone, NOON)])
    record_calls([])
    assert EndpointCall.objects.count() == 1


@pytest.mark.django_db
def test_any_number_of_calls_takes_a_handful_of_statements() -> None:
    certificates = [make_certificate() for _ in range(20)]

    def statements(calls: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            record_calls([seen(certificates[at % 20], NOON + timedelta(seconds=at % 50)) for at in range(calls)])
        return len(queries)

    few = statements(1)
    assert statements(5000) == few
    assert few <= 9  # Of which two are the savepoint of the test.
    assert sum(hour.accepted for hour in CertificateUseHour.objects.all()) == 5001


@pytest.mark.django_db
def test_more_rows_than_one_statement_takes_are_written_in_pages() -> None:
    one = make_certificate()
    calls = [seen(one, NOON, address=f"10.0.{at // 200}.{at % 200}") for at in range(2500)]
    record_calls(calls)
    record_calls(calls)
    assert CertificateUseSource.objects.filter(accepted=2).count() == 2500
    assert CertificateUseMinute.objects.filter(accepted=2).count() == 2500


@pytest.mark.django_db
def test_calls_can_be_added_up_before_they_are_written() -> None:
    one = make_certificate()
    tally = Tally.of([seen(one, NOON)])
    later = Tally.of([seen(one, NOON + minutes(1)), seen(one, NOON + minutes(2), refused=True)])
    tally.merge(later)
    tally.merge(Tally.of([seen(one, NOON + timedelta(seconds=second)) for second in range(200)]))
    assert len(later.calls[one.pk]) == 2, "what was merged is left as it is"
    record_tally(tally)
    assert use.hours([one.pk], since=NOON, until=NOON + minutes(60))[one.pk] == [use.HourOfUse(NOON, 202, 1)]
    assert EndpointCall.objects.count() == 50
    assert use.uses([one.pk])[one.pk].last_used_at == NOON + timedelta(seconds=199)


@pytest.mark.django_db
def test_rows_that_wait_for_long_are_bounded() -> None:
    one = Certificate(id=uuid.uuid4())
    tally = Tally()
    for at in range(10_000):
        tally.add(seen(one, NOON + timedelta(seconds=at)))
    assert len(tally.calls[one.pk]) <= 100
    assert (len(tally.hours), len(tally.sources), len(tally.uses)) == (3, 1, 1)
    assert len(tally.minutes) == 167
    tally.forget_minutes(before=NOON + minutes(160))
    assert len(tally.minutes) == 7


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_has_one_spelling(sent: str, stored: str) -> None:
    one = make_certificate()
    record_calls([seen(one, NOON, address=sent), seen(one, NOON, address=stored)])
    assert [(source.address, source.accepted) for source in use.sources([one.pk])[one.pk]] == [(stored, 2)]


@pytest.mark.django_db
def test_names_that_are_too_long_are_cut() -> None:
    one = make_certificate()
    record_calls([replace(seen(one, NOON), tls_version="T" * 40, cipher="C" * 200)])
    assert (use.last_calls(one.pk)[0].tls_version, use.last_calls(one.pk)[0].cipher) == ("T" * 12, "C" * 64)


@pytest.mark.parametrize("address", ["", "unix:", "999.1.1.1", "10.0.0.5\x00"])
def test_what_is_no_address_is_refused_before_it_reaches_the_database(address: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        Tally().add(seen(Certificate(id=uuid.uuid4()), NOON, address=address))


def in_threads(works: list[Callable[[], None]]) -> None:
    """Each with a database connection of its own, as other gateways have."""
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  reported below
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work], daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(GUARD_SECONDS)
        assert not thread.is_alive()
    assert failures == []


@pytest.mark.django_db(transaction=True)
def test_gateways_that_write_at_once_lose_nothing_and_do_not_lock_each_other_out() -> None:
    certificates = [make_certificate() for _ in range(10)]

    def gateway(order: list[Certificate]) -> Callable[[], None]:
        def work() -> None:
            for at in range(10):
                record_calls([seen(one, NOON + timedelta(seconds=at), address="10.0.0.5") for one in order])

        return work

    in_threads([gateway(certificates), gateway(certificates[::-1]), gateway(certificates[5:] + certificates[:5])])
    assert list(CertificateUseHour.objects.values_list("accepted", flat=True)) == [30] * 10
    assert list(CertificateUseSource.objects.values_list("accepted", flat=True)) == [30] * 10
    assert EndpointCall.objects.count() == 300


@pytest.mark.postgresql
def test_a_revocation_that_is_not_committed_yet_holds_up_no_count(
    transactional_db: None, authorities: dict[str, Authority]
) -> None:
    certificate = issue()
    with transaction.atomic():
        revoke(certificate)
        in_threads([lambda: record_calls([seen(certificate, NOON)])])
    assert use.uses([certificate.pk])[certificate.pk].last_used_at == NOON
