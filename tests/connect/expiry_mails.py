"""Notices of a certificate's end, as the scan stores them, and what went out."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.conf import settings as site_settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from certauthority.models import CertificateUse
from connect import delivery
from connect.clock import company_time
from connect.delivery import Outcome
from connect.expiry.mail import kind_of, subject_of
from connect.expiry.sources import Lifetime, lifetime_of
from connect.models import Channel, Notice, NoticeState
from kmp.models import InventoryEntry
from portal.models import Credential, Environment
from tests.factories import make_credential

ALICE, GROUP = "alice@acme.example", "certs@acme.example"


def lifetime(row: Credential | InventoryEntry) -> Lifetime:
    """What Connect knows of a credential or an entry now."""
    name = "portal" if isinstance(row, Credential) else "kmp"
    found = lifetime_of(f"{name}:{row.pk}")
    assert found is not None
    return found


def stored_notice(about: Lifetime, address: str, *, threshold: int, now: datetime) -> Notice:
    """The due mail about one certificate, stored at a real moment."""
    company_now = company_time(about.company, now)
    return Notice.objects.create(
        event=f"certificate-expires:{about.watched}:{threshold}:{uuid4()}",
        kind=kind_of(threshold),
        channel=Channel.MAIL,
        address=address,
        company=about.company,
        subject=subject_of(about, threshold, now=company_now),
        link=about.act_url,
        state=NoticeState.DUE,
        created_at=now,
        due_at=now,
        scope=about.scope,
        watched=about.watched,
        threshold=threshold,
        clock_run=about.company.clock_run,
        company_at=company_now,
    )


def delivered(notice: Notice, *, now: datetime) -> EmailMultiAlternatives:
    """The mail that goes out of a notice; it fails the test where none does."""
    mail.outbox.clear()
    assert delivery.deliver(notice.pk, now=now) is Outcome.SENT
    notice.refresh_from_db()
    (sent,) = mail.outbox
    assert isinstance(sent, EmailMultiAlternatives)
    return sent


def html_of(sent: EmailMultiAlternatives) -> str:
    """Its HTML part, as it reads: without the places where a long number may be broken."""
    return str(sent.alternatives[0][0]).replace("<wbr>", "")


def use(row: Credential | InventoryEntry, at: datetime) -> None:
    """One call with it at the endpoint, and no other."""
    CertificateUse.objects.update_or_create(
        certificate_id=row.certificate_id, defaults={"first_used_at": at, "last_used_at": at}
    )


def succeed(credential: Credential, alias: str = "payouts-2027") -> Credential:
    """The credential that replaces it."""
    return make_credential(credential.project, Environment.PRODUCTION, alias=alias, predecessor=credential)


def url(path: str) -> str:
    """An address as mails have it."""
    return f"{site_settings.SITE_URL}{path}"
