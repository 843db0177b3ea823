"""A crash between signing and commit, and one form sent twice at the same moment: through the pages."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from certauthority.models import Authority, Certificate, PublicKey
from portal import enrolment
from portal.models import Credential
from tests.factories import make_csr
from tests.hostile.traces import fingerprint_of_database
from tests.whole_site import WholeSite, make_whole_site


def form_for(site: WholeSite, **fields: str) -> dict[str, str]:
    csr = make_csr(site.project).decode()
    return {"alias": "crashed", "submission": str(uuid.uuid4()), "csr": csr, **fields}


def page_of(site: WholeSite) -> str:
    return reverse("portal:paste_csr", args=[site.project.pk, "sandbox"])


def test_a_crash_between_signing_and_commit_leaves_nothing_and_the_same_form_then_succeeds(
    transactional_db: None, authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_whole_site()
    client = site.client("admin", raise_request_exception=False)
    form, before = form_for(site), fingerprint_of_database()
    signed: list[Certificate] = []

    def crash(*arguments: object, **named: object) -> None:
        signed.extend(Certificate.objects.filter(authority__name="developers", credentials__alias="crashed"))
        raise DatabaseError("the connection went away")

    with monkeypatch.context() as patched:
        patched.setattr(enrolment, "record", crash)
        assert client.post(page_of(site), form).status_code == 500
    assert len(signed) == 1, "the certificate had been signed and stored when the crash came"
    assert fingerprint_of_database() == before

    assert client.post(page_of(site), form).status_code == 302
    credential = Credential.objects.get(alias="crashed")
    assert credential.certificate.serial != signed[0].serial
    assert AuditEvent.objects.filter(action="credential.added", object_id=str(credential.pk)).count() == 1
    assert PublicKey.objects.filter(fingerprint=credential.certificate.public_key_fingerprint).count() == 1


@pytest.mark.postgresql
class TestAtTheSameMoment:
    """Two browsers, two threads, two connections."""

    ROUNDS = 5

    def both(self, clients: list[Client], url: str, forms: list[dict[str, str]]) -> list[Any]:
        barrier, responses = threading.Barrier(2), []

        def send(client: Client, form: dict[str, str]) -> None:
            try:
                barrier.wait(10)
                responses.append(client.post(url, form))
            finally:
                connection.close()

        threads = [threading.Thread(target=send, args=pair) for pair in zip(clients, forms, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(responses) == 2, "both were answered"
        return sorted(responses, key=lambda response: int(response.status_code))

    def test_one_form_sent_twice_makes_one_certificate_and_two_ordinary_answers(
        self, transactional_db: None, authorities: dict[str, Authority]
    ) -> None:
        site = make_whole_site()
        clients = [site.client("admin"), site.client("admin")]
        for number in range(self.ROUNDS):
            form = form_for(site, alias=f"twice-{number}")
            answers = self.both(clients, page_of(site), [form, form])
            credential = Credential.objects.get(alias=form["alias"])
            shown = reverse("portal:credentials", args=[site.project.pk, "sandbox"]) + f"?new={credential.pk}"
            assert [(answer.status_code, answer.headers["Location"]) for answer in answers] == [(302, shown)] * 2
        assert Certificate.objects.filter(credentials__alias__startswith="twice").count() == self.ROUNDS

    def test_one_subject_in_two_forms_is_taken_once_and_the_other_is_told_why(
        self, transactional_db: None, authorities: dict[str, Authority]
    ) -> None:
        site = make_whole_site()
        clients = [site.client("admin"), site.client("admin")]
        for number in range(self.ROUNDS):
            csrs = {letter: make_csr(site.project, unique=f"r{number}").decode() for letter in "ab"}
            forms = [form_for(site, alias=f"same-{number}-{letter}", csr=csr) for letter, csr in csrs.items()]
            refused, added = self.both(clients, page_of(site), forms)
            assert (refused.status_code, added.status_code) == (200, 302)
            assert "duplicate certificate" in refused.content.decode()
        assert Credential.objects.filter(alias__startswith="same").count() == self.ROUNDS
