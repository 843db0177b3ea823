"""Responses made ahead: for all live certificates, renewed at half their life, in a real worker where it matters."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest
import redis
import time_machine
from django.conf import settings as site_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from certauthority import background, tasks
from certauthority.models import Authority, Certificate, OcspResponder
from certauthority.ocsp import answers, making, ready_made
from tests.certauthority.ocsp_client import get, issue, request_for, revoke, status
from tests.certauthority.test_tasks import wait_until

Worker = subprocess.Popen[bytes]


def stored(certificate: Certificate, hash_name: str = "sha1") -> ready_made.ReadyMade | None:
    assert certificate.authority_id is not None
    return ready_made.find(certificate.authority_id, certificate.serial, hash_name)


def test_a_new_certificate_has_its_responses_soon(
    celery_worker_process: Worker, authorities: dict[str, Authority]
) -> None:
    certificate = issue()
    tasks.tend_ocsp.delay()
    wait_until(lambda: stored(certificate) is not None)
    assert stored(certificate, "sha256") is not None
    assert status(get(request_for(certificate))) == "GOOD"


def test_a_revoked_certificate_has_another_soon(
    celery_worker_process: Worker, authorities: dict[str, Authority]
) -> None:
    certificate = issue()
    assert making.make(certificate, now=timezone.now())
    good = stored(certificate)
    revoke(certificate)
    assert stored(certificate) != good
    wait_until(lambda: stored(certificate) is not None)
    assert status(get(request_for(certificate))) == "REVOKED"


def test_a_round_reaches_every_live_certificate_of_every_ca(
    celery_worker_process: Worker, authorities: dict[str, Authority], redis_client: redis.Redis
) -> None:
    tasks.make_ocsp_responses.delay()
    rows = Certificate.objects.filter(authority__isnull=False)
    wait_until(lambda: len(list(redis_client.scan_iter("ocsp:*"))) == rows.count())
    assert all(stored(row) is not None for row in rows)


def test_a_missing_responder_is_certified_by_the_next_round(
    celery_worker_process: Worker, authorities: dict[str, Authority]
) -> None:
    OcspResponder.objects.all().delete()
    tasks.tend_ocsp.delay()
    wait_until(lambda: OcspResponder.objects.count() == 4)


def test_what_is_unsettled_is_settled_by_the_next_round(
    celery_worker_process: Worker, authorities: dict[str, Authority]
) -> None:
    Certificate.objects.filter(ca__name="kmp").update(ocsp_unsettled=True)
    tasks.tend_ocsp.delay()
    wait_until(lambda: not Certificate.objects.filter(ocsp_unsettled=True).exists())


@pytest.mark.django_db
def test_renewal_is_at_half_life_and_not_before(authorities: dict[str, Authority]) -> None:
    certificate, then = issue(), timezone.now()
    assert making.make(certificate, now=then)
    first = stored(certificate)
    assert first is not None
    assert making.make_page(authorities["developers"], after=None, now=then + timedelta(hours=1)) is not None
    assert stored(certificate) == first
    older = then - timedelta(hours=12, minutes=1)  # The same, seen twelve hours later.
    assert making.make(certificate, now=older)
    making.make_page(authorities["developers"], after=None, now=then)
    renewed = stored(certificate)
    assert renewed is not None
    assert renewed.this_update == int(then.timestamp())


@pytest.mark.django_db
def test_a_round_goes_page_by_page(authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PAGE", 2)
    rows = [issue(f"{number}") for number in range(3)]
    last, pages = None, 0
    while True:
        last = making.make_page(authorities["developers"], after=last, now=timezone.now())
        if last is None:
            break
        pages += 1
    assert pages == 2, "three certificates and the responder's"
    assert all(stored(row) is not None for row in rows)


@pytest.mark.django_db
def test_a_task_ends_before_its_time_and_sends_the_next(
    authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "PAGE", 1)
    monkeypatch.setattr(tasks, "OCSP_PAGES", 2)
    for number in range(3):
        issue(f"{number}")
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(background, "enqueue", lambda task, *arguments: sent.append((task, *arguments)))
    tasks.make_ocsp_responses_of(authorities["developers"].pk)
    ids = sorted(Certificate.objects.filter(authority=authorities["developers"]).values_list("pk", flat=True))
    assert sent == [(tasks.make_ocsp_responses_of, authorities["developers"].pk, str(ids[1]))]
    tasks.make_ocsp_responses_of(authorities["developers"].pk, str(ids[1]))
    assert all(stored(row) is not None for row in Certificate.objects.filter(pk__in=ids))


@pytest.mark.django_db
def test_expired_certificates_are_left_out_and_still_answered_for(authorities: dict[str, Authority]) -> None:
    certificate = issue()
    after = certificate.not_after + timedelta(seconds=1)
    assert not making.make(certificate, now=after)
    OcspResponder.objects.all().delete()
    with time_machine.travel(after, tick=False):
        tasks.tend_ocsp()
        answers.forget()
        making.make_page(authorities["developers"], after=None, now=after)
        assert stored(certificate) is None
        assert status(get(request_for(certificate))) == "GOOD"


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 8])
def test_a_page_costs_the_same_queries_however_many_it_makes(authorities: dict[str, Authority], count: int) -> None:
    for number in range(count):
        issue(f"{number}")
    answers.standing_of("developers")
    with CaptureQueriesContext(connection) as captured:
        making.make_page(authorities["developers"], after=None, now=timezone.now())
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) == 2


@pytest.mark.django_db
def test_while_redis_is_away_nothing_is_made(authorities: dict[str, Authority], settings: Settings) -> None:
    issue()
    redis_url = site_settings.REDIS_URL
    settings.REDIS_URL = "unix:///no/such/socket?db=0"
    assert making.make_page(authorities["developers"], after=None, now=timezone.now()) is None
    settings.REDIS_URL = redis_url
    ready_made.pause.end()
    assert making.make_page(authorities["developers"], after=None, now=timezone.now()) is not None


@pytest.mark.django_db
def test_what_belongs_to_nobody_is_logged_and_left(
    authorities: dict[str, Authority], caplog: pytest.LogCaptureFixture
) -> None:
    tasks.make_ocsp_response("00000000-0000-0000-0000-000000000000")
    tasks.make_ocsp_responses_of(0)
    assert "There is no certificate 00000000" in caplog.text
    assert "There is no authority 0 " in caplog.text


@pytest.mark.django_db
def test_redis_forgets_a_response_at_its_next_update(
    authorities: dict[str, Authority], redis_client: redis.Redis
) -> None:
    certificate = issue()
    making.make(certificate, now=timezone.now())
    (key,) = redis_client.scan_iter("ocsp:*")
    made = stored(certificate)
    assert made is not None
    left = made.next_update - timezone.now().timestamp()
    assert redis_client.pttl(key) == pytest.approx(left * 1000, abs=60_000)


@pytest.mark.django_db
@pytest.mark.parametrize("count", [2, 20])
def test_what_is_new_costs_the_same_queries_however_much_it_is(authorities: dict[str, Authority], count: int) -> None:
    rows = [issue(f"{number}") for number in range(count)]
    answers.standing_of("developers")
    with CaptureQueriesContext(connection) as captured:
        making.make_recent(now=timezone.now())
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) == 3
    assert all(stored(row) is not None for row in rows)
    Certificate.objects.filter(pk=rows[0].pk).update(linted_at=timezone.now())
    assert ready_made.withdraw(authorities["developers"].pk, [row.serial for row in rows])
    making.make_recent(now=timezone.now())
    assert [stored(row) is not None for row in rows] == [False] + [True] * (count - 1)
