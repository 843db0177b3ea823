"""The list of trusted CAs, kept by the site's staff."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from audit.events import Actor, AuditedObject, JsonScalar, record
from certauthority.errors import NotTrustable
from certauthority.models import Authority, TrustedAuthority
from certauthority.x509.armor import certificate_ders
from certauthority.x509.certificates import CertificateFacts, read_certificate
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.keys import judge_key
from certauthority.x509.verdicts import broken


def add(data: bytes, *, note: str, actor: Actor, now: datetime) -> TrustedAuthority:
    """Put a root or an intermediate on the list, enabled.

    Raises:
        NotTrustable: it cannot be read, is no CA certificate, is not valid now, has a weak key, is one of ours, or is
            on the list already.
    """
    facts = _read(data)
    _refuse_unfit(facts, now=now)
    try:
        with transaction.atomic():
            trusted = TrustedAuthority.objects.create(
                subject=facts.subject.text,
                common_name=facts.subject.common_name[:64],
                fingerprint=facts.fingerprint,
                is_self_signed=facts.is_self_signed,
                not_before=facts.not_before,
                not_after=facts.not_after,
                der=facts.der,
                note=note,
                added_at=now,
            )
            record(
                "trusted-ca.added",
                actor=actor,
                on=_audited(trusted),
                now=now,
                after={"subject": trusted.subject, "fingerprint": trusted.fingerprint, "note": note, "enabled": True},
            )
    except IntegrityError as error:
        raise NotTrustable("This CA is on the list already. Enable it there if it is disabled.") from error
    return trusted


@transaction.atomic
def change(trusted: TrustedAuthority, *, enabled: bool, note: str, actor: Actor, now: datetime) -> None:
    """Enable or disable a trusted CA, or change its note. Certificates accepted before stay where they are."""
    row = TrustedAuthority.objects.select_for_update().get(pk=trusted.pk)
    before: dict[str, JsonScalar] = {"enabled": row.enabled, "note": row.note}
    after: dict[str, JsonScalar] = {"enabled": enabled, "note": note}
    if before == after:
        return
    row.enabled = enabled
    row.note = note
    row.save(update_fields=["enabled", "note"])
    record("trusted-ca.changed", actor=actor, on=_audited(row), now=now, before=before, after=after)


def _read(data: bytes) -> CertificateFacts:
    try:
        ders = certificate_ders(data)
        if len(ders) != 1:
            raise NotTrustable(f"The file holds {len(ders)} certificates. Send the CA's own certificate alone.")
        return read_certificate(ders[0])
    except UnreadableInput as error:
        raise NotTrustable(str(error)) from error


def _refuse_unfit(facts: CertificateFacts, *, now: datetime) -> None:
    if not facts.is_ca or (facts.key_usage and "keyCertSign" not in facts.key_usage):
        raise NotTrustable("This is not a CA certificate: it may not sign others. Send the certificate of the CA.")
    if not facts.not_before <= now <= facts.not_after:
        raise NotTrustable(
            f"This certificate is valid from {facts.not_before:%-d %B %Y} to {facts.not_after:%-d %B %Y}, which is "
            "not now. Send the CA's current certificate."
        )
    weak = broken(judge_key(facts.public_key))
    if weak:
        raise NotTrustable(f"The CA's key is not accepted: {weak[0].title} ({weak[0].found}). Trust another CA.")
    for authority in Authority.objects.select_related("certificate"):
        if authority.certificate.public_key_fingerprint == facts.public_key.fingerprint:
            raise NotTrustable(
                "This is one of this site's own CAs. The KMP CA is on the list by itself, the others never are."
            )


def _audited(trusted: TrustedAuthority) -> AuditedObject:
    return AuditedObject(type="trusted-ca", id=str(trusted.pk), label=str(trusted))
