"""Accept certificates that other CAs issued, the KMP CA among them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction

from certauthority.errors import RequestRefused
from certauthority.key_holders import claim_key
from certauthority.models import Certificate, TrustedAuthority
from certauthority.policy import judge_known_key, remembered
from certauthority.records import certificate_fields, issuer_digest
from certauthority.x509.certificate_rules import CertificateJudgement, judge_certificate
from certauthority.x509.verdicts import Verdict


def judge_upload(data: bytes, *, holder: str | None, now: datetime) -> CertificateJudgement:
    """Judge an uploaded certificate, with or without its chain, against the site's trusted CAs at ``now``.

    ``holder`` is the public id of the company that uploads it; None asks for nobody. Never raises for any bytes.
    """
    trusted = [bytes(der) for der in TrustedAuthority.objects.filter(enabled=True).values_list("der", flat=True)]
    judgement = judge_certificate(data, trusted=trusted, at=now)
    if judgement.leaf is None:
        return judgement
    more = (
        *_serial_repeated(judgement),
        _not_revoked(judgement),
        *judge_known_key(remembered(judgement.leaf.public_key), holder=holder),
    )
    return replace(judgement, verdicts=judgement.verdicts + more)


def record_upload(judgement: CertificateJudgement, *, holder: str, now: datetime) -> Certificate:
    """Store an accepted certificate, or find it where the site knows it. Call it inside the caller's transaction.

    Raises:
        RequestRefused: a rule is broken, or the key became unacceptable since it was judged.
    """
    if judgement.leaf is None or not judgement.acceptable:
        raise RequestRefused(judgement.verdicts)
    claim_key(judgement.leaf.public_key, holder=holder)
    known = Certificate.objects.select_for_update().filter(fingerprint=judgement.leaf.fingerprint).first()
    if known is not None:
        if known.revoked_at is not None:
            raise RequestRefused((_not_revoked(judgement),))
        return known
    try:
        with transaction.atomic():
            return Certificate.objects.create(
                authority=None,
                recorded_at=now,
                uploaded_chain=b"".join(issuer.der for issuer in judgement.chain),
                **certificate_fields(judgement.leaf, issuer_key=judgement.chain[0].public_key),
            )
    except IntegrityError:
        repeated = _serial_repeated(judgement)
        if not repeated:
            raise
        raise RequestRefused(repeated) from None


def _serial_repeated(judgement: CertificateJudgement) -> tuple[Verdict, ...]:
    """A broken rule where the site knows another certificate with this issuer and serial number, else nothing."""
    leaf, chain = judgement.leaf, judgement.chain
    if leaf is None or not chain:
        return ()
    digest = issuer_digest(leaf, chain[0].public_key)
    same = Certificate.objects.filter(issuer_digest=digest, serial=leaf.serial_hex)
    if not same.exclude(fingerprint=leaf.fingerprint).exists():
        return ()
    verdict = Verdict(
        id="cert.serial",
        title="A serial number that its issuer gave once",
        ok=False,
        found=f"another certificate of this issuer has the serial number {leaf.serial_hex}",
        wanted="a certificate with a serial number of its own: ask its issuer for a new one",
        source="RFC 5280, 4.1.2.2",
    )
    return (verdict,)


def _not_revoked(judgement: CertificateJudgement) -> Verdict:
    leaf = judgement.leaf
    revoked = None
    if leaf is not None:
        revoked = Certificate.objects.filter(fingerprint=leaf.fingerprint, revoked_at__isnull=False).first()
    when = "" if revoked is None else f"{revoked.revoked_at:%-d %B %Y, %H:%M} UTC"
    return Verdict(
        id="cert.revoked",
        title="Not revoked by its issuer here",
        ok=revoked is None,
        found=f"revoked on {when} ({revoked.get_revocation_reason_display()})" if revoked else "",
        wanted="a certificate that has not been revoked: ask for a new one" if revoked else "",
        source="RFC 5280, 5",
    )
