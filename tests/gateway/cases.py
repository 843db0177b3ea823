"""Calls with certificates in every state that the endpoint tells apart: one function for each row of the table."""

from __future__ import annotations

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.utils import timezone

from certauthority.models import Authority, Certificate, RevocationReason
from certauthority.revocation import report_compromise
from gateway.calls import Call
from gateway.verdicts import judge
from kmp.entries import revoke as revoke_entry
from portal.models import Environment, Project
from portal.projects import delete_project
from tests.connect.factories import move_clock
from tests.factories import make_credential
from tests.gateway.asking import call_with, chain_of
from tests.gateway.certificates import SOMEBODY, clock_back, der_of, revoke, trusted_ca, upload, upload_entry
from tests.gateway.odd_certificates import SERVER, odd_certificate, signed_with_sha1
from tests.kmp.factories import make_entry
from tests.portal.foreign_ca import ForeignCa
from tests.portal.production_requests import decide, give_production_access, make_production_request

PRODUCTION = Environment.PRODUCTION


def accepted(project: Project) -> Call:
    return call_with(*chain_of(make_credential(project, alias="checkout").certificate))


def accepted_in_production(project: Project) -> Call:
    give_production_access(project)
    return call_with(*chain_of(make_credential(project, PRODUCTION).certificate), environment=PRODUCTION)


def accepted_from_kmp(project: Project) -> Call:
    return call_with(*chain_of(upload_entry(project, make_entry(project.company)).certificate))


def accepted_from_elsewhere(project: Project) -> Call:
    return call_with(bytes(upload(project, trusted_ca().client_certificate()).certificate.der))


def expiring_soon(project: Project) -> Call:
    call = accepted(project)
    move_clock(project.company, timedelta(days=380))
    return call


def leaf_alone(project: Project) -> Call:
    return call_with(bytes(make_credential(project, alias="checkout").certificate.der))


def leaf_alone_behind_nginx(project: Project) -> Call:
    return call_with(bytes(make_credential(project).certificate.der), is_whole=False)


def superseded(project: Project) -> Call:
    old = make_credential(project, alias="old")
    make_credential(project, alias="new", predecessor=old)
    return call_with(*chain_of(old.certificate))


def superseded_leaf_alone(project: Project) -> Call:
    return call_with(superseded(project).chain[0])


def successor_ended(project: Project) -> Call:
    old = make_credential(project, alias="old")
    revoke(make_credential(project, alias="new", predecessor=old))
    return call_with(*chain_of(old.certificate))


def renewed_in_kmp(project: Project) -> Call:
    entry = make_entry(project.company, unique="1700000001")
    credential = upload_entry(project, entry)
    make_entry(renews=entry, unique="1700000002")
    return call_with(*chain_of(credential.certificate))


def renewed_in_kmp_and_uploaded(project: Project) -> Call:
    entry = make_entry(project.company, unique="1700000001")
    credential = upload_entry(project, entry)
    upload_entry(project, make_entry(renews=entry, unique="1700000002"), alias="newer")
    return call_with(*chain_of(credential.certificate))


def none(project: Project) -> Call:
    return call_with()


def rubbish(project: Project) -> Call:
    return call_with(b"-----BEGIN NOTHING-----")


def nothing_in_it(project: Project) -> Call:
    return call_with(b"")


def too_many(project: Project) -> Call:
    return call_with(*[odd_certificate(ForeignCa())] * 11)


def too_large(project: Project) -> Call:
    return call_with(odd_certificate(ForeignCa()), b"\x30" * 257 * 1024)


def signed_with_old_hash(project: Project) -> Call:
    return call_with(signed_with_sha1())


def self_signed(project: Project) -> Call:
    return call_with(odd_certificate(None))


def unknown_ca(project: Project) -> Call:
    ca = ForeignCa("Nobody’s Root")
    return call_with(der_of(ca.client_certificate()), der_of(ca.pem))


def unknown_ca_not_sent(project: Project) -> Call:
    return call_with(der_of(ForeignCa("Nobody’s Root").client_certificate()), b"rubbish")


def unknown_ca_behind_nginx(project: Project) -> Call:
    return call_with(der_of(ForeignCa("Nobody’s Root").client_certificate()), is_whole=False)


def namesake_of_trusted_ca(project: Project) -> Call:
    trusted_ca()
    forged = ForeignCa()
    return call_with(der_of(forged.client_certificate()), der_of(forged.pem))


def forged_trusted_ca(project: Project) -> Call:
    trusted_ca()
    return call_with(der_of(ForeignCa().pem))


def expired_by_the_clock(project: Project) -> Call:
    call = accepted(project)
    move_clock(project.company, timedelta(days=400))
    return call


def expired_with_successor(project: Project) -> Call:
    call = superseded(project)
    later = project.company
    move_clock(later, timedelta(days=5))
    old, new = Certificate.objects.filter(credentials__project=project).order_by("recorded_at")
    assert old.not_after.date() == new.not_after.date()
    Certificate.objects.filter(pk=old.pk).update(not_after=timezone.now() + timedelta(days=1))
    return call


