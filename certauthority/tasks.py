"""Background work of the CA. Each task may run twice, late, or after its message was lost and found by a sweep."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from certauthority import lint, revocation_lists
from certauthority.models import Authority, Certificate

logger = logging.getLogger(__name__)

LINT_PAGE = 500


@shared_task(autoretry_for=(Exception,), retry_backoff=True, max_retries=5)
def publish_revocation_list(authority_id: int) -> None:
    """Put the newest revocations of one authority on its CRL."""
    authority = Authority.objects.filter(pk=authority_id).first()
    if authority is None:
        logger.error("There is no authority %s to publish a CRL for.", authority_id)
        return
    crl = revocation_lists.publish(authority, now=timezone.now(), only_if_pending=True)
    if crl is not None:
        logger.info("Published CRL %s of %s with %s entries.", crl.number, authority.name, crl.entries)


@shared_task
def publish_revocation_lists() -> None:
    """Publish a new CRL for every authority, hourly, so that none grows stale."""
    for authority in Authority.objects.all():
        revocation_lists.publish(authority, now=timezone.now())


@shared_task
def sweep_revocations() -> None:
    """Publish what is due although its message was lost."""
    now = timezone.now()
    for authority in revocation_lists.due(now=now):
        revocation_lists.publish(authority, now=now)


@shared_task
def lint_issued_certificates() -> None:
    """Lint what our CAs issued since the last run; a finding is kept and raises the alarm in /readyz."""
    rows = Certificate.objects.filter(authority__isnull=False, linted_at=None).order_by("recorded_at")
    for certificate in rows[:LINT_PAGE]:
        findings = "; ".join(map(str, lint.lint_certificate(bytes(certificate.der))))
        Certificate.objects.filter(pk=certificate.pk).update(linted_at=timezone.now(), lint_findings=findings)
        if findings:
            logger.error("Certificate %s of ours does not pass the lint: %s", certificate.serial, findings)
