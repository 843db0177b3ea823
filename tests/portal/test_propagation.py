"""`Known everywhere` on a credential's page: from the rows and the OCSP response, and asked for while it moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from certauthority import revocation_lists, trust
from certauthority.models import Authority, Certificate, ReasonCode, RevocationReason
from certauthority.ocsp import making
from certauthority.propagation import State
from certauthority.use_records import SeenCall, record_calls
from portal import revocation
from portal.models import Credential, Project, Role
from portal.propagation import propagation
from tests.factories import make_credential, make_project
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url, file_of, page_url, sent
from tests.portal.foreign_ca import ForeignCa

HTMX = {"HX-Request": "true"}


@pytest.fixture
def credential(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="payouts-2027")


def called(credential: Credential, *, after: timedelta = timedelta(), reason: ReasonCode = ReasonCode.ACCEPTED) -> None:
    """One call so long from now."""
    record_calls(
        [
            SeenCall(
                certificate_id=credential.certificate_id,
                at=timezone.now() + after,
                accepted=reason == ReasonCode.ACCEPTED,
                reason=reason,
                environment="sandbox",
                client_address="192.0.2.7",
                tls_version="TLSv1.3",
                cipher="TLS_AES_256_GCM_SHA384",
            )
        ]
    )


def steps_on(client: Client, credential: Credential) -> str:
    return text_of(client.get(credential_url("credential_propagation", credential), headers=HTMX))


def revoke(credential: Credential, *, reason: RevocationReason = RevocationReason.KEY_COMPROMISE) -> None:
    revocation.revoke(credential, reason=reason, actor=Actor("alice@acme.example"), now=timezone.now())


def test_a_live_one_goes_from_issued_to_ocsp(as_bob: Client, credential: Credential) -> None:
    text = steps_on(as_bob, credential)
    assert "Issued By Developers CA." in text
    assert "Endpoint accepts it waiting No call has come yet. Try it" in text
    assert "Signed for each who asks" in text
    called(credential, reason=ReasonCode.WRONG_ENVIRONMENT)
    assert "The last call, from 192.0.2.7, was answered “Wrong environment”" in steps_on(as_bob, credential)
    called(credential, after=timedelta(seconds=1))
    assert making.make(Certificate.objects.get(pk=credential.certificate_id), now=timezone.now())
    text = steps_on(as_bob, credential)
    assert "Endpoint accepts it Its first accepted call." in text
    assert "With a response made ahead." in text
    page = as_bob.get(credential_url("credential", credential)).content.decode()
    assert 'hx-trigger="every 3s"' not in page.partition('id="propagation"')[2].partition(">")[0]


def test_a_revoked_one_goes_from_refused_to_the_crl(
    as_alice: Client, credential: Credential, authorities: dict[str, Authority]
) -> None:
    revoke(credential)
    text = steps_on(as_alice, credential)
    assert "Revoked With the reason “Key compromise”." in text
    assert "No call has come since." in text
    assert "each is signed anew" in text
    assert "On the CRL waiting" in text
    called(credential, after=timedelta(seconds=2), reason=ReasonCode.REVOKED)
    crl = revocation_lists.publish(authorities["developers"], now=timezone.now())
    assert crl is not None
    making.make(Certificate.objects.get(pk=credential.certificate_id), now=timezone.now())
    text = steps_on(as_alice, credential)
    assert "First refused call: from 192.0.2.7, “Revoked”" in text
    assert "one that says “revoked” stands in its place" in text
    assert f"With number {crl.number} of Developers CA." in text
    assert "waiting" not in text
    body = as_alice.get(credential_url("credential", credential)).content.decode()
    assert '<a href="/ca/developers.crl">Newest CRL</a>' in body


def test_a_row_that_redis_may_contradict_waits(as_alice: Client, credential: Credential) -> None:
    revoke(credential)
    Certificate.objects.filter(pk=credential.certificate_id).update(ocsp_unsettled=True)
    assert "OCSP says “revoked” waiting Redis did not answer" in steps_on(as_alice, credential)


def test_the_page_asks_again_only_while_something_moves(as_alice: Client, credential: Credential) -> None:
    page, fragment = credential_url("credential", credential), credential_url("credential_propagation", credential)
    asking = f'hx-get="{fragment}" hx-trigger="every 3s" hx-swap="outerHTML"'
    assert asking in as_alice.get(page).content.decode()
    assert "htmx" in as_alice.get(page).content.decode()
    called(credential)
    making.make(Certificate.objects.get(pk=credential.certificate_id), now=timezone.now())
    answer = as_alice.get(fragment, headers=HTMX)
    assert answer.content.decode().count('id="propagation"') == 1
    assert "hx-get" not in answer.content.decode()


def test_who_opens_the_fragment_gets_the_page(as_alice: Client, credential: Credential) -> None:
    answer = as_alice.get(credential_url("credential_propagation", credential))
    assert (answer.status_code, answer["Location"]) == (302, credential_url("credential", credential))


def test_strangers_get_404(as_charlie: Client, credential: Credential) -> None:
    url = credential_url("credential_propagation", credential)
    assert as_charlie.get(url, headers=HTMX).status_code == 404


def test_the_use_of_another_cas_certificate_ends_here_alone(
    as_alice: Client, project: Project, authorities: dict[str, Authority]
) -> None:
    ca = ForeignCa()
    trust.add(ca.pem, note="", actor=Actor("staff@rehearsal.example"), now=timezone.now() - timedelta(minutes=1))
    as_alice.post(page_url("upload_certificate", project), sent(certificate_file=file_of(ca.client_certificate())))
    credential = Credential.objects.get()
    text = steps_on(as_alice, credential)
    assert "Added By Elsewhere Root." in text
    assert "OCSP and CRL" in text
    revoke(credential)
    called(credential, after=timedelta(seconds=3), reason=ReasonCode.NOT_ON_PROJECT)
    text = steps_on(as_alice, credential)
    assert "Use on this project ended" in text
    assert "First refused call: from 192.0.2.7, “Not on any project”" in text
    assert "was not told: it is not revoked there." in text


def test_one_that_was_added_to_its_project_again_is_not_said_to_be_refused_there(
    as_alice: Client, project: Project, authorities: dict[str, Authority]
) -> None:
    ca = ForeignCa()
    trust.add(ca.pem, note="", actor=Actor("staff@rehearsal.example"), now=timezone.now() - timedelta(minutes=1))
    pem, url = ca.client_certificate(), page_url("upload_certificate", project)
    as_alice.post(url, sent(alias="before", certificate_file=file_of(pem)))
    before = Credential.objects.get(alias="before")
    revoke(before, reason=RevocationReason.SUPERSEDED)
    as_alice.post(url, sent(alias="again", certificate_file=file_of(pem)))
    again = Credential.objects.get(alias="again")
    called(again)
    text = steps_on(as_alice, before)
    assert "It was added to this project again, as again, and is judged as that." in text
    assert "Refused" not in text
    revoke(again, reason=RevocationReason.SUPERSEDED)
    assert "as again, and is judged as that." in steps_on(as_alice, before)
    assert "Refused at the endpoint" in steps_on(as_alice, again)
    other = make_project(admin=project.memberships.get(role=Role.ADMIN).user)
    as_alice.post(page_url("upload_certificate", other), sent(certificate_file=file_of(pem)))
    assert "Another project has had it since, and decides for itself." in steps_on(as_alice, again)


def test_the_companys_clock_decides_what_has_expired(credential: Credential) -> None:
    end, now = credential.certificate.not_after, timezone.now()
    for ahead, is_told in ((timedelta(), False), (timedelta(seconds=1), True)):
        steps = propagation(credential, now=now, company_now=end + ahead).steps
        assert ("Expired" in [step.title for step in steps]) is is_told
        assert steps[0].state == State.DONE


def test_it_asks_little_however_much_was_called(as_alice: Client, credential: Credential) -> None:
    url = credential_url("credential_propagation", credential)
    called(credential)
    as_alice.get(url, headers=HTMX)  # Once for what a process keeps.
    counts = []
    for calls in (1, 40):
        for number in range(calls):
            called(credential, after=timedelta(milliseconds=number))
        with CaptureQueriesContext(connection) as queries:
            as_alice.get(url, headers=HTMX)
        counts.append(len(queries))
    assert counts[0] == counts[1]
