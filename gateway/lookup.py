"""What the site knows of a certificate, by its fingerprint: at most four queries, each by an index.

Nothing is kept from one call to the next but certificates of our own CAs, which never change, so that a revocation
counts from its commit on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from certauthority.chains import issuers_of
from certauthority.models import Authority, Certificate, PublicKey
from certauthority.x509.certificate_rules import read_trusted
from certauthority.x509.name_rules import shown
from connect.models import Company
from gateway.pages import page
from kmp.models import EntryState, InventoryEntry
from portal.models import Credential, Environment, ProductionAccessRequest, ProductionState, Project


@dataclass(frozen=True, slots=True)
class Known:
    """A certificate that the site knows, and where it stands.

    ``credential`` is the live one, else the one that ended last; ``entry`` is the certificate's own in KMP.
    ``production`` is the state of the project's last request for production access.
    """

    certificate: Certificate
    entry: InventoryEntry | None
    credential: Credential | None
    production: ProductionState | None
    key_is_compromised: bool

    @property
    def company(self) -> Company | None:
        """Whose clock decides. Our own CAs and servers have none."""
        if self.credential is not None:
            return self.credential.project.company
        return self.entry.company if self.entry is not None else None

    @property
    def project(self) -> Project | None:
        return self.credential.project if self.credential is not None else None

    @property
    def is_live(self) -> bool:
        return self.credential is not None and self.credential.ended_at is None


@dataclass(frozen=True, slots=True)
class Successor:
    """What replaces a certificate and works now. ``alias`` is KMP's reference where it is not on the project yet."""

    alias: str
    serial: str
    link: str
    is_on_project: bool


def known(fingerprint: str) -> Known | None:
    """Two queries for a certificate that the site knows, one for any other."""
    compromised = PublicKey.objects.filter(fingerprint=OuterRef("public_key_fingerprint"), compromised_at__isnull=False)
    certificate = (
        Certificate.objects.filter(fingerprint=fingerprint)
        .select_related("authority", "inventory_entry__company")
        .defer("der", "crl_entry", "lint_findings")
        .annotate(key_is_compromised=Exists(compromised))
        .first()
    )
    if certificate is None:
        return None
    credential, production = _credential_of(certificate)
    return Known(
        certificate=certificate,
        entry=getattr(certificate, "inventory_entry", None),
        credential=credential,
        production=production,
        key_is_compromised=certificate.key_is_compromised,
    )


def _credential_of(certificate: Certificate) -> tuple[Credential | None, ProductionState | None]:
    requests = ProductionAccessRequest.objects.filter(project=OuterRef("project"))
    last = requests.order_by(F("decided_at").desc(nulls_first=True), "-requested_at").values("state")[:1]
    credential = (
        Credential.objects.filter(certificate=certificate)
        .select_related("project__company")
        .annotate(production=Subquery(last))
        .order_by(F("ended_at").desc(nulls_first=True), "-created_at", "-pk")
        .first()
    )
    if credential is None:
        return None, None
    return credential, ProductionState(credential.production) if credential.production else None


def successor_of(found: Known, *, at: datetime) -> Successor | None:
    """The newest certificate that replaces this one and works at that time of its company, in two queries at most.

    A credential of the same project comes first: one that was added as the successor, or that holds a newer version
    of the same KMP certificate.
    """
    newest = _newest_version(found, at=at)
    if found.credential is not None:
        replacing = Q(predecessor=found.credential)
        if newest is not None:
            replacing |= Q(certificate=newest.certificate_id)
        credential = _working(found.credential, at=at).filter(replacing).order_by("created_at", "pk").last()
        if credential is not None:
            return Successor(
                credential.alias, credential.certificate.serial, credential_page(credential), is_on_project=True
            )
    if newest is None:
        return None
    return Successor(newest.reference, newest.serial, entry_page(newest), is_on_project=False)


def _working(old: Credential, *, at: datetime) -> QuerySet[Credential]:
    return Credential.objects.filter(
        project=old.project_id,
        environment=old.environment,
        ended_at=None,
        certificate__revoked_at=None,
        certificate__not_after__gte=at,
    ).select_related("certificate")


def _newest_version(found: Known, *, at: datetime) -> InventoryEntry | None:
    if found.entry is None or found.entry.state != EntryState.RENEWED:
        return None
    versions = InventoryEntry.objects.filter(line=found.entry.line, version__gt=found.entry.version)
    return versions.filter(state=EntryState.LIVE, expires_at__gte=at).order_by("version").last()


def credential_page(credential: Credential) -> str:
    """Where a credential is looked after."""
    return page("portal:credential", credential.project_id, Environment(credential.environment), credential.pk)


def entry_page(entry: InventoryEntry) -> str:
    """Where a KMP certificate is looked after."""
    return page("kmp:entry", entry.reference)


def missing_issuers(certificate: Certificate, sent: Sequence[bytes]) -> list[str]:
    """Names of the CAs that a client had to send along and did not; the CA that ends the chain need not be sent.

    No signature is verified: the site knows the chain of each certificate that it issued or took.
    """
    authority = certificate.authority
    if authority is not None:
        issuers = _issuers(authority.pk, authority.certificate_id)
    else:
        issuers = tuple(issuers_of(certificate))
    return [_name(issuer) for issuer in issuers[:-1] if issuer not in sent]


@lru_cache(maxsize=32)
def _issuers(authority_id: int, certificate_id: UUID) -> tuple[bytes, ...]:
    """A CA of ours and those above it, which never change: asked for once in a process."""
    authority = Authority.objects.select_related("certificate", "parent__certificate").get(
        pk=authority_id, certificate_id=certificate_id
    )
    return tuple(issuers_of(Certificate(authority=authority)))


def _name(issuer: bytes) -> str:
    facts = read_trusted(issuer)
    return shown(facts.subject.common_name or facts.subject.text) if facts is not None else "a CA"