def expired_of_a_stranger(project: Project) -> Call:
    return call_with(odd_certificate(trusted_ca(), begins_in_days=-400, ends_in_days=-1))


def expired_in_kmp(project: Project) -> Call:
    entry = make_entry(project.company)
    move_clock(project.company, timedelta(days=400))
    return call_with(bytes(entry.certificate.der))


def not_yet_valid(project: Project) -> Call:
    ca, company = trusted_ca(), project.company
    move_clock(company, timedelta(days=60))
    credential = upload(project, ca.client_certificate(begins_in_days=30))
    clock_back(company)
    return call_with(bytes(credential.certificate.der))


def not_yet_valid_of_a_stranger(project: Project) -> Call:
    return call_with(odd_certificate(trusted_ca(), begins_in_days=3))


def revoked(project: Project) -> Call:
    return call_with(*chain_of(revoke(make_credential(project, alias="checkout")).certificate))


def revoked_for_compromise(project: Project) -> Call:
    old = make_credential(project, alias="old")
    make_credential(project, alias="new", predecessor=old)
    return call_with(*chain_of(revoke(old, RevocationReason.KEY_COMPROMISE).certificate))


def revoked_in_kmp(project: Project) -> Call:
    entry = make_entry(project.company)
    revoke_entry(entry, reason=RevocationReason.CESSATION_OF_OPERATION, actor=SOMEBODY, now=timezone.now())
    return call_with(bytes(entry.certificate.der))


def revoked_and_expired(project: Project) -> Call:
    call = revoked(project)
    move_clock(project.company, timedelta(days=400))
    return call


def sandbox_in_production(project: Project) -> Call:
    return call_with(*chain_of(make_credential(project, alias="checkout").certificate), environment=PRODUCTION)


def production_in_sandbox(project: Project) -> Call:
    give_production_access(project)
    return call_with(*chain_of(make_credential(project, PRODUCTION).certificate))


def unapproved_production_in_sandbox(project: Project) -> Call:
    return call_with(*chain_of(make_credential(project, PRODUCTION).certificate))


def never_uploaded(project: Project) -> Call:
    return call_with(bytes(make_entry(project.company).certificate.der))


def never_uploaded_and_renewed(project: Project) -> Call:
    entry = make_entry(project.company)
    make_entry(renews=entry)
    return call_with(bytes(entry.certificate.der))


def use_ended(project: Project) -> Call:
    return call_with(bytes(revoke(upload_entry(project, make_entry(project.company))).certificate.der))


def use_ended_for_compromise(project: Project) -> Call:
    credential = upload(project, trusted_ca().client_certificate())
    return call_with(bytes(revoke(credential, RevocationReason.KEY_COMPROMISE).certificate.der))


def project_deleted(project: Project) -> Call:
    credential = upload(project, trusted_ca().client_certificate())
    delete_project(project, actor=SOMEBODY, now=timezone.now())
    return call_with(bytes(credential.certificate.der))


def trusted_but_never_uploaded(project: Project) -> Call:
    return call_with(der_of(trusted_ca().client_certificate()))


def production_not_requested(project: Project) -> Call:
    return call_with(*chain_of(make_credential(project, PRODUCTION).certificate), environment=PRODUCTION)


def production_waits(project: Project) -> Call:
    make_production_request(project)
    return production_not_requested(project)


def production_refused(project: Project) -> Call:
    decide(make_production_request(project), approve=False, reason="Not yet.")
    return production_not_requested(project)


def for_servers(project: Project) -> Call:
    return call_with(odd_certificate(trusted_ca(), purposes=SERVER))


def ca_of_others(project: Project) -> Call:
    return call_with(der_of(trusted_ca().pem))


def ca_of_nobody(project: Project) -> Call:
    return call_with(der_of(ForeignCa().pem))


def own_ca(project: Project) -> Call:
    return call_with(bytes(Authority.objects.get(name="developers").certificate.der))


def own_responder(project: Project) -> Call:
    responder = Authority.objects.get(name="developers").ocsp_responder
    return call_with(bytes(responder.certificate.der))


def purpose_not_said(project: Project) -> Call:
    return call_with(odd_certificate(trusted_ca(), purposes=()))


def short_key(project: Project) -> Call:
    return call_with(odd_certificate(trusted_ca(), key=rsa.generate_private_key(65537, 1024)))


def other_curve(project: Project) -> Call:
    return call_with(odd_certificate(trusted_ca(), key=ec.generate_private_key(ec.SECP521R1())))


def compromised_key(project: Project) -> Call:
    key = ec.generate_private_key(ec.SECP256R1())
    call = call_with(odd_certificate(trusted_ca(), key=key))
    facts = judge(call, now=timezone.now()).facts
    assert facts is not None
    report_compromise(facts.public_key.fingerprint, holder="somebody", actor=SOMEBODY, now=timezone.now())
    return call
