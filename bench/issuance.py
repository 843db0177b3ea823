"""Issue from a CSR through the use-case, against the same work done by hand.

The baseline makes the same certificate with the library's own builder, the same key checks, and sends exactly the SQL
that the use-case sends (recorded from one run, with this run's values put in) through bare psycopg in one transaction.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any
from uuid import uuid4

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.conf import settings
from django.db import connection
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from bench.report import Result, at_least
from certauthority import signers
from certauthority.authorities import create_next_generation, newest_authority
from certauthority.models import Certificate
from certauthority.models.authority import AuthorityPurpose
from certauthority.x509.keys import judge_key, read_public_key
from certauthority.x509.profile import add_months
from certauthority.x509.requests import build_request, new_private_key
from config import env
from connect.models import Company, User
from portal.enrolment import NewCredential, add_from_csr
from portal.models import Credential, CredentialMethod, Environment, Project
from portal.projects import create_project
from portal.requirements import requirement_of

ROUNDS = 8
BATCH = 40
LIMIT = 0.7
# How the aliases begin of those from which the work by hand is learnt.
SAMPLE = "SAMPLE-"
ACTOR = Actor("bench@acme.example")


def measure() -> Iterator[Result]:
    """The ratio for a P-256 CA and for an RSA-2048 CA."""
    for algorithm in ("EC P-256", "RSA 2048"):
        yield from _measure(algorithm)


def _measure(algorithm: str) -> Iterator[Result]:
    _use(algorithm)
    project = new_project(f"Bench {algorithm}")
    csrs = requests_for(project)
    by_hand = ByHand(project, next(csrs))
    spent = {"ours": 0.0, "by hand": 0.0, "raw": 0.0}
    for _ in range(ROUNDS):
        for name, work in (
            ("ours", lambda csr: issue(project, csr)),
            ("by hand", by_hand.issue),
            ("raw", by_hand.raw),
        ):
            spent[name] += _timed(work, [next(csrs) for _ in range(BATCH)])
    rate = {name: ROUNDS * BATCH / seconds for name, seconds in spent.items()}
    by_hand.close()
    yield at_least(
        f"issue with {algorithm}: use-case against the same by hand",
        rate["ours"] / rate["by hand"],
        LIMIT,
        f" ({rate['ours']:.0f}/s, {rate['by hand']:.0f}/s)",
    )
    yield Result(f"issue with {algorithm}: raw cryptography and one INSERT", f"{rate['raw']:.0f}/s")


def _timed(work: Callable[[bytes], object], csrs: list[bytes]) -> float:
    start = time.perf_counter()
    for csr in csrs:
        work(csr)
    return time.perf_counter() - start


def _use(algorithm: str) -> None:
    settings.CA_KEY_ALGORITHM = algorithm
    if newest_authority(AuthorityPurpose.DEVELOPERS).certificate.key_description != algorithm:
        create_next_generation(AuthorityPurpose.DEVELOPERS, now=timezone.now())


def new_project(name: str, *, password: str | None = None) -> Project:
    """A project of a company of its own, and its admin ``<name of the project>@bench.example``."""
    now = timezone.now()
    company = Company.objects.create(name=name, verified_at=now)
    email = f"{name.replace(' ', '-').lower()}@bench.example"
    user = User.objects.create_user(email, password=password, name="Bench", company=company)
    return create_project(name, by=user, actor=ACTOR, now=now)


def requests_for(project: Project) -> Iterator[bytes]:
    """CSRs without end that keep the project's rules, each with a key and a common name of its own."""
    requirement = requirement_of(project, Environment.SANDBOX)
    for _ in repeat(None):
        yield build_request(requirement.example_subject(uuid4().hex[:20]), new_private_key())


def issue(project: Project, csr: bytes, *, alias: str = "ALIAS-") -> Credential:
    """By the use-case, as a page calls it; ``alias`` is how the alias begins."""
    new = NewCredential(
        project=project,
        environment=Environment.SANDBOX,
        alias=f"{alias}{uuid4()}",
        method=CredentialMethod.UPLOADED_CSR,
        submission=uuid4(),
    )
    return add_from_csr(new, csr, actor=ACTOR, now=timezone.now())


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    parameters: tuple[Any, ...]


def _position(value: Any, known: list[Any]) -> int | None:
    """Which of the sample's own values this is, if it is one: every other run puts its own there."""
    plain = bytes(value.obj) if isinstance(value, psycopg.Binary) else value
    for position, sample in enumerate(known):
        if type(sample) is type(plain) and sample == plain:
            return position
    return None


