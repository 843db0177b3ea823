"""What the load measurements fill a database with: as many rows as were asked for, each as the site would have it."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from audit.models import AuditEvent
from bench.load import bulk, fill
from certauthority.models import Certificate, CertificateUse, PublicKey
from certauthority.x509.revocation_list import crl_entry
from connect.expiry import scan
from connect.models import Notice
from kmp.applications import create_applications
from kmp.inventory import Order, Wanted, listed
from kmp.models import CertificateRequest, EntryState, InventoryEntry
from kmp.numbers import next_reference, next_request_number
from portal.credentials import Show, counts
from portal.models import Credential, Environment
from tests.factories import make_credential

pytestmark = [pytest.mark.usefixtures("authorities"), pytest.mark.postgresql]
FEW, MANY = 300, 900
DEFINITIONS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'portal_credential'::regclass
UNION SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'portal_credential' ORDER BY 1, 2
"""


def definitions() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(DEFINITIONS)
        return list(cursor.fetchall())


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> tuple[fill.Population, fill.Filler, datetime]:
    """Ten companies with 300 certificates; the one in the middle has 80 of them."""
    monkeypatch.setattr(fill, "COMPANIES", 10)
    monkeypatch.setattr(fill, "MIDDLE", 80)
    monkeypatch.setattr(fill, "LARGE_SHARE", 3)
    # Nobody vacuums inside a test's transaction.
    monkeypatch.setattr(bulk, "analyse", lambda: None)
    create_applications()
    now = timezone.now()
    population = fill.populate(now=now)
    filler = fill.Filler(population, now=now)
    filler.fill(FEW)
    return population, filler, now


def test_there_are_as_many_as_asked_for(filled: tuple[fill.Population, fill.Filler, datetime]) -> None:
    population, filler, _ = filled
    for total in (FEW, MANY):
        if total == MANY:
            filler.fill(MANY)
        made = Certificate.objects.filter(common_name__endswith="-Client-MTF-000000")
        assert (
            made.count()
            == total
            == PublicKey.objects.filter(fingerprint__in=made.values("public_key_fingerprint")).count()
        )
        assert Credential.objects.count() == InventoryEntry.objects.count() == CertificateRequest.objects.count()
        assert Credential.objects.filter(project__company=population.middle.company).count() == 40
        assert Credential.objects.filter(project__in=population.large.projects).count() == total // 6
    with pytest.raises(ValueError, match="too few"):
        filler.fill(MANY)


def test_indexes_and_constraints_are_what_they_were(
    filled: tuple[fill.Population, fill.Filler, datetime],
) -> None:
    before = definitions()
    filled[1].fill(MANY)
    assert definitions() == before
    assert {"credential_listed", "credential_live_alias", "membership_once"} & {name for name, _ in before} == {
        "credential_listed",
        "credential_live_alias",
    }


def test_nobody_is_to_be_told_anything_now(filled: tuple[fill.Population, fill.Filler, datetime]) -> None:
    before = Notice.objects.count()
    assert before > 0
    assert scan.scan(now=filled[2]) == 0
    assert Notice.objects.count() == before


def test_a_list_has_every_kind(filled: tuple[fill.Population, fill.Filler, datetime]) -> None:
    population, _, now = filled
    shown = counts(population.large.projects[0], Environment.SANDBOX, now=now)
    assert all(shown[show] > 0 for show in Show)
    of_company = partial(listed, population.large.company, Wanted(), Order(), now=now)
    assert {entry.state for entry in of_company()} == set(EntryState)


def test_what_belongs_to_a_certificate_is_there(filled: tuple[fill.Population, fill.Filler, datetime]) -> None:
    credential = Credential.objects.filter(ended_at__isnull=False).select_related("certificate").first()
    assert credential is not None
    events = AuditEvent.objects.filter(object_type="credential", object_id=str(credential.pk)).order_by("id")
    assert [event.action for event in events] == ["credential.added", "credential.revoked"]
    certificate = credential.certificate
    assert certificate.crl_entry is not None
    assert bytes(certificate.crl_entry) == crl_entry(
        serial=int(certificate.serial, 16), revoked_at=filled[2], reason="superseded"
    )
    assert CertificateUse.objects.filter(last_used_at__lt=F("first_used_at")).count() == 0
    assert Credential.objects.exclude(expires_at=F("certificate__not_after")).count() == 0
    renewed = InventoryEntry.objects.filter(renews__isnull=False)
    assert renewed.count() == renewed.filter(line=F("renews__line"), renews__state=EntryState.RENEWED).count() > 0


def test_the_use_cases_go_on_from_there(filled: tuple[fill.Population, fill.Filler, datetime]) -> None:
    assert make_credential(filled[0].middle.projects[0]).pk is not None
    assert next_request_number() == f"REQ-{FEW + 1:08}"
    assert next_reference() == f"KM-{fill.REFERENCES_FROM + FEW + 1}"
