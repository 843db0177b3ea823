"""What ``/metrics`` tells, in the text format of Prometheus. docs/operations.md says what to watch.

What the database knows is asked of it at each scrape, so that it is true for the site as a whole, whatever process
answers, and after a restart. The rest are sums that all processes keep in Redis (``certauthority.counters``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import redis
from django.db import DatabaseError, transaction
from django.db.models import Count, Max, Min
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from certauthority import counters, revocation_lists
from certauthority.models import Authority, Certificate, OcspResponder, PublicKey, RevocationList
from certauthority.models.revocation_list import FULL
from certauthority.ocsp import ready_made
from certauthority.ocsp.answers import LIFETIME
from certauthority.server_certificates import HOLDER
from config import heartbeats, message_queues
from connect.models import Notice, NoticeState, WebhookDelivery
from connect.models.notices import Channel
from connect.models.webhooks import DeliveryState
from kmp.models import CertificateRequest, RequestState

PREFIX = "rehearsal_"
_SUMS = {
    "rules_refused": ("Requests and uploads that a rule refused, by rule", ("rule",)),
    "responses": ("Answers of the web server by status", ("status",)),
    "endpoint_calls": ("Calls at the live mTLS endpoint by what it said of the certificate", ("environment", "reason")),
}


class SiteCollector(Collector):
    """Asks the database and Redis anew for each scrape. Where one is away, the figures of the other are still told."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(f"{PREFIX}up", "Whether this part answers", labels=["part"])
        yield from _asked("database", _of_database, DatabaseError, up)
        yield from _asked("redis", _of_redis, redis.RedisError, up)
        yield up


def _asked(part: str, ask: Callable[[], list[Metric]], away: type[Exception], up: GaugeMetricFamily) -> list[Metric]:
    try:
        found = ask()
    except away:
        up.add_metric([part], 0)
        return []
    up.add_metric([part], 1)
    return found


def _of_database() -> list[Metric]:
    now = timezone.now()
    with transaction.atomic():
        return [
            *_certificates(),
            *_notices(now),
            _by_state("webhook_deliveries", "Messages to webhooks by state", WebhookDelivery, DeliveryState.values),
            _by_state("kmp_requests", "Requests in KMP by state", CertificateRequest, RequestState.values),
            *_lists(now),
            _ends(),
        ]


def _of_redis() -> list[Metric]:
    now = timezone.now()
    return [*_sums(), *_queues(now), *_ready_made(), _heartbeats(now)]


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}{name}", text, labels=labels)


def _certificates() -> list[Metric]:
    issued = CounterMetricFamily(f"{PREFIX}certificates_issued", "Certificates signed by our CAs", labels=["authority"])
    revoked = CounterMetricFamily(
        f"{PREFIX}certificates_revoked", "Certificates of our CAs that were revoked", labels=["authority", "reason"]
    )
    ours = Certificate.objects.filter(authority__isnull=False).order_by()
    names = dict(Authority.objects.values_list("pk", "name"))
    for authority, count in ours.values_list("authority").annotate(count=Count("pk")):
        issued.add_metric([names[authority]], count)
    gone = ours.filter(revoked_at__isnull=False)
    for authority, reason, count in gone.values_list("authority", "revocation_reason").annotate(count=Count("pk")):
        revoked.add_metric([names[authority], reason], count)
    return [issued, revoked]


def _notices(now: datetime) -> list[Metric]:
    states = _gauge("notices", "Notices by channel and state", "channel", "state")
    found = {
        (channel, state): count
        for channel, state, count in Notice.objects.order_by()
        .values_list("channel", "state")
        .annotate(count=Count("pk"))
    }
    for channel in Channel.values:
        for state in NoticeState.values:
            states.add_metric([channel, state], found.get((channel, state), 0))
    late = _gauge("notice_late_seconds", "How long the mail that is due longest has been due")
    due = Notice.objects.filter(state=NoticeState.DUE, channel=Channel.MAIL, due_at__lte=now)
    first = due.aggregate(first=Min("due_at"))["first"]
    late.add_metric([], (now - first).total_seconds() if first else 0)
    return [states, late]


def _by_state(
    name: str, text: str, model: type[WebhookDelivery | CertificateRequest], states: list[str]
) -> GaugeMetricFamily:
    gauge = _gauge(name, text, "state")
    found = dict(model.objects.order_by().values_list("state").annotate(count=Count("pk")))
    for state in states:
        gauge.add_metric([state], found.get(state, 0))
    return gauge


