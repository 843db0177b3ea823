"""Trusted CAs: everybody reads the list, the site's staff change it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority import trust
from certauthority.models import Authority, TrustedAuthority
from certauthority.x509.export import pem_bundle
from certauthority.x509.limits import MAX_CHAIN_BYTES
from connect.models import User
from connect.templatetags.look import colon_hex
from tests.factories import make_user
from tests.page_text import text_of
from tests.portal.conftest import signed_in
from tests.x509.certificates_made import authority, client, ec_key, private_pem

LIST = "/trusted-cas/"
ADD = "/trusted-cas/add/"


def ca(number: int = 0, name: str = "Partner Root") -> bytes:
    """PEM of a foreign root that is valid now."""
    return pem_bundle([authority(name, ec_key(900 + number), begin=timezone.now() - timedelta(days=9)).der]).encode()


def trusted(number: int = 0, note: str = "Partner's own") -> TrustedAuthority:
    return trust.add(ca(number, f"Partner {number}"), note=note, actor=Actor("factory"), now=timezone.now())


@pytest.fixture
def staff(db: None) -> User:
    return make_user(email="kim@rehearsal.example", is_staff=True, company=None)


@pytest.fixture
def as_staff(staff: User) -> Client:
    return signed_in(staff)


def send(browser: Client, **data: Any) -> Any:
    return browser.post(ADD, {"text": "", "note": "", **data}, follow=True)


class TestTheList:
    def test_every_user_reads_it(self, as_charlie: Client) -> None:
        entry = trusted()
        page = as_charlie.get(LIST)
        text = text_of(page)
        for word in ("Partner 0", "CN=Partner 0", "Partner's own", "Enabled", "Root"):
            assert word in text
        assert f"Certificate SHA-256 {colon_hex(entry.fingerprint)}" in text
        assert f"Valid until {entry.not_after:%-d %B %Y}" in text
        assert f"{LIST}add/" not in page.content.decode()
        assert f"{LIST}{entry.pk}/" not in page.content.decode()

    def test_staff_find_the_ways_to_change_it(self, as_staff: Client) -> None:
        entry = trusted()
        page = as_staff.get(LIST).content.decode()
        assert f'href="{ADD}"' in page
        assert f'href="{LIST}{entry.pk}/"' in page

    @pytest.mark.usefixtures("authorities")
    def test_the_kmp_ca_is_on_it_with_downloads_and_the_root_is_not(self, as_charlie: Client) -> None:
        page = as_charlie.get(LIST)
        assert "Rehearsal KMP CA" in text_of(page)
        assert "Intermediate, trusted as itself" in text_of(page)
        assert "Rehearsal Root CA" not in text_of(page)
        for address in ("/ca/kmp.crt", "/ca/kmp.pem"):
            assert f'href="{address}"' in page.content.decode()
            assert Client().get(address).status_code == 200

    def test_an_empty_list_says_so(self, as_charlie: Client) -> None:
        assert "No CA is trusted yet" in text_of(as_charlie.get(LIST))

    def test_an_expired_one_is_marked(self, as_charlie: Client) -> None:
        trusted()
        assert "Expired" not in text_of(as_charlie.get(LIST))
        TrustedAuthority.objects.update(not_after=timezone.now() - timedelta(days=1))
        assert "Expired" in text_of(as_charlie.get(LIST))

    def test_names_from_certificates_are_shown_harmlessly(self, as_charlie: Client) -> None:
        trusted()
        TrustedAuthority.objects.update(common_name="<b>x</b>", subject="CN=a\u202eb", note="<i>")
        page = as_charlie.get(LIST).content.decode()
        assert "<b>x</b>" not in page
        assert "<i>" not in page
        assert "U+202E" in page

    def test_more_cas_cost_no_more_queries(self, as_charlie: Client) -> None:
        trusted(0)
        as_charlie.get(LIST)
        with CaptureQueriesContext(connection) as few:
            as_charlie.get(LIST)
        for number in range(1, 5):
            trusted(number)
        with CaptureQueriesContext(connection) as many:
            as_charlie.get(LIST)
        assert len(many) == len(few)

    def test_it_only_answers_reading_and_needs_a_sign_in(self, as_charlie: Client, client: Client) -> None:
        assert as_charlie.post(LIST).status_code == 405
        assert client.get(LIST).status_code == 302


class TestAdding:
    def test_as_text(self, as_staff: Client) -> None:
        answer = send(as_staff, text=ca().decode(), note="Our partner")
        assert answer.redirect_chain == [(LIST, 302)]
        assert "Partner Root is trusted." in text_of(answer)
        assert TrustedAuthority.objects.get().note == "Our partner"
        event = AuditEvent.objects.get(action="trusted-ca.added")
        assert (event.actor, event.address) == ("kim@rehearsal.example", "127.0.0.1")

    def test_as_a_file_in_pem_or_der(self, as_staff: Client) -> None:
        other = authority("Other Root", ec_key(950), begin=timezone.now() - timedelta(days=9)).der
        send(as_staff, file=SimpleUploadedFile("ca.crt", ca()))
        send(as_staff, file=SimpleUploadedFile("ca.exe", other))
        assert TrustedAuthority.objects.count() == 2

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "Send the CA's certificate either as a file or as text."),
            ("nonsense", "No certificate that can be read was found in this."),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "certificate"),
            ("\x00", "Null characters are not allowed."),
        ],
    )
    def test_what_is_no_certificate_is_refused_and_kept(self, as_staff: Client, text: str, sentence: str) -> None:
        answer = send(as_staff, text=text, note="Our partner")
        assert answer.status_code == 200
        assert sentence in text_of(answer)
        assert answer.context["form"]["text"].value() == text
        assert answer.context["form"]["note"].value() == "Our partner"
        assert not TrustedAuthority.objects.exists()

    def test_a_client_certificate_is_refused(self, as_staff: Client) -> None:
        issuer = authority("Partner Root", ec_key(901), begin=timezone.now() - timedelta(days=9))
        leaf = client(issuer, begin=timezone.now() - timedelta(days=1))
        answer = send(as_staff, text=pem_bundle([leaf]))
        assert "This is not a CA certificate" in text_of(answer)
        assert not TrustedAuthority.objects.exists()

    def test_an_expired_ca_is_refused(self, as_staff: Client) -> None:
        begin = timezone.now() - timedelta(days=900)
        old = authority("Old Root", ec_key(902), begin=begin, end=begin + timedelta(days=800))
        assert "which is not now" in text_of(send(as_staff, text=pem_bundle([old.der])))
        assert not TrustedAuthority.objects.exists()

    def test_our_own_cas_are_refused(self, as_staff: Client, authorities: dict[str, Authority]) -> None:
        der = bytes(authorities["root"].certificate.der)
        assert "This is one of this site's own CAs." in text_of(send(as_staff, text=pem_bundle([der])))
        assert TrustedAuthority.objects.count() == 1

    def test_several_at_once_are_refused(self, as_staff: Client) -> None:
        both = ca(0) + ca(1, "Second Root")
        assert "The file holds 2 certificates." in text_of(send(as_staff, text=both.decode()))

    def test_both_a_file_and_text_are_refused(self, as_staff: Client) -> None:
        answer = send(as_staff, text=ca().decode(), file=SimpleUploadedFile("ca.crt", ca()))
        assert "either as a file or as text" in text_of(answer)
        assert not TrustedAuthority.objects.exists()

    def test_a_large_file_is_refused_unread(self, as_staff: Client) -> None:
        file = SimpleUploadedFile("ca.crt", b"x" * (MAX_CHAIN_BYTES + 1))
        assert "at most 256 KiB are taken. It was not read." in text_of(send(as_staff, file=file))

    @pytest.mark.parametrize("box", ["text", "note"])
    def test_a_private_key_is_refused_and_not_shown_again(self, as_staff: Client, box: str) -> None:
        secret = private_pem(ec_key(903)).decode()
        answer = send(as_staff, **{box: secret})
        assert answer.status_code == 200
        assert secret.splitlines()[1] not in answer.content.decode()
        assert "PRIVATE KEY-----" not in answer.content.decode()
        assert not TrustedAuthority.objects.exists()

    def test_a_pasted_private_key_is_named(self, as_staff: Client) -> None:
        answer = send(as_staff, text=private_pem(ec_key(903)).decode())
        assert "holds a private key. Never send it to anyone. It was not stored." in text_of(answer)

    def test_the_same_form_sent_twice_adds_once(self, as_staff: Client) -> None:
        text = ca().decode()
        send(as_staff, text=text)
        assert "This CA is on the list already." in text_of(send(as_staff, text=text))
        assert AuditEvent.objects.filter(action="trusted-ca.added").count() == 1

    def test_only_staff_add(self, as_alice: Client, client: Client) -> None:
        assert as_alice.get(ADD).status_code == 403
        answer = send(as_alice, text=ca().decode())
        assert answer.status_code == 403
        assert "Only the site's staff change the list of trusted CAs." in text_of(answer)
        assert client.post(ADD).status_code == 302
        assert not TrustedAuthority.objects.exists()

    def test_reading_adds_nothing(self, as_staff: Client) -> None:
        assert as_staff.get(ADD, {"text": ca().decode()}).status_code == 200
        assert as_staff.put(ADD).status_code == 405
        assert not TrustedAuthority.objects.exists()


class TestChanging:
    def test_it_disables_and_enables(self, as_staff: Client) -> None:
        entry = trusted()
        answer = as_staff.post(f"{LIST}{entry.pk}/", {"note": "Being replaced"}, follow=True)
        assert answer.redirect_chain == [(LIST, 302)]
        assert "Partner 0 is disabled." in text_of(answer)
        entry.refresh_from_db()
        assert (entry.enabled, entry.note) == (False, "Being replaced")
        answer = as_staff.post(f"{LIST}{entry.pk}/", {"note": "Being replaced", "enabled": "on"}, follow=True)
        assert "Partner 0 is enabled." in text_of(answer)
        entry.refresh_from_db()
        assert entry.enabled

    def test_the_form_shows_how_it_stands(self, as_staff: Client) -> None:
        entry = trusted(note="Of old")
        page = as_staff.get(f"{LIST}{entry.pk}/").content.decode()
        assert 'value="Of old"' in page
        assert "checked" in page

    @pytest.mark.parametrize(
        ("note", "sentence"), [("x" * 201, "at most 200 characters"), ("a\u202eb", "U+202E"), ("a\x00b", "U+0000")]
    )
    def test_a_bad_note_changes_nothing_and_is_kept(self, as_staff: Client, note: str, sentence: str) -> None:
        entry = trusted()
        answer = as_staff.post(f"{LIST}{entry.pk}/", {"note": note})
        assert answer.status_code == 200
        assert sentence in text_of(answer)
        assert answer.context["form"]["note"].value() == note
        entry.refresh_from_db()
        assert (entry.enabled, entry.note) == (True, "Partner's own")

    def test_the_same_form_sent_twice_changes_once(self, as_staff: Client) -> None:
        entry = trusted()
        for _ in range(2):
            as_staff.post(f"{LIST}{entry.pk}/", {"note": "n"})
        assert AuditEvent.objects.filter(action="trusted-ca.changed").count() == 1

    def test_only_staff_change(self, as_alice: Client) -> None:
        entry = trusted()
        assert as_alice.get(f"{LIST}{entry.pk}/").status_code == 403
        assert as_alice.post(f"{LIST}{entry.pk}/", {"note": ""}).status_code == 403
        assert as_alice.get(f"{LIST}{uuid.uuid4()}/").status_code == 403
        entry.refresh_from_db()
        assert entry.enabled

    def test_what_does_not_exist_is_404_and_reading_changes_nothing(self, as_staff: Client) -> None:
        entry = trusted()
        assert as_staff.get(f"{LIST}{uuid.uuid4()}/").status_code == 404
        assert as_staff.get(f"{LIST}{entry.pk}/", {"note": ""}).status_code == 200
        assert as_staff.delete(f"{LIST}{entry.pk}/").status_code == 405
        entry.refresh_from_db()
        assert entry.enabled
