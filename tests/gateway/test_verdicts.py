"""The table of verdicts, row by row, through the application, with certificates made by the real use-cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.conf import settings

from certauthority.models import ReasonCode
from gateway.calls import Call
from portal.models import Project
from tests.gateway import cases
from tests.gateway.asking import ask


@dataclass(frozen=True)
class Row:
    """A call and what must come of it. ``words`` stand in the sentence and remedy, ``link`` in the address."""

    make: Callable[[Project], Call]
    reason: ReasonCode
    words: tuple[str, ...]
    link: str
    besides: tuple[ReasonCode, ...] = ()


R = ReasonCode
ROWS = {
    "accepted": Row(
        cases.accepted, R.ACCEPTED, ("“checkout” of the project “Checkout API” is accepted in Sandbox",), "CRED"
    ),
    "accepted-in-production": Row(cases.accepted_in_production, R.ACCEPTED, ("is accepted in Production",), "CRED"),
    "accepted-from-kmp": Row(cases.accepted_from_kmp, R.ACCEPTED, ("“from-kmp”", "It expires in 39"), "CRED"),
    "accepted-from-elsewhere": Row(cases.accepted_from_elsewhere, R.ACCEPTED, ("“uploaded”", "in 299 days"), "CRED"),
    "accepted-expiring-soon": Row(cases.expiring_soon, R.ACCEPTED, ("Rotate it before",), "CRED"),
    "leaf-alone": Row(
        cases.leaf_alone, R.CHAIN_INCOMPLETE, ("Rehearsal Developers CA was not sent", "Download chain"), "CRED"
    ),
    "leaf-alone-behind-nginx": Row(cases.leaf_alone_behind_nginx, R.ACCEPTED, ("is accepted in Sandbox",), "CRED"),
    "superseded": Row(cases.superseded, R.SUPERSEDED, ("“new” replaces it, and is live", "revoke it"), "CRED"),
    "superseded-leaf-alone": Row(
        cases.superseded_leaf_alone, R.SUPERSEDED, ("Let this client use “new”",), "CRED", (R.CHAIN_INCOMPLETE,)
    ),
    "successor-ended": Row(cases.successor_ended, R.ACCEPTED, ("“old” of the project",), "CRED"),
    "renewed-in-kmp": Row(cases.renewed_in_kmp, R.SUPERSEDED, ("was renewed in KMP", "Upload KM-"), "CRED"),
    "renewed-and-uploaded": Row(cases.renewed_in_kmp_and_uploaded, R.SUPERSEDED, ("“newer” replaces it",), "CRED"),
    "none": Row(cases.none, R.MISSING, ("No client certificate was sent", "curl --cert"), "/projects/"),
    "rubbish": Row(cases.rubbish, R.UNREADABLE, ("cannot be read", "Export it again"), "/projects/"),
    "empty": Row(cases.nothing_in_it, R.UNREADABLE, ("cannot be read",), "/projects/"),
    "too-many": Row(cases.too_many, R.UNREADABLE, ("11 certificates were sent. At most 10",), "/projects/"),
    "too-large": Row(cases.too_large, R.UNREADABLE, ("At most 10 certificates and 256 KiB",), "/projects/"),
    "sha-1": Row(
        cases.signed_with_old_hash,
        R.UNREADABLE,
        ("sha1WithRSAEncryption", "SHA-256"),
        "/projects/",
        (R.UNKNOWN_ISSUER,),
    ),
    "self-signed": Row(cases.self_signed, R.UNKNOWN_ISSUER, ("it is signed by itself",), "/trusted-cas/"),
    "unknown-ca": Row(cases.unknown_ca, R.UNKNOWN_ISSUER, ("Nobody’s Root", "which is not trusted"), "/trusted-cas/"),
    "unknown-ca-not-sent": Row(
        cases.unknown_ca_not_sent,
        R.UNKNOWN_ISSUER,
        ("neither trusted nor in what was sent", "1 certificate cannot be read"),
        "/trusted-cas/",
    ),
    "unknown-ca-behind-nginx": Row(
        cases.unknown_ca_behind_nginx, R.UNKNOWN_ISSUER, ("hands over the first certificate alone",), "/trusted-cas/"
    ),
    "namesake-of-trusted-ca": Row(
        cases.namesake_of_trusted_ca,
        R.UNKNOWN_ISSUER,
        ("a CA with the name of the trusted CA", "another key"),
        "/trusted-cas/",
    ),
    "forged-trusted-ca": Row(
        cases.forged_trusted_ca,
        R.UNKNOWN_ISSUER,
        ("it has the name of the trusted CA", "Elsewhere Root", "but another key"),
        "/trusted-cas/",
        (R.NOT_A_CLIENT_CERTIFICATE,),
    ),
    "expired": Row(
        cases.expired_by_the_clock,
        R.EXPIRED,
        ("expired on", "The clock of Acme Payments Ltd shows", "Start over"),
        "CRED",
    ),
    "expired-with-successor": Row(cases.expired_with_successor, R.EXPIRED, ("Use “new” instead",), "CRED"),
    "expired-of-a-stranger": Row(cases.expired_of_a_stranger, R.EXPIRED, ("expired on",), "/projects/"),
    "expired-in-kmp": Row(cases.expired_in_kmp, R.EXPIRED, ("Renew it in KMP",), "/kmp/cert"),
    "not-yet-valid": Row(cases.not_yet_valid, R.NOT_YET_VALID, ("is valid only from", "Wait until then"), "CRED"),
    "not-yet-valid-of-a-stranger": Row(
        cases.not_yet_valid_of_a_stranger, R.NOT_YET_VALID, ("is valid only from",), "/projects/", (R.NOT_ON_PROJECT,)
    ),
    "revoked": Row(
        cases.revoked,
        R.REVOKED,
        ("was revoked on", "“Unused or replaced”", "Add a new certificate to the project"),
        "CRED",
    ),
    "revoked-for-compromise": Row(
        cases.revoked_for_compromise, R.REVOKED, ("“Key compromise”", "Use “new” instead"), "CRED"
    ),
    "revoked-in-kmp": Row(
        cases.revoked_in_kmp, R.REVOKED, ("“Cessation of operation”", "Request a new"), "/kmp/certificates/"
    ),
    "revoked-and-expired": Row(cases.revoked_and_expired, R.REVOKED, ("was revoked on",), "CRED"),
    "sandbox-in-production": Row(
        cases.sandbox_in_production,
        R.WRONG_ENVIRONMENT,
        ("belongs to Sandbox, and this is the host of Production", "GATE"),
        "CRED",
    ),
    "production-in-sandbox": Row(cases.production_in_sandbox, R.WRONG_ENVIRONMENT, ("belongs to Production",), "CRED"),
    "unapproved-production-in-sandbox": Row(
        cases.unapproved_production_in_sandbox,
        R.WRONG_ENVIRONMENT,
        ("belongs to Production",),
        "CRED",
        (R.PRODUCTION_NOT_APPROVED,),
    ),
    "never-uploaded": Row(
        cases.never_uploaded, R.NOT_ON_PROJECT, ("is on no project", "Upload mTLS"), "/kmp/certificates/KM-"
    ),
    "never-uploaded-and-renewed": Row(
        cases.never_uploaded_and_renewed, R.NOT_ON_PROJECT, ("is a newer version of it",), "/kmp/certificates/KM-"
    ),
    "use-ended": Row(
        cases.use_ended,
        R.NOT_ON_PROJECT,
        ("its use on the project “Checkout API” was ended on",),
        "/add/upload-certificate/",
    ),
    "use-ended-for-compromise": Row(
        cases.use_ended_for_compromise, R.NOT_ON_PROJECT, ("reported as compromised",), "CRED"
    ),
    "project-deleted": Row(
        cases.project_deleted, R.NOT_ON_PROJECT, ("the project “Checkout API” was deleted on",), "/projects/"
    ),
    "trusted-but-never-uploaded": Row(
        cases.trusted_but_never_uploaded, R.NOT_ON_PROJECT, ("leads to the trusted CA Elsewhere Root",), "/projects/"
    ),
    "production-not-requested": Row(
        cases.production_not_requested,
        R.PRODUCTION_NOT_APPROVED,
        ("Nobody has requested", "Request production"),
        "/production-access/",
    ),
    "production-waits": Row(
        cases.production_waits, R.PRODUCTION_NOT_APPROVED, ("waits for the site’s staff",), "/production-access/"
    ),
    "production-refused": Row(
        cases.production_refused, R.PRODUCTION_NOT_APPROVED, ("have refused", "again"), "/production-access/"
    ),
    "for-servers": Row(
        cases.for_servers, R.NOT_A_CLIENT_CERTIFICATE, ("the certificate of a server (serverAuth), not",), "/projects/"
    ),
    "ca-of-others": Row(cases.ca_of_others, R.NOT_A_CLIENT_CERTIFICATE, ("the certificate of a CA",), "/projects/"),
    "ca-of-nobody": Row(
        cases.ca_of_nobody, R.NOT_A_CLIENT_CERTIFICATE, ("the certificate of a CA",), "/projects/", (R.UNKNOWN_ISSUER,)
    ),
    "own-ca": Row(cases.own_ca, R.NOT_A_CLIENT_CERTIFICATE, ("the certificate of a CA",), "/projects/"),
    "own-responder": Row(cases.own_responder, R.NOT_A_CLIENT_CERTIFICATE, ("is for OCSPSigning, not",), "/projects/"),
    "purpose-not-said": Row(
        cases.purpose_not_said, R.NOT_A_CLIENT_CERTIFICATE, ("no extended key usage",), "/projects/"
    ),
    "short-key": Row(cases.short_key, R.WEAK_KEY, ("RSA 1024", "size of the RSA key: 1024 bits"), "/projects/"),
    "other-curve": Row(cases.other_curve, R.WEAK_KEY, ("curve of the EC key: P-521",), "/projects/"),
    "compromised-key": Row(cases.compromised_key, R.WEAK_KEY, ("revoked for key compromise",), "/projects/"),
}


def link_of(row: Row, project: Project) -> str:
    return f"/projects/{project.pk}/" if row.link == "CRED" else row.link


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_each_row_of_the_table(row: Row, project: Project) -> None:
    call = row.make(project)

    reply = ask(call, "/whoami")

    is_accepted = row.reason in (R.ACCEPTED, R.SUPERSEDED, R.CHAIN_INCOMPLETE)
    assert reply.status == (200 if is_accepted else 401 if row.reason == R.MISSING else 403)
    if is_accepted:
        first = reply.json["verdict"]
        codes, told = [other["reasonCode"] for other in first["besides"]], first["sentence"] + first["remedy"]
        assert (first["reasonCode"], first["accepted"], link := first["link"]) == (
            row.reason.value,
            True,
            first["link"],
        )
    else:
        first, *others = reply.errors
        codes, told = [other["ReasonCode"] for other in others], first["Description"] + first["Details"]
        assert (first["Source"], first["ReasonCode"]) == ("Gateway", row.reason.value)
        assert all(error["Recoverable"] is False for error in reply.errors)
        link = first["Details"].rpartition(" ")[2]
    assert codes == [reason.value for reason in row.besides]
    for words in row.words:
        assert words.replace("GATE", settings.GATEWAY_URLS["sandbox"]) in told
    assert link.startswith(f"{settings.SITE_URL}/")
    assert link_of(row, project) in link
    if row.link == "CRED":
        assert link.count("/") > 6
