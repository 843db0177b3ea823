"""`Known everywhere` and `Try it` on `Certificate Details`."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority import revocation_lists
from certauthority.models import Authority, ReasonCode, RevocationReason
from certauthority.use_records import SeenCall, record_calls
from connect.models import Company
from kmp import entries
from kmp.models import Environment, InventoryEntry
from kmp.try_it import try_it
from tests.connect.factories import move_clock
from tests.kmp.factories import let_entry_expire, make_chain, make_entry
from tests.page_text import text_of

HTMX = {"HX-Request": "true"}


@pytest.fixture
def entry(acme: Company) -> InventoryEntry:
    return make_entry(acme)


def steps_on(client: Client, entry: InventoryEntry) -> str:
    return text_of(client.get(reverse("kmp:entry_propagation", args=[entry.reference]), headers=HTMX))


def refused(entry: InventoryEntry, reason: ReasonCode) -> None:
    call = SeenCall(
        certificate_id=entry.certificate_id,
        at=timezone.now(),
        accepted=False,
        reason=reason,
        environment="sandbox",
        client_address="192.0.2.7",
        tls_version="TLSv1.3",
        cipher="TLS_AES_256_GCM_SHA384",
    )
    record_calls([call])


def test_the_steps_follow_what_happens(
    as_olga: Client, entry: InventoryEntry, authorities: dict[str, Authority]
) -> None:
    assert "Issued By KMP CA." in steps_on(as_olga, entry)
    refused(entry, ReasonCode.NOT_ON_PROJECT)
    assert "was answered “Not on any project”" in steps_on(as_olga, entry)
    reason = RevocationReason.SUPERSEDED
    entries.revoke(entry, reason=reason, actor=Actor("olga@acme.example"), now=timezone.now())
    assert "On the CRL waiting" in steps_on(as_olga, entry)
    crl = revocation_lists.publish(authorities["kmp"], now=timezone.now())
    assert crl is not None
    assert f"With number {crl.number} of KMP CA." in steps_on(as_olga, entry)
    assert "Known everywhere" in text_of(as_olga.get(reverse("kmp:entry", args=[entry.reference])))


def test_the_companys_clock_decides_what_has_expired(as_olga: Client, acme: Company, entry: InventoryEntry) -> None:
    assert "Expired" not in steps_on(as_olga, entry)
    move_clock(acme, entry.certificate.not_after - timezone.now() + timedelta(minutes=1))
    assert "Expired By the company’s clock" in steps_on(as_olga, entry)


def test_who_opens_the_fragment_gets_the_page_and_strangers_nothing(
    as_olga: Client, as_charlie: Client, entry: InventoryEntry
) -> None:
    url = reverse("kmp:entry_propagation", args=[entry.reference])
    assert as_olga.get(url)["Location"] == reverse("kmp:entry", args=[entry.reference])
    assert as_charlie.get(url, headers=HTMX).status_code == 404


@pytest.mark.parametrize(
    ("environment", "host"), [(Environment.MTF, "sandbox"), (Environment.PRODUCTION, "production")]
)
def test_the_panel_calls_the_host_of_its_environment(
    as_olga: Client, acme: Company, environment: Environment, host: str
) -> None:
    entry = make_entry(acme, environment=environment)
    page = as_olga.get(reverse("kmp:entry", args=[entry.reference]))
    body, text = html.unescape(page.content.decode()), text_of(page)
    lines = try_it(entry).commands
    assert [line.label for line in lines][:5] == ["curl", "Python", "Java", "Node", "openssl"]
    for line in lines:
        assert f'data-copy="{line.text}"' in body
    assert f"curl {settings.GATEWAY_URLS[host]}/whoami" in text
    for name in ("-chain.pem", ".key"):
        assert f"{entry.reference}{name}" in text
    assert "tells a certificate of KMP that it is on no project" in text
    assert 'href="/ca/services.pem" download="rehearsal-services.pem"' in body
    chain = as_olga.get(try_it(entry).chain_url)
    assert f"{entry.reference}-chain.pem" in chain["Content-Disposition"]
    assert chain.content.decode().count("BEGIN CERTIFICATE") == 3


def test_what_cannot_be_downloaded_or_used_has_no_panel(as_olga: Client, acme: Company, entry: InventoryEntry) -> None:
    old, _ = make_chain(acme, versions=2)
    entries.revoke(entry, reason=RevocationReason.SUPERSEDED, actor=Actor("olga"), now=timezone.now())
    for one in (old, entry):
        page = as_olga.get(reverse("kmp:entry", args=[one.reference])).content.decode()
        assert 'id="try-it"' not in page
    expired = make_entry(acme)
    let_entry_expire(expired, in_days=-2)
    assert 'id="try-it"' in as_olga.get(reverse("kmp:entry", args=[expired.reference])).content.decode()
