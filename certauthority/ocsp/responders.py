"""Delegated OCSP responders (RFC 6960, 4.2.2.2): one for each CA, with its own key and a certificate of 30 days."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from audit.events import SYSTEM, AuditedObject, record
from certauthority import profiles, signers
from certauthority.errors import CAError, SigningUnavailable
from certauthority.lint import lint_certificate
from certauthority.models import Authority, Certificate, OcspResponder, PublicKey
from certauthority.records import certificate_fields
from certauthority.x509.building import build_verified_certificate
from certauthority.x509.certificates import CertificateFacts
from certauthority.x509.names import encode_subject
from certauthority.x509.profile import new_serial

RENEW_BEFORE = timedelta(days=10)
# With less than this left the renewal has failed for five days, and somebody should know.
ALARM_BEFORE = timedelta(days=5)
# Clients' clocks may be behind, as with the certificates that are issued.
BACKDATE = timedelta(hours=1)


def renew_due(*, now: datetime) -> list[OcspResponder]:
    """Certify the responders that have no certificate, one that soon ends, or a key that is lost.

    Returns those that were certified. Where a CA or its responder cannot sign, the others come first, and then
    ``CAError`` is raised.
    """
    renewed: list[OcspResponder] = []
    failure: CAError | None = None
    authorities = Authority.objects.select_related("certificate", "ocsp_responder__certificate").order_by("pk")
    for authority in authorities.filter(certificate__not_after__gt=now):
        # Asked every minute, so without a lock; certify asks again under it.
        found = getattr(authority, "ocsp_responder", None)
        if found is not None and _is_good(authority, found, now=now):
            continue
        try:
            responder = certify(authority, now=now)
        except CAError as error:
            failure = error
            continue
        if responder is not None:
            renewed.append(responder)
    if failure is not None:
        raise failure
    return renewed


@transaction.atomic
def certify(authority: Authority, *, now: datetime) -> OcspResponder | None:
    """Give an authority's responder a new certificate, unless it has a good one: then None is returned.

    Raises:
        SigningUnavailable: the CA's key cannot be used, or the responder's can neither be used nor made.
        CAError: the certificate would not pass the lint.
    """
    # Two that are at it at once queue here, and the second finds a good certificate. Issuing goes on meanwhile.
    locked = Authority.objects.select_for_update(of=("self",), no_key=True)
    authority = locked.select_related("certificate").get(pk=authority.pk)
    responder = OcspResponder.objects.select_related("certificate").filter(authority=authority).first()
    if responder is not None and _is_good(authority, responder, now=now):
        return None
    key = signers.create_responder_key(authority)
    issuer = signers.signer_of(authority)
    facts = _build(authority, issuer, signers.spki(key), now=now)
    if findings := lint_certificate(facts.der):
        raise CAError(f"The certificate of an OCSP responder would not pass the lint: {'; '.join(map(str, findings))}.")
    certificate = Certificate.objects.create(
        authority=authority,
        recorded_at=now,
        linted_at=now,
        **certificate_fields(facts, issuer_key=issuer.certificate.public_key),
    )
    PublicKey.objects.get_or_create(
        fingerprint=facts.public_key.fingerprint, defaults={"holder": f"ca:{authority.name}.ocsp"}
    )
    responder, _ = OcspResponder.objects.update_or_create(authority=authority, defaults={"certificate": certificate})
    record(
        "authority.ocsp-responder-certified",
        actor=SYSTEM,
        on=AuditedObject(type="authority", id=authority.name, label=authority.label),
        now=now,
        after={"serial": facts.serial_hex, "not_after": facts.not_after.isoformat()},
    )
    return responder


def problem(authority: Authority, *, now: datetime) -> str:
    """What is wrong with an authority's responder, as a sentence; empty when nothing is."""
    responder = OcspResponder.objects.select_related("certificate").filter(authority=authority).first()
    if responder is None:
        return f"{authority.label} has no OCSP responder. See that worker and beat are running."
    certificate = responder.certificate
    if certificate.not_after - now < min(ALARM_BEFORE, authority.certificate.not_after - now):
        ends = "ended" if certificate.not_after <= now else "ends"
        return (
            f"The certificate of {authority.label}’s OCSP responder {ends} on {certificate.not_after:%-d %B %Y} and "
            "was not renewed. See that worker and beat are running."
        )
    try:
        if settings.SIGNS:
            signers.responder_signer(authority.name, bytes(certificate.der))
    except SigningUnavailable as error:
        return str(error)
    return ""


def _is_good(authority: Authority, responder: OcspResponder, *, now: datetime) -> bool:
    end = responder.certificate.not_after
    # Near the CA's own end no certificate is longer.
    if end - now < RENEW_BEFORE and end < authority.certificate.not_after:
        return False
    try:
        signers.responder_signer(authority.name, bytes(responder.certificate.der))
    except SigningUnavailable:
        return False
    return True


def _build(authority: Authority, issuer: signers.Signer, public_key: bytes, *, now: datetime) -> CertificateFacts:
    profile = profiles.responder_profile(authority)
    begin = now.replace(microsecond=0)
    return build_verified_certificate(
        profile=profile,
        subject=encode_subject(
            [("O", settings.CA_ORGANISATION), ("CN", f"{issuer.certificate.subject.common_name} OCSP Responder")]
        ),
        public_key=public_key,
        issuer=issuer.certificate,
        issuer_key=issuer.key,
        serial=new_serial(),
        not_before=max(begin - BACKDATE, issuer.certificate.not_before),
        not_after=min(begin + timedelta(days=profile.days), issuer.certificate.not_after),
    )
