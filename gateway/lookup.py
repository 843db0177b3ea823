"""What the site knows of a certificate, by its fingerprint: one query as a rule, at most three, each by an index.

Nothing is kept from one call to the next but certificates of our own CAs, which never change, so that a revocation
counts from its commit on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from certauthority.chains import issuers_of
from certauthority.models import Authority, Certificate
from certauthority.x509.certificate_rules import read_trusted
from certauthority.x509.name_rules import shown
from connect.models import Company
from gateway.pages import page
from gateway.rows import Part
from kmp.models import EntryState, InventoryEntry
from portal.models import Credential, Environment, ProductionState, Project


@dataclass(frozen=True, slots=True)
class Known:
    """A certificate that the site knows, and where it stands.

    ``credential`` is the live one, else the one that ended last; ``entry`` is the certificate's own in KMP.
    ``production`` is the state of the project's last request for production access, ``is_replaced`` whether the
    credential has a successor that has not ended.
    """

    certificate: Certificate
    entry: InventoryEntry | None
    credential: Credential | None
    production: ProductionState | None
    key_is_compromised: bool
    is_replaced: bool

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


_KNOWN: Final = """
    SELECT {columns},
        (SELECT request.state FROM portal_productionaccessrequest request WHERE request.project_id = project.id
            ORDER BY request.decided_at DESC NULLS FIRST, request.requested_at DESC LIMIT 1),
        EXISTS (SELECT 1 FROM certauthority_publickey public_key
            WHERE public_key.fingerprint = certificate.public_key_fingerprint
                AND public_key.compromised_at IS NOT NULL),
        EXISTS (SELECT 1 FROM portal_credential newer
            WHERE newer.predecessor_id = credential.id AND newer.ended_at IS NULL)
    FROM certauthority_certificate certificate
    LEFT JOIN certauthority_authority authority ON authority.id = certificate.authority_id
    LEFT JOIN kmp_inventoryentry entry ON entry.certificate_id = certificate.id
    LEFT JOIN connect_company holder ON holder.id = entry.company_id
    LEFT JOIN portal_credential credential ON credential.id = (
        SELECT latest.id FROM portal_credential latest WHERE latest.certificate_id = certificate.id
            ORDER BY latest.ended_at DESC NULLS FIRST, latest.created_at DESC, latest.id DESC LIMIT 1)
    LEFT JOIN portal_project project ON project.id = credential.project_id
    LEFT JOIN connect_company company ON company.id = project.company_id
    WHERE certificate.fingerprint = %s
"""


@lru_cache(maxsize=1)
def _parts() -> tuple[str, tuple[Part[Any], ...]]:
    """The statement, and its tables in the order of its columns."""
    parts: tuple[Part[Any], ...] = (
        Part.of(Certificate, "certificate", without=("der", "crl_entry", "lint_findings")),
        Part.of(Authority, "authority"),
        Part.of(InventoryEntry, "entry", without=("search_text", "alternative_names")),
        Part.of(Company, "holder"),
        Part.of(Credential, "credential"),
        Part.of(Project, "project"),
        Part.of(Company, "company"),
    )
    return _KNOWN.format(columns=", ".join(part.columns for part in parts)), parts


def known(fingerprint: str) -> Known | None:
    """One query, whether the site knows it or not."""
    statement, parts = _parts()
    with connection.cursor() as cursor:
        cursor.execute(statement, [fingerprint])
        row = cursor.fetchone()
    if row is None:
        return None
    place = 0
    made: list[Any] = []
    for part in parts:
        made.append(part.made_of(row[place : place + len(part.names)]))
        place += len(part.names)
    certificate, authority, entry, holder, credential, project, company = made
    production, is_compromised, is_replaced = row[place:]
    certificate.authority = authority
    if entry is not None:
        entry.certificate, entry.company = certificate, holder
    if credential is not None:
        project.company = company
        credential.certificate, credential.project = certificate, project
    return Known(
        certificate=certificate,
        entry=entry,
        credential=credential,
        production=ProductionState(production) if production else None,
        key_is_compromised=bool(is_compromised),
        is_replaced=bool(is_replaced),
    )


def successor_of(found: Known, *, at: datetime) -> Successor | None:
    """The newest certificate that replaces this one and works at that time of its company, in two queries at most.

    A credential of the same project comes first: one that was added as the successor, or that holds a newer version
    of the same KMP certificate.
    """
    newest = _newest_version(found, at=at)
    if found.credential is not None and (found.is_replaced or newest is not None):
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
        certificate__not_before__lte=at,
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