def _lists(now: datetime) -> list[Metric]:
    age = _gauge("crl_age_seconds", "Time since the oldest of the CRLs in force was signed", "authority")
    left = _gauge("crl_left_seconds", "Time until the first of them runs out; below zero after it", "authority")
    number = _gauge("crl_number", "Number of the newest CRL", "authority")
    entries = _gauge("crl_entries", "Certificates on the full CRL", "authority")
    pending = _gauge("crl_pending", "Revoked certificates that are not on the CRL that they name", "authority")
    lists: dict[int, list[RevocationList]] = {}
    for crl in revocation_lists.newest():
        lists.setdefault(crl.authority_id, []).append(crl)
    for authority in Authority.objects.all():
        pending.add_metric([authority.name], revocation_lists.pending_of(authority).count())
        if found := lists.get(authority.pk):
            age.add_metric([authority.name], max((now - crl.this_update).total_seconds() for crl in found))
            left.add_metric([authority.name], min((crl.next_update - now).total_seconds() for crl in found))
            number.add_metric([authority.name], max(crl.number for crl in found))
            entries.add_metric([authority.name], max((crl.entries for crl in found if crl.shard == FULL), default=0))
    return [age, left, number, entries, pending]


def _ends() -> Metric:
    """In seconds since 1970: an alarm reckons with ``time()``."""
    ends = _gauge("certificate_end_timestamp_seconds", "When a certificate of the site itself ends", "kind", "name")
    for name, end in Authority.objects.values_list("name", "certificate__not_after"):
        ends.add_metric(["ca", name], end.timestamp())
    for name, end in OcspResponder.objects.values_list("authority__name", "certificate__not_after"):
        ends.add_metric(["ocsp-responder", name], end.timestamp())
    keys = PublicKey.objects.filter(holder=HOLDER).values("fingerprint")
    end = Certificate.objects.filter(public_key_fingerprint__in=keys).aggregate(end=Max("not_after"))["end"]
    if end is not None:
        ends.add_metric(["endpoint", "endpoint"], end.timestamp())
    return ends


def _sums() -> Iterator[Metric]:
    found = counters.read()
    for name, (text, labels) in _SUMS.items():
        family = CounterMetricFamily(f"{PREFIX}{name}", text, labels=labels)
        for given, amount in sorted(found.get(name, {}).items()):
            by_label = dict(given)
            family.add_metric([by_label.get(label, "") for label in labels], amount)
        yield family
    yield _durations(found)


def _durations(found: dict[str, dict[counters.Labels, float]]) -> Metric:
    family = HistogramMetricFamily(
        f"{PREFIX}request_seconds", "How long requests took, by name of the address", labels=["view", "method"]
    )
    ends = [*map(str, counters.BUCKETS), "+Inf"]
    counted = found.get("request_seconds_bucket", {})
    for given, seconds in sorted(found.get("request_seconds_sum", {}).items()):
        total, buckets = 0.0, []
        for end in ends:
            total += counted.get((*given, ("le", end)), 0)
            buckets.append((end, total))
        by_label = dict(given)
        family.add_metric([by_label["view"], by_label["method"]], buckets, sum_value=seconds)
    return family


def _queues(now: datetime) -> list[Metric]:
    depth = _gauge("queue_messages", "Messages that no worker has taken", "queue")
    oldest = _gauge("queue_oldest_seconds", "How long the oldest of them has waited", "queue")
    taken = _gauge("queue_unacknowledged", "Messages that workers have taken and not finished")
    for queue in message_queues.read(now=now):
        depth.add_metric([queue.name], queue.messages)
        oldest.add_metric([queue.name], queue.oldest_seconds)
    taken.add_metric([], message_queues.unacknowledged())
    return [depth, oldest, taken]


def _ready_made() -> list[Metric]:
    age = _gauge("ocsp_age_seconds", "Time since the oldest OCSP response made ahead was signed")
    count = _gauge("ocsp_ready_made_sampled", "OCSP responses made ahead that were looked at for their age")
    lefts = ready_made.times_left()
    count.add_metric([], len(lefts))
    age.add_metric([], max((LIFETIME.total_seconds() - left for left in lefts), default=0))
    return [age, count]


def _heartbeats(now: datetime) -> Metric:
    ages = _gauge("heartbeat_age_seconds", "Time since this part was last seen at work", "part")
    for part, at in heartbeats.read().items():
        ages.add_metric([part], max(0.0, now.timestamp() - at))
    return ages
