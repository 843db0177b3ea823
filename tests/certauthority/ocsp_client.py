"""An OCSP client for tests: requests by the library's builder, answers by its reader."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from certauthority import issuance, policy, revocation
from certauthority.models import Authority, Certificate, RevocationReason
from certauthority.models.authority import AuthorityPurpose
from certauthority.x509.requests import build_request, new_private_key
from certauthority.x509.subject_rules import SubjectRequirement

REQUIREMENT = SubjectRequirement("MTF", "123456", "Acme Payments Ltd", "Checkout API")


def issue(unique: str = "1") -> Certificate:
    """A live certificate of the Developers CA."""
    csr = build_request(REQUIREMENT.example_subject(unique), new_private_key())
    judgement = policy.judge_request(csr, requirement=REQUIREMENT, holder="acme")
    with transaction.atomic():
        return issuance.issue(judgement, purpose=AuthorityPurpose.DEVELOPERS, now=timezone.now())


def revoke(certificate: Certificate, reason: RevocationReason = RevocationReason.KEY_COMPROMISE) -> bool:
    return revocation.revoke(certificate, reason=reason, actor=Actor("alice@acme.example"), now=timezone.now())


def request_for(
    certificate: Certificate,
    *,
    algorithm: HashAlgorithm | None = None,
    nonce: bytes | None = None,
    issuer: Authority | None = None,
) -> bytes:
    """DER of a request for a certificate of our own; ``issuer`` is named instead of the true one."""
    builder = ocsp.OCSPRequestBuilder()
    authority = issuer or certificate.authority
    assert authority is not None
    builder = builder.add_certificate(
        x509.load_der_x509_certificate(bytes(certificate.der)),
        x509.load_der_x509_certificate(bytes(authority.certificate.der)),
        algorithm or SHA1(),
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def post(data: bytes, name: str = "developers", **extra: Any) -> HttpResponse:
    client = Client(enforce_csrf_checks=True)
    return client.post(f"/ocsp/{name}", data, content_type="application/ocsp-request", **extra)  # type: ignore[return-value]


def get(data: bytes, name: str = "developers", **extra: Any) -> HttpResponse:
    encoded = quote(base64.b64encode(data).decode(), safe="")
    return Client().get(f"/ocsp/{name}/{encoded}", **extra)  # type: ignore[return-value]


def read(response: HttpResponse) -> ocsp.OCSPResponse:
    """What was answered, with its signature verified by the delegated certificate that it carries."""
    assert response.status_code == 200
    assert response["Content-Type"] == "application/ocsp-response"
    assert response["Content-Length"] == str(len(response.content))
    found = ocsp.load_der_ocsp_response(response.content)
    if found.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL:
        key = found.certificates[0].public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(found.signature, found.tbs_response_bytes, ec.ECDSA(SHA256()))
    return found


def status(response: HttpResponse) -> str:
    """GOOD, REVOKED or UNKNOWN, or the status of an answer that says none of them."""
    found = read(response)
    if found.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
        return found.response_status.name
    return found.certificate_status.name
