"""`/metrics`: every figure follows what it tells of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from audit.events import SYSTEM
from certauthority import counters, revocation, revocation_lists, server_certificates
from certauthority.errors import RequestRefused
from certauthority.models import Authority, Certificate, OcspResponder, RevocationList, RevocationReason
from certauthority.ocsp import making
from certauthority.policy import judge_request
from certauthority.tasks import publish_revocation_lists
from config import heartbeats, measures, queues
from connect.models import Notice, NoticeState
from connect.models.notices import Channel
from kmp.tasks import sweep_requests
from tests.factories import make_credential, make_project
from tests.processes import ROOT, site_environment

Figures = Callable[..., float]


@pytest.fixture
def figure(client: Client) -> Figures:
    """Reads one figure by name and labels; 0 where it is not told."""

    def read(name: str, /, **labels: str) -> float:
        text = client.get("/metrics").content.decode()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return sum(
            float(sample.value)
            for sample in samples
            if sample.name == f"rehearsal_{name}" and labels.items() <= sample.labels.items()
        )

    return read


@pytest.fixture(autouse=True)
def _no_counts(redis_client: redis.Redis) -> None:
    """What the tests before have counted is gone."""
    counters.flush()
    redis_client.delete(counters.KEY)


def make_notice(**fields: object) -> Notice:
    now = timezone.now()
    values = {"kind": "test", "channel": Channel.MAIL, "address": "a@acme.example", "created_at": now, "due_at": now}
    return Notice.objects.create(**{"event": f"test:{Notice.objects.count()}", **values, **fields})


# Figures of the database


def test_issued_and_revoked_certificates(authorities: dict[str, Authority], figure: Figures) -> None:
    issued = figure("certificates_issued_total", authority="developers")
    revoked = figure("certificates_revoked_total", authority="developers", reason="superseded")
    certificate = make_credential(make_project()).certificate
    assert figure("certificates_issued_total", authority="developers") == issued + 1
    assert figure("crl_pending", authority="developers") == 0
    now = timezone.now()
    revocation.revoke(certificate, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=now)
    assert figure("certificates_revoked_total", authority="developers", reason="superseded") == revoked + 1
    assert figure("crl_pending", authority="developers") == 1
    number = figure("crl_number", authority="developers")
    revocation_lists.publish(authorities["developers"], now=now)
    assert figure("crl_pending", authority="developers") == 0
    assert figure("crl_number", authority="developers") == number + 1


def test_the_age_of_lists(authorities: dict[str, Authority], figure: Figures) -> None:
    assert figure("crl_age_seconds", authority="root") < 3600
    begin = timezone.now() - timedelta(hours=30)
    RevocationList.objects.filter(authority=authorities["root"]).update(
        this_update=begin, next_update=begin + timedelta(hours=24)
    )
    assert 30 * 3600 <= figure("crl_age_seconds", authority="root") < 31 * 3600
    assert -6.1 * 3600 <= figure("crl_left_seconds", authority="root") <= -6 * 3600
    assert figure("crl_left_seconds", authority="kmp") > 23 * 3600


def test_of_several_lists_the_oldest_counts(
    authorities: dict[str, Authority], figure: Figures, settings: Settings
) -> None:
    settings.CRL_SHARDS = 2
    publish_revocation_lists()
    certificate = make_credential(make_project()).certificate
    assert figure("crl_entries", authority="developers") == 0
    revocation.revoke(certificate, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=timezone.now())
    assert certificate.crl_shard in (1, 2)
    assert figure("crl_pending", authority="developers") == 1
    publish_revocation_lists()
    assert figure("crl_pending", authority="developers") == 0
    assert figure("crl_entries", authority="developers") == 1
    assert figure("crl_age_seconds", authority="developers") < 3600
    begin = timezone.now() - timedelta(hours=30)
    RevocationList.objects.filter(authority=authorities["developers"], shard=2).update(
        this_update=begin, next_update=begin + timedelta(hours=24)
    )
    assert 30 * 3600 <= figure("crl_age_seconds", authority="developers") < 31 * 3600
    assert -6.1 * 3600 <= figure("crl_left_seconds", authority="developers") <= -6 * 3600


@pytest.mark.parametrize(
    ("channel", "state"), [("mail", "due"), ("mail", "failed"), ("mail", "sent"), ("mail", "skipped")]
)
@pytest.mark.django_db
def test_notices_by_state(channel: str, state: str, figure: Figures) -> None:
    assert figure("notices", channel=channel, state=state) == 0
    make_notice(state=state, sent_at=timezone.now() if state == NoticeState.SENT else None)
    assert figure("notices", channel=channel, state=state) == 1
    assert figure("notices") == 1


@pytest.mark.django_db
def test_how_late_mails_are(figure: Figures) -> None:
    make_notice(due_at=timezone.now() + timedelta(hours=1))
    assert figure("notice_late_seconds") == 0
    make_notice(due_at=timezone.now() - timedelta(hours=2))
    assert 7200 <= figure("notice_late_seconds") < 7300


def test_the_ends_of_the_sites_own_certificates(authorities: dict[str, Authority], figure: Figures) -> None:
    server_certificates.certify_if_due(now=timezone.now())
    end = timezone.now() + timedelta(days=3)
    name = "certificate_end_timestamp_seconds"
    assert figure(name, kind="ca", name="kmp") == authorities["kmp"].certificate.not_after.timestamp()
    responder = OcspResponder.objects.get(authority=authorities["kmp"])
    assert figure(name, kind="ocsp-responder", name="kmp") > timezone.now().timestamp()
    Certificate.objects.filter(pk=responder.certificate_id).update(not_after=end)
    assert figure(name, kind="ocsp-responder", name="kmp") == pytest.approx(end.timestamp(), abs=1)
    assert figure(name, kind="endpoint") > (timezone.now() + timedelta(days=80)).timestamp()


# Figures that all processes add to


@pytest.mark.django_db
def test_requests_and_answers(client: Client, figure: Figures) -> None:
    client.get("/healthz")
    client.get("/healthz")
    client.post("/healthz")
    client.get("/no/such/page")
    assert figure("request_seconds_count", view="healthz", method="GET") == 2
    assert figure("request_seconds_count", view="healthz", method="POST") == 1
    assert figure("request_seconds_bucket", view="healthz", method="GET", le="+Inf") == 2
    assert 0 < figure("request_seconds_sum", view="healthz", method="GET") < 60
    assert figure("responses_total", status="405") == 1
    assert figure("responses_total", status="302") + figure("responses_total", status="404") == 1


@pytest.mark.django_db
def test_a_duration_is_in_its_class_and_all_above(figure: Figures) -> None:
    for seconds in (0.001, 0.3, 99.0):
        counters.observe("request_seconds", seconds, view="test", method="GET")
    told = [figure("request_seconds_bucket", view="test", le=end) for end in ("0.005", "0.25", "0.5", "10.0", "+Inf")]
    assert told == [1, 1, 2, 2, 3]
    assert figure("request_seconds_sum", view="test") == pytest.approx(99.301)


def test_what_rules_refuse(authorities: dict[str, Authority], figure: Figures) -> None:
    judged = judge_request(b"not a CSR", requirement=None, holder="x")
    rule = judged.verdicts[0].id
    assert figure("rules_refused_total", rule=rule) == 0
    with pytest.raises(RequestRefused):
        raise RequestRefused(judged.verdicts)
    assert figure("rules_refused_total", rule=rule) == 1


@pytest.mark.django_db
def test_calls_at_the_endpoint(figure: Figures) -> None:
    counters.add("endpoint_calls", environment="sandbox", reason="CLIENT_CERT_REVOKED")
    counters.add("endpoint_calls", environment="sandbox", reason="CLIENT_CERT_REVOKED")
    assert figure("endpoint_calls_total", environment="sandbox", reason="CLIENT_CERT_REVOKED") == 2
    assert figure("endpoint_calls_total") == 2


@pytest.mark.django_db
def test_the_sums_are_those_of_all_processes(figure: Figures) -> None:
    counters.add("responses", status="299")
    program = (
        "import django; django.setup(); from certauthority import counters; counters.add('responses', status='299')"
    )
    environment = {**site_environment(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, timeout=120)
    assert figure("responses_total", status="299") == 2


# Queues, OCSP, heartbeats


@pytest.mark.django_db
def test_messages_that_wait(figure: Figures, redis_client: redis.Redis) -> None:
    assert figure("queue_messages") == figure("queue_oldest_seconds") == 0
    publish_revocation_lists.delay()
    sweep_requests.apply_async()
    assert figure("queue_messages", queue=queues.SIGNING) == 2
    waited = figure("queue_oldest_seconds", queue=queues.SIGNING)
    assert 0 < waited < figure("queue_oldest_seconds", queue=queues.SIGNING)
    redis_client.hset("unacked", "one", "taken")
    assert figure("queue_unacknowledged") == 1
    redis_client.delete(queues.SIGNING)
    assert figure("queue_messages") == figure("queue_oldest_seconds") == 0


def test_the_oldest_ocsp_response(
    authorities: dict[str, Authority], figure: Figures, redis_client: redis.Redis
) -> None:
    certificate = make_credential(make_project()).certificate
    assert figure("ocsp_ready_made_sampled") == 0
    making.make(certificate, now=timezone.now())
    assert figure("ocsp_ready_made_sampled") == 1
    assert figure("ocsp_age_seconds") < 600
    [key] = redis_client.keys("ocsp:*")
    redis_client.expire(key, 3600)
    assert 23 * 3600 <= figure("ocsp_age_seconds") < 23 * 3600 + 60


@pytest.mark.django_db
def test_heartbeats(figure: Figures, redis_client: redis.Redis) -> None:
    redis_client.hset(heartbeats.KEY, heartbeats.BEAT, str(timezone.now().timestamp() - 300))
    assert 300 <= figure("heartbeat_age_seconds", part="beat") < 310


@pytest.mark.django_db
def test_without_redis_the_database_is_still_told(figure: Figures, settings: Settings) -> None:
    assert figure("up", part="redis") == figure("up", part="database") == 1
    settings.REDIS_URL = "unix:///no/such/socket?db=0"
    assert figure("up", part="redis") == 0
    assert figure("up", part="database") == 1
    make_notice()
    assert figure("notices", channel="mail", state="due") == 1


@pytest.mark.django_db
def test_without_the_database_redis_is_still_told(figure: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise DatabaseError

    monkeypatch.setattr(measures, "_certificates", fail)
    counters.add("responses", status="299")
    assert figure("up", part="database") == 0
    assert figure("responses_total", status="299") == 1
