"""`Sandbox credentials` and `Production credentials`: the table, its filters, its pages."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, CertificateUse, RevocationReason
from portal import revocation
from portal.models import Credential, Environment, Project
from tests.factories import let_expire, make_credential, make_many_credentials, make_project, make_user
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url, page_url

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


def revoked(credential: Credential) -> Credential:
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())
    return credential


def test_the_table_says_what_is_needed_of_each_certificate(as_alice: Client, project: Project) -> None:
    credential = make_credential(project, alias="payouts-2027")
    CertificateUse.objects.create(
        certificate=credential.certificate, first_used_at=timezone.now(), last_used_at=timezone.now()
    )
    let_expire(credential, in_days=12)
    text = text_of(as_alice.get(page_url("credentials", project)))
    for heading in ("Alias", "Common name", "Issuer", "Status", "Expires", "Last used"):
        assert heading in text
    assert "payouts-2027" in text
    assert credential.certificate.common_name in text
    assert "Developers CA Expiring soon" in text
    assert "12 days left" in text
    assert "Just now" in text


def test_the_menu_of_an_admin_holds_four_entries(as_alice: Client, project: Project) -> None:
    make_credential(project)
    assert "View details Download certificate Rotate Revoke certificate" in text_of(
        as_alice.get(page_url("credentials", project))
    )


def test_a_reader_may_look_and_download_only(as_bob: Client, project: Project) -> None:
    credential = make_credential(project)
    page = as_bob.get(page_url("credentials", project))
    text = text_of(page)
    assert "View details Download certificate" in text
    assert "Add certificate" not in text
    assert "Rotate" not in text
    assert credential_url("credential_revoke", credential) not in page.content.decode()


def test_a_revoked_certificate_offers_no_rotation(as_alice: Client, project: Project) -> None:
    revoked(make_credential(project))
    text = text_of(as_alice.get(page_url("credentials", project, show="revoked")))
    assert "View details Download certificate" in text
    assert "Rotate" not in text


def test_each_filter_shows_its_own_with_counts(as_alice: Client, project: Project) -> None:
    make_credential(project, alias="lively")
    let_expire(make_credential(project, alias="stale"), in_days=-3)
    revoked(make_credential(project, alias="gone"))
    shown = {
        show: text_of(as_alice.get(page_url("credentials", project, show=show)))
        for show in ("live", "expired", "revoked", "all")
    }
    assert "Live 1 Expired 1 Revoked 1 All 3" in shown["live"]
    assert [show for show, text in shown.items() if "Manage lively" in text] == ["live", "all"]
    assert [show for show, text in shown.items() if "Manage stale" in text] == ["expired", "all"]
    assert [show for show, text in shown.items() if "Manage gone" in text] == ["revoked", "all"]
    places = [shown["all"].index(f"Manage {alias}") for alias in ("lively", "stale", "gone")]
    assert places == sorted(places)


@pytest.mark.parametrize("query", [{}, {"show": "nonsense"}, {"page": "x"}, {"page": "999"}, {"new": "x"}])
def test_live_ones_are_shown_for_any_odd_address(as_alice: Client, project: Project, query: dict[str, str]) -> None:
    make_credential(project, alias="lively")
    assert "Manage lively" in text_of(as_alice.get(page_url("credentials", project, Environment.SANDBOX, **query)))


def test_htmx_gets_the_table_alone(as_alice: Client, project: Project) -> None:
    make_credential(project, alias="lively")
    response = as_alice.get(page_url("credentials", project, show="all"), headers=HTMX)
    assert response.content.decode().lstrip().startswith("<section")
    assert "HX-Request" in response["Vary"]
    whole = as_alice.get(page_url("credentials", project, show="all"))
    assert "HX-Request" in whole["Vary"]
    assert b"<!doctype html>" in whole.content


@pytest.mark.parametrize(
    ("show", "sentence"),
    [
        ("live", "No certificate here yet"),
        ("all", "No certificate here yet"),
        ("expired", "Nothing has expired"),
        ("revoked", "Nothing has been revoked"),
    ],
)
def test_an_empty_table_says_why(as_alice: Client, project: Project, show: str, sentence: str) -> None:
    assert sentence in text_of(as_alice.get(page_url("credentials", project, show=show)))


def test_without_a_live_one_the_others_are_a_link_away(as_alice: Client, project: Project) -> None:
    revoked(make_credential(project))
    page = as_alice.get(page_url("credentials", project))
    assert "No live certificate" in text_of(page)
    assert page_url("credentials", project, show="all") in page.content.decode()


def test_a_reader_is_not_offered_to_add(as_bob: Client, project: Project) -> None:
    assert "An admin of this project can add one." in text_of(as_bob.get(page_url("credentials", project)))


def test_environments_are_apart(as_alice: Client, project: Project) -> None:
    make_credential(project, Environment.PRODUCTION, alias="prod-one")
    assert "prod-one" not in text_of(as_alice.get(page_url("credentials", project)))
    assert "prod-one" in text_of(as_alice.get(page_url("credentials", project, Environment.PRODUCTION)))


def test_there_are_25_on_a_page(as_alice: Client, project: Project) -> None:
    make_many_credentials(project, 26)
    first = as_alice.get(page_url("credentials", project))
    second = as_alice.get(page_url("credentials", project, page=2))
    assert first.content.count(b"View details") == 25
    assert second.content.count(b"View details") == 1
    assert "Page 2 of 2" in text_of(second)


def test_the_number_of_queries_is_constant(as_alice: Client, project: Project) -> None:
    url = page_url("credentials", project, show="all")
    old = make_credential(project)
    make_credential(project, predecessor=old)
    counted = []
    for more in (0, 40):
        make_many_credentials(project, more)
        as_alice.get(url)
        with CaptureQueriesContext(connection) as queries:
            assert as_alice.get(url).status_code == 200
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 12


def test_the_new_row_is_marked_and_says_what_to_do_next(as_alice: Client, project: Project) -> None:
    credential = make_credential(project, alias="pay outs")
    page = as_alice.get(page_url("credentials", project, new=credential.pk))
    text = text_of(page)
    assert "pay outs New" in text
    for label in ("Download PEM", "Download chain", "Download DER", "Download PKCS #7"):
        assert label in text
    assert "--cert pay-outs-chain.pem" in text
    assert "--key pay-outs.key" in text
    assert "-name 'pay outs'" in text
    assert "-out pay-outs.p12 -passout env:KEYSTORE_PASSWORD" in text


def test_the_new_row_is_one_of_this_page_only(as_alice: Client, project: Project) -> None:
    make_credential(project)
    others = make_credential(make_project(admin=make_user()), alias="foreign-alias")
    text = text_of(as_alice.get(page_url("credentials", project, new=others.pk)))
    assert "Download PEM" not in text
    assert "foreign-alias" not in text
    assert "Download PEM" not in text_of(as_alice.get(page_url("credentials", project, new=uuid.uuid4())))


def test_names_of_certificates_are_shown_harmlessly(as_alice: Client, project: Project) -> None:
    [credential] = make_many_credentials(project, 1)
    credential.certificate.common_name = "<script>alert(1)</script>\u202e"
    credential.certificate.save(update_fields=["common_name"])
    body = as_alice.get(page_url("credentials", project)).content.decode()
    assert "<script>alert" not in body
    assert "\u202e" not in body
    assert "U+202E" in body


def test_strangers_get_404(as_charlie: Client, project: Project) -> None:
    assert as_charlie.get(page_url("credentials", project)).status_code == 404


def test_it_is_read_only(as_alice: Client, project: Project) -> None:
    assert as_alice.post(page_url("credentials", project)).status_code == 405
