"""Calls are counted without a write for each, a few seconds behind, and none is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certauthority import use
from certauthority.models import Certificate, CertificateUseHour, CertificateUseMinute, EndpointCall
from gateway.usage import Usage
from tests.certauthority.seen_calls import NOON, make_certificate, seen

GUARD_SECONDS = 60
TABLE = EndpointCall._meta.db_table


def wait_until(is_so: Callable[[], bool]) -> None:
    last_moment = time.monotonic() + GUARD_SECONDS
    while not is_so():
        assert time.monotonic() < last_moment, "nothing was written"
        time.sleep(0.02)


def accepted(certificate: Certificate) -> int:
    return sum(row.accepted for row in CertificateUseHour.objects.filter(certificate=certificate))


@contextmanager
def outage() -> Iterator[None]:
    """The database refuses to write calls: one of their tables is not there."""
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{TABLE}" RENAME TO "{TABLE}_away"')
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE "{TABLE}_away" RENAME TO "{TABLE}"')


@pytest.mark.django_db
def test_a_call_is_noted_without_a_query_and_a_hundred_are_written_in_a_handful() -> None:
    certificate = make_certificate()
    usage = Usage()
    with CaptureQueriesContext(connection) as noting:
        for second in range(100):
            usage.note(seen(certificate, NOON + timedelta(seconds=second)))
    assert len(noting) == 0
    with CaptureQueriesContext(connection) as writing:
        assert usage.flush()
    assert 0 < len(writing) <= 9
    assert accepted(certificate) == 100
    with CaptureQueriesContext(connection) as nothing_new:
        assert usage.flush()
    assert len(nothing_new) == 0


@pytest.mark.django_db
def test_a_call_without_an_address_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    certificate = make_certificate()
    usage = Usage()
    usage.note(seen(certificate, NOON, address="unix:"))
    usage.note(seen(certificate, NOON))
    assert "A call could not be counted." in caplog.text
    assert usage.flush()
    assert accepted(certificate) == 1


@pytest.mark.django_db
def test_what_cannot_be_counted_hurts_no_request(caplog: pytest.LogCaptureFixture) -> None:
    usage = Usage()
    usage.note(None)  # type: ignore[arg-type]
    assert "A call could not be counted." in caplog.text
    assert usage.flush()


@pytest.mark.django_db(transaction=True)
def test_calls_are_written_in_the_background_while_others_come() -> None:
    certificate = make_certificate()
    usage = Usage(flush_seconds=0.05)
    usage.start()
    usage.start()
    try:
        usage.note(seen(certificate, NOON))
        wait_until(lambda: accepted(certificate) == 1)
        usage.note(seen(certificate, NOON))
        wait_until(lambda: accepted(certificate) == 2)
    finally:
        usage.stop()
    assert [thread for thread in threading.enumerate() if thread.name == "usage"] == []


@pytest.mark.django_db(transaction=True)
def test_a_clean_stop_loses_nothing_and_can_be_followed_by_another_start() -> None:
    certificate = make_certificate()
    usage = Usage(flush_seconds=3600)
    usage.start()
    for _ in range(100):
        usage.note(seen(certificate, NOON))
    assert accepted(certificate) == 0
    usage.stop()
    assert accepted(certificate) == 100
    usage.start()
    usage.note(seen(certificate, NOON))
    usage.stop()
    usage.stop()
    assert accepted(certificate) == 101


@pytest.mark.django_db(transaction=True)
def test_an_outage_loses_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    certificate = make_certificate()
    usage = Usage(flush_seconds=0.02)
    caplog.set_level(logging.INFO, logger="gateway.usage")
    with outage():
        usage.note(seen(certificate, NOON))
        assert not usage.flush()
        usage.note(seen(certificate, NOON + timedelta(minutes=1)))
        usage.start()
        time.sleep(0.2)
        usage.note(seen(certificate, NOON + timedelta(minutes=2), refused=True))
    try:
        wait_until(lambda: EndpointCall.objects.count() == 3)
    finally:
        usage.stop()
    assert use.hours([certificate.pk], since=NOON, until=NOON + timedelta(hours=1))[certificate.pk] == [
        use.HourOfUse(NOON, 2, 1)
    ]
    told = [record.getMessage() for record in caplog.records if record.name == "gateway.usage"]
    assert len(told) == 2
    assert told[0].startswith("Calls at the endpoint cannot be written.")
    assert told[1].startswith("Calls at the endpoint are written again")


@pytest.mark.django_db(transaction=True)
def test_a_second_outage_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    certificate = make_certificate()
    usage = Usage()
    for _ in range(2):
        usage.note(seen(certificate, NOON))
        with outage():
            assert not usage.flush()
            assert not usage.flush()
        assert usage.flush()
    assert caplog.text.count("cannot be written") == 2
    assert accepted(certificate) == 2


@pytest.mark.django_db(transaction=True)
def test_a_stop_during_an_outage_waits_a_while_and_then_says_what_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    certificate = make_certificate()
    usage = Usage(stop_seconds=0.1)
    usage.note(seen(certificate, NOON))
    with outage():
        usage.stop()
    assert "the last calls at the endpoint were not counted" in caplog.text
    assert usage.flush(), "they were kept all the same, should anybody ask again"
    assert accepted(certificate) == 1


@pytest.mark.django_db(transaction=True)
def test_minutes_that_nobody_asks_for_any_more_do_not_pile_up_in_an_outage() -> None:
    certificate, now = make_certificate(), timezone.now()
    usage = Usage()
    usage.note(seen(certificate, now - timedelta(hours=3)))
    usage.note(seen(certificate, now))
    with outage():
        assert not usage.flush()
    assert usage.flush()
    assert CertificateUseMinute.objects.count() == 1
    assert accepted(certificate) == 2


@pytest.mark.django_db(transaction=True)
def test_two_gateways_with_many_threads_count_every_call_once() -> None:
    certificates = [make_certificate() for _ in range(5)]
    gateways = [Usage(flush_seconds=0.01), Usage(flush_seconds=0.01)]

    def work(usage: Usage, address: str) -> None:
        for at in range(200):
            usage.note(seen(certificates[at % 5], NOON, refused=at % 4 == 0, address=address))

    threads = [
        threading.Thread(target=work, args=[usage, f"10.0.0.{number}"], daemon=True)
        for usage in gateways
        for number in range(4)
    ]
    for usage in gateways:
        usage.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(GUARD_SECONDS)
        assert not thread.is_alive()
    for usage in gateways:
        usage.stop()
    rows = CertificateUseHour.objects.all()
    assert sum(row.accepted for row in rows) == 8 * 150
    assert sum(row.refused for row in rows) == 8 * 50
    found = use.sources([certificate.pk for certificate in certificates])
    assert [sum(source.accepted + source.refused for source in sources) for sources in found.values()] == [320] * 5
    assert EndpointCall.objects.count() == 250
