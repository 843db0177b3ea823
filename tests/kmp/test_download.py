"""`Download`: three formats, with and without `Include Root Chain`, of the latest version alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority.authorities import chain_of
from certauthority.models import Authority, RevocationReason
from certauthority.x509.export import pem_bundle
from connect.models import Company
from kmp import entries
from kmp.models import InventoryEntry
from tests.kmp.factories import let_entry_expire, make_chain, make_entry
from tests.page_text import text_of


@pytest.fixture
def entry(acme: Company) -> InventoryEntry:
    return make_entry(acme)


def url_of(entry: InventoryEntry, query: str = "") -> str:
    return reverse("kmp:entry_download", args=[entry.reference]) + query


def openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def saved(client: Client, entry: InventoryEntry, query: str, directory: Path) -> Path:
    response = client.get(url_of(entry, query))
    assert response.status_code == 200
    path = directory / response["Content-Disposition"].partition('filename="')[2].rstrip('"')
    path.write_bytes(response.content)
    return path


@pytest.mark.parametrize(
    ("query", "content_type", "ending"),
    [
        ("?file_format=pem", "application/x-pem-file", ".pem"),
        ("?file_format=pem&include_chain=on", "application/pem-certificate-chain", "-chain.pem"),
        ("?file_format=der", "application/pkix-cert", ".cer"),
        ("?file_format=p7b", "application/x-pkcs7-certificates", ".p7b"),
        ("?file_format=p7b&include_chain=on", "application/x-pkcs7-certificates", ".p7b"),
    ],
)
def test_each_choice_is_an_attachment_named_after_the_reference(
    as_olga: Client, entry: InventoryEntry, query: str, content_type: str, ending: str
) -> None:
    response = as_olga.get(url_of(entry, query))
    assert response["Content-Type"] == content_type
    assert response["Content-Disposition"] == f'attachment; filename="{entry.reference}{ending}"'
    assert response["X-Content-Type-Options"] == "nosniff"


def test_openssl_reads_all_of_them(as_olga: Client, entry: InventoryEntry, tmp_path: Path) -> None:
    name = entry.common_name
    pem = saved(as_olga, entry, "?file_format=pem", tmp_path)
    assert pem.read_text().count("BEGIN CERTIFICATE") == 1
    assert name in openssl("x509", "-in", str(pem), "-noout", "-subject")
    der = saved(as_olga, entry, "?file_format=der", tmp_path)
    assert name in openssl("x509", "-in", str(der), "-inform", "DER", "-noout", "-subject")
    alone = saved(as_olga, entry, "?file_format=p7b", tmp_path)
    listed = openssl("pkcs7", "-in", str(alone), "-inform", "DER", "-print_certs", "-noout")
    assert name in listed
    assert listed.count("subject=") == 1
    whole = saved(as_olga, entry, "?file_format=p7b&include_chain=on", tmp_path)
    listed = openssl("pkcs7", "-in", str(whole), "-inform", "DER", "-print_certs", "-noout")
    assert listed.count("subject=") == 3
    assert "Rehearsal Root CA" in listed


def test_the_root_chain_stands_after_the_certificate(
    as_olga: Client, entry: InventoryEntry, authorities: dict[str, Authority], tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(pem_bundle(chain_of(authorities["kmp"])))
    chain = saved(as_olga, entry, "?file_format=pem&include_chain=on", tmp_path)
    assert chain.read_text().endswith(bundle.read_text())
    assert entry.common_name in openssl("x509", "-in", str(chain), "-noout", "-subject")
    told = openssl("verify", "-purpose", "sslclient", "-CAfile", str(bundle), str(chain))
    assert told.strip().endswith(": OK")


def test_a_chain_does_not_fit_into_der(as_olga: Client, entry: InventoryEntry) -> None:
    response = as_olga.get(url_of(entry, "?file_format=der&include_chain=on"))
    assert response["Content-Type"].startswith("text/html")
    assert "A DER file holds one certificate and no chain." in text_of(response)


@pytest.mark.parametrize("query", ["", "?file_format=exe", "?file_format=", "?include_chain=on", "?file_format=pem%00"])
def test_without_a_format_there_is_the_choice(as_olga: Client, entry: InventoryEntry, query: str) -> None:
    response = as_olga.get(url_of(entry, query))
    if "%00" in query:
        assert response.status_code == 400
        return
    text = text_of(response)
    for label in ("PEM", "DER", "PKCS #7", "Include Root Chain", entry.reference, entry.common_name):
        assert label in text
    assert ("Choose" in text) == bool(query)
    assert "Content-Disposition" not in response


def test_a_superseded_version_is_refused_with_the_way_to_the_newest(as_olga: Client, acme: Company) -> None:
    first, second, third = make_chain(acme, 3)
    for entry in (first, second):
        for query in ("", "?file_format=pem", "?file_format=der&include_chain=on"):
            response = as_olga.get(url_of(entry, query))
            assert response.status_code == 409
            text = text_of(response)
            assert f"{entry.reference} has been renewed, and only the latest version can be downloaded" in text
            assert url_of(third) in response.content.decode()
            assert b"BEGIN CERTIFICATE" not in response.content
    assert as_olga.get(url_of(third, "?file_format=pem")).status_code == 200


def test_a_superseded_one_stays_refused_when_the_newest_is_revoked(as_olga: Client, acme: Company) -> None:
    first, second = make_chain(acme, 2)
    entries.revoke(second, reason=RevocationReason.SUPERSEDED, actor=Actor("olga"), now=timezone.now())
    assert as_olga.get(url_of(first, "?file_format=pem")).status_code == 409
    assert as_olga.get(url_of(second, "?file_format=pem")).status_code == 200


def test_expired_and_revoked_ones_can_be_looked_into(as_olga: Client, acme: Company, entry: InventoryEntry) -> None:
    let_entry_expire(entry, in_days=-1)
    assert "This certificate has expired" in text_of(as_olga.get(url_of(entry)))
    assert as_olga.get(url_of(entry, "?file_format=der")).content == bytes(entry.certificate.der)
    revoked = make_entry(acme)
    entries.revoke(revoked, reason=RevocationReason.SUPERSEDED, actor=Actor("olga"), now=timezone.now())
    assert "This certificate was revoked" in text_of(as_olga.get(url_of(revoked)))
    assert as_olga.get(url_of(revoked, "?file_format=der")).content == bytes(revoked.certificate.der)


def test_other_methods_and_other_people_get_nothing(as_olga: Client, as_charlie: Client, entry: InventoryEntry) -> None:
    assert as_olga.post(url_of(entry, "?file_format=pem")).status_code == 405
    for reference in (entry.reference, "KM-999999"):
        address = reverse("kmp:entry_download", args=[reference])
        assert as_charlie.get(f"{address}?file_format=pem").status_code == 404
        assert Client().get(f"{address}?file_format=pem").status_code == 302
