"""Background work of the CA. Each task may run twice, late, or after its message was lost and found by a sweep."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from certauthority import background, crl_shards, lint, revocation_lists, server_certificates, use_purge
from certauthority.crl_shards import Scope
from certauthority.models import Authority, Certificate
from certauthority.models.revocation_list import FULL
from certauthority.ocsp import making, responders

logger = logging.getLogger(__name__)

LINT_PAGE = 500
SWEEP_PAUSE = timedelta(minutes=1)
# So many pages of certificates are looked at by one task, which then sends the next: none runs into its time limit.
OCSP_PAGES = 10


@shared_task(autoretry_for=(Exception,), retry_backoff=True, max_retries=5)
def publish_revocation_list(authority_id: int, shard: int = FULL) -> None:
    """Put the newest revocations of one authority on its CRL, or on that of one of its shards."""
    authority = Authority.objects.filter(pk=authority_id).first()
    if authority is None:
        logger.error("There is no authority %s to publish a CRL for.", authority_id)
        return
    crl = revocation_lists.publish(authority, shard=shard, now=timezone.now(), only_if_pending=True)
    if crl is None:
        return
    logger.info("Published CRL %s of %s with %s entries.", crl.number, Scope(authority, shard).label, crl.entries)
    if revocation_lists.pending(authority, shard).exists():
        background.enqueue(publish_revocation_list, authority_id, shard)


@shared_task
def publish_revocation_lists(older_than_seconds: float = 0) -> None:
    """Publish every CRL of every authority, hourly, so that none grows stale and full ones have what shards list.

    What is newer and complete stays, so that the same hour's message makes one list, however often it is sent.
    """
    for scope in crl_shards.scopes():
        now = timezone.now()
        since = now - timedelta(seconds=older_than_seconds) if older_than_seconds else None
        revocation_lists.publish(scope.authority, shard=scope.shard, now=now, unless_since=since)


@shared_task
def sweep_revocations() -> None:
    """Publish what is due although its message was lost, unless another worker has just done so."""
    now = timezone.now()
    for scope in revocation_lists.due(now=now):
        revocation_lists.publish(scope.authority, shard=scope.shard, now=now, unless_since=now - SWEEP_PAUSE)


@shared_task
def lint_issued_certificates() -> None:
    """Lint what our CAs issued since the last run; a finding is kept and raises the alarm in /readyz."""
    rows = Certificate.objects.filter(authority__isnull=False, linted_at=None).order_by("recorded_at")
    for certificate in rows[:LINT_PAGE]:
        findings = "; ".join(map(str, lint.lint_certificate(bytes(certificate.der))))
        Certificate.objects.filter(pk=certificate.pk).update(linted_at=timezone.now(), lint_findings=findings)
        if findings:
            logger.error("Certificate %s of ours does not pass the lint: %s", certificate.serial, findings)


@shared_task
def tend_ocsp() -> None:
    """Take back what Redis may have kept against a row, renew responders' certificates before they end, and make the
    responses for what was just issued.
    """
    making.settle()
    for responder in responders.renew_due(now=timezone.now()):
        logger.info("Certified the OCSP responder of %s.", responder.authority.name)
    making.make_recent(now=timezone.now())


@shared_task
def make_ocsp_response(certificate_id: str) -> None:
    """Make the responses for a certificate that was just revoked; without them each is signed on the spot."""
    certificate = Certificate.objects.select_related("authority").filter(pk=certificate_id).first()
    if certificate is None:
        logger.error("There is no certificate %s to make OCSP responses for.", certificate_id)
        return
    making.make(certificate, now=timezone.now())


@shared_task
def make_ocsp_responses() -> None:
    """Begin a round through all live certificates: responses that are missing, or past half their life, are made."""
    for authority_id in Authority.objects.values_list("pk", flat=True):
        background.enqueue(make_ocsp_responses_of, authority_id)


@shared_task
def make_ocsp_responses_of(authority_id: int, after: str = "") -> None:
    """The round of one authority, from a certificate's id on."""
    authority = Authority.objects.filter(pk=authority_id).first()
    if authority is None:
        logger.error("There is no authority %s to make OCSP responses for.", authority_id)
        return
    last: UUID | None = UUID(after) if after else None
    for _ in range(OCSP_PAGES):
        last = making.make_page(authority, after=last, now=timezone.now())
        if last is None:
            return
    background.enqueue(make_ocsp_responses_of, authority_id, str(last))


@shared_task
def certify_endpoint() -> None:
    """Renew the server certificate of the live mTLS endpoint before it ends, daily."""
    facts = server_certificates.certify_if_due(now=timezone.now())
    if facts is not None:
        logger.info("Certified the mTLS endpoint until %s.", facts.not_after)


@shared_task
def purge_use() -> None:
    """Remove what the endpoint counted more than 90 days ago."""
    removed = use_purge.purge(now=timezone.now())
    logger.info("Removed %s rows of use that are older than %s days.", removed, use_purge.KEPT.days)


@shared_task
def purge_use_minutes() -> None:
    """Remove the counts of minutes that no “in the last hour” asks for any more."""
    use_purge.purge_minutes(now=timezone.now())
