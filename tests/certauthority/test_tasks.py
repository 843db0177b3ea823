"""The CA's background work, in a real worker process through a real Redis."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import Settings

from audit.events import Actor
from certauthority import issuance, policy, revocation, tasks
from certauthority.models import Authority, Certificate, RevocationList, RevocationReason
from certauthority.models.authority import AuthorityPurpose
from certauthority.x509.requests import build_request, new_private_key
from certauthority.x509.subject_rules import SubjectRequirement
from config.schedule import SCHEDULE

REQUIREMENT = SubjectRequirement("MTF", "123456", "Acme Payments Ltd", "Checkout API")
Worker = subprocess.Popen[bytes]


def issue() -> Certificate:
    csr = build_request(REQUIREMENT.example_subject("1"), new_private_key())
    judgement = policy.judge_request(csr, requirement=REQUIREMENT, holder="acme")
    with transaction.atomic():
        return issuance.issue(judgement, purpose=AuthorityPurpose.DEVELOPERS, now=timezone.now())


def revoke(certificate: Certificate) -> None:
    revocation.revoke(
        certificate, reason=RevocationReason.SUPERSEDED, actor=Actor("alice@acme.example"), now=timezone.now()
    )


def wait_until(is_so: Callable[[], bool]) -> None:
    last_moment = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < last_moment, "the worker did not do its work"
        time.sleep(0.05)


def is_on_crl(certificate: Certificate) -> bool:
    return Certificate.objects.filter(pk=certificate.pk, on_crl_at__isnull=False).exists()


def test_a_revocation_is_soon_on_the_crl(celery_worker_process: Worker, authorities: dict[str, Authority]) -> None:
    certificate = issue()
    revoke(certificate)
    wait_until(lambda: is_on_crl(certificate))
    assert RevocationList.objects.filter(authority=authorities["developers"]).count() == 2


def test_a_revocation_is_soon_on_the_list_that_its_certificate_names(
    celery_worker_process: Worker, authorities: dict[str, Authority], settings: Settings
) -> None:
    """The worker may know of no shards yet: the message says which list it is."""
    settings.CRL_SHARDS = 8
    certificate = issue()
    revoke(certificate)
    wait_until(lambda: is_on_crl(certificate))
    made = RevocationList.objects.exclude(shard=0)
    assert [(crl.authority, crl.shard, crl.entries) for crl in made] == [
        (authorities["developers"], certificate.crl_shard, 1)
    ]
    assert RevocationList.objects.filter(shard=0).count() == 4, "the fixture's own"


def test_every_list_is_made_anew_by_the_hour(celery_worker_process: Worker, authorities: dict[str, Authority]) -> None:
    tasks.publish_revocation_lists.delay()
    wait_until(lambda: RevocationList.objects.count() == 8)


@pytest.mark.django_db
def test_a_list_of_the_last_minutes_is_not_made_again_unless_it_lacks_something(
    authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second beat, or the same message twice: what beat sends names how old a list may be."""
    kwargs = SCHEDULE["publish revocation lists"]["kwargs"]
    tasks.publish_revocation_lists(**kwargs)
    assert RevocationList.objects.count() == 4, "the fixture's own"
    RevocationList.objects.update(this_update=timezone.now() - timedelta(seconds=kwargs["older_than_seconds"] + 1))
    for _ in range(2):
        tasks.publish_revocation_lists(**kwargs)
        assert RevocationList.objects.count() == 8
    monkeypatch.setattr(tasks.publish_revocation_list, "delay", away)
    revoke(issue())
    tasks.publish_revocation_lists(**kwargs)
    assert RevocationList.objects.count() == 9
    assert RevocationList.objects.filter(authority=authorities["developers"]).latest("number").entries == 1


def test_the_sweep_finds_a_revocation_whose_message_was_lost(
    celery_worker_process: Worker, authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = issue()
    with monkeypatch.context() as broken:
        broken.setattr(tasks.publish_revocation_list, "delay", away)
        revoke(certificate)
    assert not is_on_crl(certificate)
    tasks.sweep_revocations.delay()
    wait_until(lambda: is_on_crl(certificate))


def test_what_was_issued_is_linted(celery_worker_process: Worker, authorities: dict[str, Authority]) -> None:
    certificate = issue()
    tasks.lint_issued_certificates.delay()
    wait_until(lambda: Certificate.objects.filter(pk=certificate.pk, linted_at__isnull=False).exists())
    assert Certificate.objects.get(pk=certificate.pk).lint_findings == ""


@pytest.mark.django_db
def test_a_finding_is_kept_and_logged(authorities: dict[str, Authority], caplog: pytest.LogCaptureFixture) -> None:
    certificate = issue()
    key_identifier = bytes.fromhex("0603551d0e")  # subjectKeyIdentifier becomes an extension that nobody knows
    flawed = bytes(certificate.der).replace(key_identifier, bytes.fromhex("0603551d7f"))
    Certificate.objects.filter(pk=certificate.pk).update(der=flawed)
    tasks.lint_issued_certificates()
    certificate.refresh_from_db()
    assert certificate.lint_findings == "WARNING pkix.certificate_skid_end_entity_missing"
    assert "does not pass the lint" in caplog.text


def test_a_broker_that_is_away_does_not_undo_the_revocation(
    transactional_db: None, authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.publish_revocation_list, "delay", away)
    certificate = issue()
    revoke(certificate)
    assert Certificate.objects.get(pk=certificate.pk).revoked_at is not None


def away(*arguments: int) -> None:
    raise OperationalError("Redis is away")
