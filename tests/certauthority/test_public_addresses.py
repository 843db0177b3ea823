"""/ca/: CRLs and CA certificates for everybody, cacheable, never stale."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from certauthority.models import Authority, RevocationList
from certauthority.records import facts_of

pytestmark = pytest.mark.django_db


def test_the_crl_is_der_public_and_cacheable(client: Client, authorities: dict[str, Authority]) -> None:
    response = client.get("/ca/developers.crl")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pkix-crl"
    assert response["Cache-Control"] == "public, max-age=300, must-revalidate"
    assert response.content == bytes(RevocationList.objects.get(authority=authorities["developers"]).der)


def test_a_cache_never_keeps_it_past_next_update(client: Client, authorities: dict[str, Authority]) -> None:
    crl = RevocationList.objects.get(authority=authorities["developers"])
    with time_machine.travel(crl.next_update - timedelta(seconds=40), tick=False):
        assert client.get("/ca/developers.crl")["Cache-Control"] == "public, max-age=39, must-revalidate"


def test_a_stale_crl_is_not_served(client: Client, authorities: dict[str, Authority]) -> None:
    RevocationList.objects.update(next_update=timezone.now())
    response = client.get("/ca/root.crl")
    assert response.status_code == 503
    assert response["Cache-Control"] == "no-store"


def test_the_ca_certificate_is_der(client: Client, authorities: dict[str, Authority]) -> None:
    response = client.get("/ca/kmp.crt")
    assert response["Content-Type"] == "application/pkix-cert"
    assert response.content == bytes(authorities["kmp"].certificate.der)


def test_the_bundle_goes_up_to_the_root(client: Client, authorities: dict[str, Authority]) -> None:
    response = client.get("/ca/developers.pem")
    pems = [facts_of(authorities[name].certificate).pem for name in ("developers", "root")]
    assert response.content.decode() == "".join(pems)


@pytest.mark.parametrize("ending", ["crl", "crt", "pem"])
def test_an_unknown_authority_is_404(ending: str, client: Client, authorities: dict[str, Authority]) -> None:
    assert client.get(f"/ca/developers-g2.{ending}").status_code == 404


def test_only_reading_is_allowed(client: Client, authorities: dict[str, Authority]) -> None:
    assert client.post("/ca/developers.crl").status_code == 405
