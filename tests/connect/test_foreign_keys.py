"""The key of one company, offered by another: refused, and whoever runs the site hears of it."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority import trust
from certauthority.errors import RequestRefused
from certauthority.models import Authority, PublicKey
from certauthority.x509.requests import new_private_key
from certauthority.x509.verdicts import broken
from connect import foreign_keys
from kmp.applications import create_applications
from portal.enrolment import NewCredential, add_from_csr, add_uploaded
from portal.models import CredentialMethod, Environment, Project
from tests.factories import make_csr, make_project
from tests.kmp.factories import make_entry, make_kmp_csr, make_officer, rules_for
from tests.kmp.wizard import company_of, make_draft
from tests.portal.foreign_ca import ForeignCa

pytestmark = pytest.mark.django_db
MALLORY = Actor("mallory@globex.example", "192.0.2.7")


def alarms() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=foreign_keys.ACTION).order_by("id"))


def new(project: Project, method: CredentialMethod = CredentialMethod.PASTED_CSR) -> NewCredential:
    return NewCredential(
        project=project, environment=Environment.SANDBOX, alias="payouts", method=method, submission=uuid.uuid4()
    )


def refuse(project: Project, csr: bytes, *, now: datetime) -> None:
    with pytest.raises(RequestRefused) as refused:
        add_from_csr(new(project), csr, actor=MALLORY, now=now)
    assert [verdict.id for verdict in broken(refused.value.verdicts)] == ["key.holder"]


def test_a_csr_in_the_developers_portal(authorities: dict[str, Authority], caplog: pytest.LogCaptureFixture) -> None:
    key, now = new_private_key(), timezone.now()
    ours, theirs = make_project(), make_project()
    add_from_csr(new(ours), make_csr(ours, key=key), actor=Actor("alice@acme.example"), now=now)
    csr = make_csr(theirs, key=key, unique="1790000001")
    refuse(theirs, csr, now=now)
    (alarm,) = alarms()
    fingerprint = PublicKey.objects.get(holder=str(ours.company_id)).fingerprint
    assert (alarm.actor, alarm.address, alarm.object_id) == (MALLORY.name, MALLORY.address, fingerprint)
    assert (alarm.company, alarm.project) == (str(theirs.company_id), ""), "no page of a project shows it"
    (line,) = [record for record in caplog.records if record.name == foreign_keys.__name__]
    assert line.levelno == logging.ERROR
    assert fingerprint in line.getMessage()
    assert str(ours.company_id) not in line.getMessage() + alarm.object_label, "whose key it is stays unsaid"
    refuse(theirs, csr, now=now + timedelta(hours=1))
    assert len(alarms()) == 1, "one a day"
    refuse(theirs, csr, now=now + timedelta(days=1, hours=1))
    assert len(alarms()) == 2


def test_an_uploaded_certificate(authorities: dict[str, Authority]) -> None:
    key, now, ca = ec.generate_private_key(ec.SECP256R1()), timezone.now(), ForeignCa()
    trust.add(ca.pem, note="", actor=Actor("staff@site.example"), now=now)
    ours, theirs = make_project(), make_project()
    way = CredentialMethod.UPLOADED_CERTIFICATE
    certificates = [ca.client_certificate(f"{name}.elsewhere.example", key=key) + ca.pem for name in ("one", "two")]
    add_uploaded(new(ours, way), certificates[0], actor=Actor("alice@acme.example"), now=now)
    with pytest.raises(RequestRefused):
        add_uploaded(new(theirs, way), certificates[1], actor=MALLORY, now=now)
    assert [alarm.company for alarm in alarms()] == [str(theirs.company_id)]


def test_a_csr_in_kmp(authorities: dict[str, Authority]) -> None:
    create_applications()
    key, officer = new_private_key(), make_officer()
    make_entry(company_of(make_officer()), key=key)
    make_draft(officer, csr=make_kmp_csr(rules_for(company_of(officer)), key=key))
    assert [(alarm.actor, alarm.company) for alarm in alarms()] == [(officer.email, str(company_of(officer).pk))]


def test_ones_own_key_raises_none(authorities: dict[str, Authority]) -> None:
    create_applications()
    key, officer = new_private_key(), make_officer()
    make_entry(company_of(officer), key=key)
    make_draft(officer, csr=make_kmp_csr(rules_for(company_of(officer)), key=key))
    project = make_project()
    add_from_csr(new(project), make_csr(project), actor=MALLORY, now=timezone.now())
    assert alarms() == []
