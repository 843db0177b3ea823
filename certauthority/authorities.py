"""Create the CA hierarchy: a root, and under it one issuing CA for each purpose."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.events import SYSTEM, AuditedObject, record
from audit.statements import ask
from certauthority import profiles, signers
from certauthority.errors import CAError
from certauthority.lint import lint_certificate
from certauthority.models import Authority, Certificate, PublicKey, TrustedAuthority
from certauthority.models.authority import AuthorityPurpose
from certauthority.ocsp import responders
from certauthority.records import certificate_fields
from certauthority.x509.building import build_verified_certificate
from certauthority.x509.certificates import CertificateFacts, read_certificate
from certauthority.x509.keys import PublicKeyFacts
from certauthority.x509.names import encode_subject
from certauthority.x509.profile import Profile, add_months, new_serial

# Asked for every certificate that is issued, so without the ORM: building the query would take longer than it does.
NEWEST = """
    SELECT id, certificate_id FROM certauthority_authority WHERE purpose = %s ORDER BY generation DESC LIMIT 1
"""
ISSUING = (AuthorityPurpose.DEVELOPERS, AuthorityPurpose.KMP, AuthorityPurpose.SERVICES)


def create_hierarchy(*, begin: datetime, now: datetime) -> list[Authority]:
    """Create what is missing of root, Developers CA, KMP CA and Services CA; validity starts at ``begin``.

    Returns the authorities created, none when all were there. Raises ``CAError`` where a key cannot be stored or a
    certificate would not pass the lint.
    """
    created = []
    root = Authority.objects.filter(purpose=AuthorityPurpose.ROOT).order_by("-generation").first()
    if root is None:
        root = _create(AuthorityPurpose.ROOT, generation=1, parent=None, begin=begin, now=now)
        created.append(root)
    present = set(Authority.objects.values_list("purpose", flat=True))
    missing = [purpose for purpose in ISSUING if purpose not in present]
    return created + [_create(purpose, generation=1, parent=root, begin=begin, now=now) for purpose in missing]


def create_next_generation(purpose: AuthorityPurpose, *, now: datetime) -> Authority:
    """Create the issuing CA that takes over from the newest one of this purpose, such as ``developers-g2``."""
    if purpose not in ISSUING:
        raise CAError("Only issuing CAs have a next generation: developers, kmp or services.")
    newest = newest_authority(purpose)
    if newest.parent is None:
        raise CAError(f"{newest.label} has no parent that could sign its successor.")
    return _create(purpose, generation=newest.generation + 1, parent=newest.parent, begin=now, now=now)


def newest_authority(purpose: AuthorityPurpose) -> Authority:
    """The authority that issues for this purpose today."""
    found = ask(NEWEST, [purpose])
    if not found:
        raise CAError(
            "The certificate authority has not been created yet. Staff must run manage.py create_authorities."
        )
    return _authority(*found[0])


def chain_of(authority: Authority) -> list[bytes]:
    """DER of the authority and what stands above it, root last."""
    chain = []
    above: Authority | None = authority
    while above is not None:
        chain.append(bytes(above.certificate.der))
        above = above.parent
    return chain


@lru_cache(maxsize=32)
def _authority(pk: int, certificate_id: UUID | str) -> Authority:
    """An authority with its certificates, which never change, read once per process."""
    return Authority.objects.select_related("certificate", "parent__certificate").get(
        pk=pk, certificate_id=certificate_id
    )


@transaction.atomic
def _create(
    purpose: AuthorityPurpose, *, generation: int, parent: Authority | None, begin: datetime, now: datetime
) -> Authority:
    name = purpose.value if generation == 1 else f"{purpose.value}-g{generation}"
    if parent is not None:
        signers.signer_of(parent)  # First: no key is made that nobody could certify.
    key = signers.create_key(name)
    facts = _certify(name, purpose, generation, key, parent=parent, begin=begin)
    findings = lint_certificate(facts.der)
    if findings:
        raise CAError(f"The certificate of the CA {name} would not pass the lint: {'; '.join(map(str, findings))}.")
    certificate = Certificate.objects.create(
        authority=parent,
        recorded_at=now,
        linted_at=now,
        **certificate_fields(facts, issuer_key=facts.public_key if parent is None else _public_key_of(parent)),
    )
    authority = Authority.objects.create(
        name=name, purpose=purpose, generation=generation, certificate=certificate, parent=parent
    )
    if parent is None:
        Certificate.objects.filter(pk=certificate.pk).update(authority=authority)
    PublicKey.objects.create(fingerprint=facts.public_key.fingerprint, holder=f"ca:{name}")
    if purpose == AuthorityPurpose.KMP:
        _trust(authority, facts, now=now)
    record(
        "authority.created",
        actor=SYSTEM,
        on=AuditedObject(type="authority", id=name, label=authority.label),
        now=now,
        after={
            "serial": facts.serial_hex,
            "not_after": facts.not_after.isoformat(),
            "key": facts.public_key.description,
        },
    )
    responders.certify(authority, now=now)
    return authority


def _certify(
    name: str,
    purpose: AuthorityPurpose,
    generation: int,
    key: signers.PrivateKey,
    *,
    parent: Authority | None,
    begin: datetime,
) -> CertificateFacts:
    suffix = "" if generation == 1 else f" G{generation}"
    subject = encode_subject([("O", settings.CA_ORGANISATION), ("CN", f"Rehearsal {purpose.label}{suffix}")])
    issuer = None if parent is None else signers.signer_of(parent)
    profile = _profile(parent)
    not_before = begin.replace(microsecond=0)
    if issuer is not None:
        not_before = max(not_before, issuer.certificate.not_before)
    return build_verified_certificate(
        profile=profile,
        subject=subject,
        public_key=signers.spki(key),
        issuer=issuer.certificate if issuer else None,
        issuer_key=issuer.key if issuer else key,
        serial=new_serial(),
        not_before=not_before,
        not_after=add_months(not_before, profile.months),
    )


def _profile(parent: Authority | None) -> Profile:
    return profiles.root_profile() if parent is None else profiles.issuing_profile(parent)


def _public_key_of(authority: Authority) -> PublicKeyFacts:
    return read_certificate(bytes(authority.certificate.der)).public_key


def _trust(authority: Authority, facts: CertificateFacts, *, now: datetime) -> None:
    """Put the KMP CA on the list of trusted CAs, as itself; the root above it never is."""
    TrustedAuthority.objects.create(
        authority=authority,
        subject=facts.subject.text,
        common_name=facts.subject.common_name[:64],
        fingerprint=facts.fingerprint,
        is_self_signed=False,
        not_before=facts.not_before,
        not_after=facts.not_after,
        der=facts.der,
        note="The Key Management Portal's CA",
        added_at=now,
    )
