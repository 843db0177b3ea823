"""`Certificate Details`: every fact of a certificate, its versions, and what can be done with it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, CertificateUse, RevocationReason
from certauthority.records import facts_of
from connect.models import Company, User
from connect.templatetags.look import colon_hex
from kmp import entries
from kmp.models import InventoryEntry
from kmp.version_chain import draw
from tests.factories import make_company, make_user
from tests.kmp.factories import XBS, let_entry_expire, make_chain, make_entry, make_officer
from tests.page_text import text_of


@pytest.fixture
def company(authorities: dict[str, Authority]) -> Company:
    return make_company(name="Acme Payments Ltd", cid="123456", group_email="certificates@acme.example")


@pytest.fixture
def officer(company: Company) -> User:
    make_officer(company)
    return make_officer(company, email="olga@acme.example", name="Olga Brandt")


@pytest.fixture
def entry(company: Company) -> InventoryEntry:
    return make_entry(company, alternative_names=("api.acme.example", "xn--bcher-kva.example"))


def page_of(user: User, entry: InventoryEntry, name: str = "entry") -> str:
    client = Client()
    client.force_login(user)
    response = client.get(reverse(f"kmp:{name}", args=[entry.reference]))
    assert response.status_code == 200
    return text_of(response) + " | " + " ".join(re.findall(r'href="([^"]*)"', response.content.decode()))


def test_it_shows_every_fact(officer: User, entry: InventoryEntry) -> None:
    text, facts = page_of(officer, entry), facts_of(entry.certificate)
    for value in (
        "Certificate Details",
        entry.reference,
        "Developers portal client",
        "MTF, profile Client",
        entry.common_name,
        colon_hex(entry.serial),
        facts.subject.text,
        "api.acme.example",
        "xn--bcher-kva.example",
        "KMP CA",
        "Certificate SHA-256",
        colon_hex(facts.fingerprint),
        "Public key SHA-256",
        colon_hex(facts.public_key.fingerprint),
        facts.public_key.description,
        "days left",
        "Never seen in use here",
        f"Issued {entry.reference}",
        "-----BEGIN CERTIFICATE-----",
        "Root",
    ):
        assert value in text


def test_its_menu_offers_renewal_download_and_revocation(officer: User, entry: InventoryEntry) -> None:
    text = page_of(officer, entry)
    for label, name in (("Renew Certificate", "renew"), ("Download", "download"), ("Revoke", "revoke")):
        assert label in text
        assert f"/kmp/certificates/{entry.reference}/{name}/" in text


def test_a_renewed_one_offers_its_successor_and_no_download(officer: User, company: Company) -> None:
    first, second, third = make_chain(company, 3)
    text = page_of(officer, second)
    assert f"Renewed By {third.reference}" in text
    assert f"Renews {first.reference}" in text
    assert f"/kmp/certificates/{second.reference}/download/" not in text
    assert f"/kmp/certificates/{second.reference}/renew/" not in text
    assert f"/kmp/certificates/{second.reference}/revoke/" in text
    assert "BEGIN CERTIFICATE" not in text
    assert "Renewed: the next version is" in text


def test_the_versions_are_drawn_as_one_line(officer: User, company: Company) -> None:
    chain = make_chain(company, 3)
    client = Client()
    client.force_login(officer)
    body = client.get(reverse("kmp:entry", args=[chain[1].reference])).content.decode()
    assert body.count('height="28" rx="6"') == 3
    assert 'class="today"' in body
    for entry in chain:
        assert f"{entry.reference} from {entry.issued_at:%-d %b %Y} to {entry.expires_at:%-d %b %Y}" in body
    assert f"Version 2: {chain[1].reference}, this one" in page_of(officer, chain[1])


def test_bars_lie_on_one_axis_of_time(officer: User, company: Company) -> None:
    now = timezone.now()
    chain = make_chain(company, 3)
    drawn = draw(chain, shown=chain[1], now=now)
    assert [version.is_shown for version in drawn.versions] == [False, True, False]
    assert drawn.versions[0].begin == 0
    assert [version.y for version in drawn.versions] == sorted({version.y for version in drawn.versions})
    for version in drawn.versions:
        assert 0 <= version.begin < version.begin + version.width <= 100.02
    first, second = drawn.versions[:2]
    assert first.begin + first.width > second.begin, "a version ends after the next has begun"
    assert drawn.today is not None
    assert drawn.versions[2].begin == pytest.approx(drawn.today, abs=0.1)
    years = [tick.year for tick in drawn.ticks]
    assert years == list(range(chain[0].issued_at.year + 1, chain[-1].expires_at.year + 1))
    assert [tick.x for tick in drawn.ticks] == sorted(tick.x for tick in drawn.ticks)
    assert draw(chain[:1], shown=chain[0], now=now + timedelta(days=9999)).today is None


def test_the_seam_is_explained_where_the_name_was_kept(officer: User, company: Company) -> None:
    first = make_entry(company, XBS)
    assert "Upload mTLS certificate" in page_of(officer, first)
    assert "has the same distinguished name" not in page_of(officer, first)
    second = make_entry(renews=first)
    text = page_of(officer, second)
    assert f"It has the same distinguished name as {first.reference}" in text
    assert "change the unique part" in text
    assert reverse("portal:projects") in text
    other = make_chain(company, 2)[1]
    assert "Its name differs from that of" in page_of(officer, other)


def test_a_revoked_one_says_since_when_and_why(officer: User, entry: InventoryEntry) -> None:
    entries.revoke(
        entry, reason=RevocationReason.CESSATION_OF_OPERATION, actor=Actor(officer.email), now=timezone.now()
    )
    text = page_of(officer, entry)
    assert f"Revoked on {timezone.now():%-d %B %Y}" in text
    assert "Would have expired on" in text
    assert "Reason: Cessation of operation" in text
    assert f"/kmp/certificates/{entry.reference}/revoke/" not in text
    assert f"/kmp/certificates/{entry.reference}/renew/" not in text
    assert f"/kmp/certificates/{entry.reference}/download/" in text
    assert "Upload mTLS certificate" not in text


def test_an_expired_one_says_so(officer: User, entry: InventoryEntry) -> None:
    let_entry_expire(entry, in_days=-3)
    text = page_of(officer, entry)
    assert "Expired 3 days ago" in text
    assert "Upload mTLS certificate" not in text


def test_it_says_when_it_was_last_used(officer: User, entry: InventoryEntry) -> None:
    now = timezone.now()
    CertificateUse.objects.create(certificate=entry.certificate, first_used_at=now, last_used_at=now)
    assert f"Last used {now:%-d %b %Y, %H:%M} UTC" in page_of(officer, entry)
    assert f"Last used {now:%-d %b %Y, %H:%M} UTC" in page_of(officer, entry, "entry_revoke")


@pytest.mark.parametrize("name", ["entry", "entry_download", "entry_revoke"])
def test_another_companys_reference_is_as_if_it_did_not_exist(officer: User, entry: InventoryEntry, name: str) -> None:
    stranger = make_officer(email="charlie@globex.example")
    client = Client()
    client.force_login(stranger)
    client.get(reverse("kmp:inventory"))  # What a session remembers is asked once.
    found = []
    for reference in (entry.reference, "KM-999999"):
        for method in ("get", "post"):
            with CaptureQueriesContext(connection) as captured:
                response = getattr(client, method)(reverse(f"kmp:{name}", args=[reference]))
            found.append((method, response.status_code, len(captured), text_of(response).replace(reference, "")))
    assert found[:2] == found[2:]
    assert found[0][1] == 404


def test_who_is_no_officer_of_the_company_gets_404(officer: User, entry: InventoryEntry, company: Company) -> None:
    colleague = make_user(company=company)
    staff = make_user(company=None, is_staff=True)
    for user in (colleague, staff):
        client = Client()
        client.force_login(user)
        for name in ("entry", "entry_download", "entry_revoke"):
            assert client.get(reverse(f"kmp:{name}", args=[entry.reference])).status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_versions(officer: User, company: Company) -> None:
    found = []
    client = Client()
    client.force_login(officer)
    # What a session and a process remember is asked once.
    client.get(reverse("kmp:entry", args=[make_entry(company).reference]))
    for versions in (2, 5):
        entry = make_chain(company, versions)[-1]
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("kmp:entry", args=[entry.reference]))
        found.append(len(captured))
    assert found[0] == found[1]
