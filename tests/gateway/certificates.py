"""Certificates in every state that the endpoint tells apart, made by the use-cases that users call."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.utils import timezone

from audit.events import Actor
from certauthority import trust
from certauthority.models import RevocationReason
from certauthority.x509.armor import certificate_ders
from certauthority.x509.export import pem
from connect.models import Company
from kmp.models import InventoryEntry
from portal.enrolment import NewCredential, add_uploaded
from portal.models import Credential, CredentialMethod, Environment, Project
from portal.revocation import revoke as revoke_credential
from tests.portal.foreign_ca import ForeignCa

SOMEBODY = Actor("somebody@company.example")


def der_of(pem_text: bytes) -> bytes:
    """The one certificate of a PEM file."""
    (der,) = certificate_ders(pem_text)
    return der


def trusted_ca() -> ForeignCa:
    """A CA that staff have put on the list."""
    ca = ForeignCa()
    trust.add(ca.pem, note="", actor=SOMEBODY, now=timezone.now())
    return ca


def upload(
    project: Project, certificate: bytes, *, alias: str = "uploaded", environment: Environment = Environment.SANDBOX
) -> Credential:
    """`Upload mTLS certificate` of a PEM file."""
    new = NewCredential(project, environment, alias, CredentialMethod.UPLOADED_CERTIFICATE, uuid.uuid4())
    return add_uploaded(new, certificate, actor=SOMEBODY, now=timezone.now())


def upload_entry(project: Project, entry: InventoryEntry, *, alias: str = "from-kmp") -> Credential:
    """The same with a certificate of KMP."""
    return upload(project, pem(bytes(entry.certificate.der)).encode(), alias=alias)


def revoke(credential: Credential, reason: RevocationReason = RevocationReason.SUPERSEDED) -> Credential:
    """`Revoke certificate`."""
    assert revoke_credential(credential, reason=reason, actor=SOMEBODY, now=timezone.now())
    credential.refresh_from_db()
    return credential


def clock_back(company: Company) -> None:
    """The company's clock in real time again."""
    company.clock_ahead, company.clock_run = timedelta(0), None
    company.save(update_fields=["clock_ahead", "clock_run"])