class ByHand:
    """The same work without Django and without our code."""

    def __init__(self, project: Project, csr: bytes) -> None:
        self.statements: list[_Statement] = []
        # Read once per process, and no part of what each certificate asks.
        authority = newest_authority(AuthorityPurpose.DEVELOPERS)
        with connection.execute_wrapper(self._record):
            self.sample = issue(project, csr, alias=SAMPLE)
        self.signer = signers.signer_of(authority)
        self.issuer = x509.load_der_x509_certificate(bytes(authority.certificate.der))
        # Those of the sample: what is made by hand says as much. The key's identifier is each certificate's own.
        self.extensions = [
            (extension.value, extension.critical)
            for extension in x509.load_der_x509_certificate(bytes(self.sample.certificate.der)).extensions
            if not isinstance(extension.value, x509.SubjectKeyIdentifier)
        ]
        self.connection = psycopg.connect(env.DATABASE_URL, autocommit=True)
        known = self._values(self.sample.certificate, self.sample)
        self.plans = [
            (statement.sql, [(value, _position(value, known)) for value in statement.parameters])
            for statement in self.statements
        ]

    def close(self) -> None:
        self.connection.close()

    def _record(self, execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        self.statements.append(_Statement(sql, tuple(parameters or ())))
        return execute(sql, parameters, many, context)

    @staticmethod
    def _values(certificate: Certificate, credential: Credential) -> list[Any]:
        """The values of the sample that every other run has differently, in the order of ``_fresh_values``."""
        return [
            certificate.pk,
            certificate.serial,
            certificate.subject,
            certificate.subject_digest,
            certificate.common_name,
            certificate.fingerprint,
            certificate.public_key_fingerprint,
            bytes(certificate.der),
            credential.pk,
            credential.alias,
            credential.alias.lower(),
            credential.submission,
            credential.submission.hex,
            AuditEvent.objects.get(object_id=str(credential.pk)).reference,
        ]

    @staticmethod
    def _fresh_values(der: bytes, certificate: x509.Certificate, spki: bytes) -> list[Any]:
        subject, alias, submission = certificate.subject, f"ALIAS-{uuid4()}", uuid4()
        return [
            uuid4(),
            format(certificate.serial_number, "x"),
            subject.rfc4514_string(),
            hashlib.sha256(subject.public_bytes()).hexdigest(),
            str(subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value),
            certificate.fingerprint(hashes.SHA256()).hex(),
            hashlib.sha256(spki).hexdigest(),
            der,
            uuid4(),
            alias,
            alias.lower(),
            submission,
            submission.hex,
            uuid4(),
        ]

    def issue(self, pem: bytes) -> str:
        """Check the CSR and its key, sign, and send the same SQL in one transaction. Returns the serial number."""
        csr = x509.load_pem_x509_csr(pem)
        if not csr.is_signature_valid:
            raise ValueError("the benchmark's own CSR is broken")
        spki = csr.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        judge_key(read_public_key(spki))
        certificate = self._sign(csr)
        der = certificate.public_bytes(serialization.Encoding.DER)
        fresh = self._fresh_values(der, certificate, spki)
        with self.connection.transaction(), self.connection.cursor() as cursor:
            for sql, plan in self.plans:
                cursor.execute(sql, [value if place is None else fresh[place] for value, place in plan])
        return format(certificate.serial_number, "x")

    def raw(self, pem: bytes) -> None:
        """Parse, verify, sign and one INSERT: what the library and the database do without any rule."""
        csr = x509.load_pem_x509_csr(pem)
        if not csr.is_signature_valid:
            raise ValueError("the benchmark's own CSR is broken")
        der = self._sign(csr).public_bytes(serialization.Encoding.DER)
        insert = "INSERT INTO certauthority_publickey (fingerprint, holder) VALUES (%s, %s)"
        self.connection.execute(insert, [hashlib.sha256(der).hexdigest(), "bench"])

    def _sign(self, csr: x509.CertificateSigningRequest) -> x509.Certificate:
        now = timezone.now()
        builder = (
            x509.CertificateBuilder()
            .subject_name(csr.subject)
            .issuer_name(self.issuer.subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(add_months(now, 13))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(csr.public_key()), critical=False)
        )
        for value, critical in self.extensions:
            builder = builder.add_extension(value, critical)
        return builder.sign(self.signer.key, hashes.SHA256())
