"""What changes the inventory: a certificate comes in, takes over from another, is revoked."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority import revocation
from certauthority.models import Authority, Certificate, PublicKey, RevocationReason
from certauthority.records import facts_of
from certauthority.x509.export import pem
from certauthority.x509.requests import new_private_key
from connect.models import Company
from kmp import entries
from kmp.errors import CannotRenew
from kmp.models import Application, EntryState, Environment, InventoryEntry, Profile
from portal.enrolment import NewCredential, add_uploaded
from portal.models import Credential, CredentialMethod, EndReason
from portal.models import Environment as PortalEnvironment
from tests.factories import make_company, make_project, make_user
from tests.kmp.factories import XBS, make_chain, make_entry

ACTOR = Actor("olga@acme.example", "192.0.2.7")


@pytest.fixture
def company(authorities: dict[str, Authority]) -> Company:
    return make_company(name="Acme Payments Ltd", cid="123456")


def revoke(entry: InventoryEntry, reason: RevocationReason = RevocationReason.SUPERSEDED) -> bool:
    found = InventoryEntry.objects.select_related("certificate").get(pk=entry.pk)
    return entries.revoke(found, reason=reason, actor=ACTOR, now=timezone.now())


def state_of(entry: InventoryEntry) -> int:
    return InventoryEntry.objects.get(pk=entry.pk).state


def test_a_new_entry_repeats_what_the_table_shows(company: Company) -> None:
    entry = make_entry(company, XBS, Environment.MTF, alternative_names=("api.acme.example",))
    facts = facts_of(entry.certificate)
    assert entry.reference.startswith("KM-")
    assert (entry.application_name, entry.common_name) == ("Cross-Border Services API-MTLS", "MTF XBS")
    assert (entry.serial, entry.expires_at) == (facts.serial_hex, facts.not_after)
    assert entry.alternative_names == ["api.acme.example"]
    assert facts.subject_alternative_names == ("DNS:api.acme.example",)
    assert (entry.version, entry.renews, entry.state) == (1, None, EntryState.LIVE)
    event = AuditEvent.objects.get(action="kmp.certificate-issued")
    assert (event.object_label, event.company) == (entry.reference, str(company.pk))


def test_references_are_never_given_twice(company: Company) -> None:
    references = [make_entry(company).reference for _ in range(3)]
    numbers = [int(reference.removeprefix("KM-")) for reference in references]
    assert numbers == list(range(numbers[0], numbers[0] + 3))


def test_a_renewal_is_the_next_version_of_one_line(company: Company) -> None:
    first, second, third = make_chain(company, 3)
    assert first.line == second.line == third.line
    assert [entry.version for entry in (first, second, third)] == [1, 2, 3]
    assert [entry.state for entry in (first, second, third)] == [
        EntryState.RENEWED,
        EntryState.RENEWED,
        EntryState.LIVE,
    ]
    assert entries.newest_of(first) == third
    told = AuditEvent.objects.filter(action="kmp.certificate-renewed").order_by("id")
    assert [(event.object_label, event.after["renewed_by"]) for event in told] == [
        (first.reference, second.reference),
        (second.reference, third.reference),
    ]


def test_no_certificate_gets_two_successors(company: Company) -> None:
    first, second = make_chain(company, 2)
    with pytest.raises(CannotRenew) as refused:
        make_entry(renews=first)
    assert refused.value.successor == second
    with pytest.raises(IntegrityError), transaction.atomic():
        InventoryEntry.objects.filter(pk=make_entry(company).pk).update(line=first.line, version=2)
    assert InventoryEntry.objects.filter(line=first.line).count() == 2


def test_a_refused_renewal_leaves_no_certificate(company: Company) -> None:
    first, _ = make_chain(company, 2)
    before = Certificate.objects.count()
    with pytest.raises(CannotRenew):
        make_entry(renews=first)
    assert Certificate.objects.count() == before


def test_a_revoked_one_gets_no_successor(company: Company) -> None:
    entry = make_entry(company)
    revoke(entry)
    with pytest.raises(CannotRenew, match="was revoked meanwhile"):
        make_entry(renews=entry)


def test_it_is_added_in_a_transaction_or_not_at_all(transactional_db: None) -> None:
    with pytest.raises(RuntimeError, match=r"inside transaction\.atomic"):
        entries.add_entry(
            company=Company(),
            application=Application(),
            environment=Environment.MTF,
            profile=Profile.CLIENT,
            certificate=Certificate(),
            now=timezone.now(),
        )


def test_revoking_revokes_the_certificate_once(company: Company) -> None:
    entry = make_entry(company)
    assert revoke(entry, RevocationReason.CESSATION_OF_OPERATION) is True
    assert revoke(entry, RevocationReason.KEY_COMPROMISE) is False
    certificate = Certificate.objects.get(pk=entry.certificate_id)
    assert certificate.revocation_reason == RevocationReason.CESSATION_OF_OPERATION
    assert state_of(entry) == EntryState.REVOKED
    assert AuditEvent.objects.filter(action="kmp.certificate-revoked").count() == 1


def test_a_renewed_one_stays_renewed_when_it_is_revoked(company: Company) -> None:
    first, second = make_chain(company, 2)
    assert revoke(first)
    assert (state_of(first), state_of(second)) == (EntryState.RENEWED, EntryState.LIVE)
    assert Certificate.objects.get(pk=first.certificate_id).revoked_at is not None
    assert AuditEvent.objects.get(action="kmp.certificate-revoked").object_label == first.reference


def test_a_revocation_from_elsewhere_reaches_the_inventory(company: Company) -> None:
    entry = make_entry(company)
    revocation.revoke(entry.certificate, reason=RevocationReason.SUPERSEDED, actor=ACTOR, now=timezone.now())
    assert state_of(entry) == EntryState.REVOKED


def test_key_compromise_revokes_everything_with_the_key(company: Company) -> None:
    key = new_private_key()
    first = make_entry(company, key=key)
    second = make_entry(renews=first, key=key)
    same, other = make_entry(company, XBS, key=key), make_entry(company)
    assert revoke(same, RevocationReason.KEY_COMPROMISE)
    assert PublicKey.objects.get(pk=same.certificate.public_key_fingerprint).compromised_at is not None
    assert [state_of(entry) for entry in (first, second, same, other)] == [
        EntryState.RENEWED,
        EntryState.REVOKED,
        EntryState.REVOKED,
        EntryState.LIVE,
    ]
    revoked = Certificate.objects.filter(revocation_reason=RevocationReason.KEY_COMPROMISE)
    assert {certificate.pk for certificate in revoked} == {
        first.certificate_id,
        second.certificate_id,
        same.certificate_id,
    }


def test_revoking_ends_the_credentials_that_use_it(company: Company) -> None:
    entry = make_entry(company)
    project = make_project(admin=make_user(company=company))
    new = NewCredential(
        project=project,
        environment=PortalEnvironment.SANDBOX,
        alias="from-kmp",
        method=CredentialMethod.UPLOADED_CERTIFICATE,
        submission=entry.pk,
    )
    add_uploaded(new, pem(bytes(entry.certificate.der)).encode(), actor=ACTOR, now=timezone.now())
    revoke(entry)
    credential = Credential.objects.get(alias="from-kmp")
    assert (credential.end_reason, credential.ended_at is not None) == (EndReason.REVOKED, True)


def test_nothing_is_revoked_when_a_receiver_fails(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = make_entry(company)

    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(entries, "record", fail)
    with pytest.raises(OSError, match="disk"):
        revoke(entry)
    assert state_of(entry) == EntryState.LIVE
    assert Certificate.objects.get(pk=entry.certificate_id).revoked_at is None
