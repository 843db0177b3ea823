"""The options of `Add certificate`: what each asks for, how it is judged, and what it does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audit.events import Actor
from certauthority.x509.csr import ParsedCsr
from certauthority.x509.verdicts import Verdict
from portal import enrolment, expected_rules
from portal.enrolment import NewCredential
from portal.expected_rules import ExpectedRule
from portal.models import Credential, CredentialMethod, Environment, Project
from portal.requirements import requirement_of


@dataclass(frozen=True, slots=True)
class Judged:
    """Every rule's verdict on an input, the live credential that has its subject, and the CSR if one was read."""

    verdicts: tuple[Verdict, ...]
    twin: Credential | None
    csr: ParsedCsr | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """One option. ``method`` is what the credential remembers of it."""

    method: CredentialMethod

    def expected(self, project: Project, environment: Environment) -> tuple[ExpectedRule, ...]:
        """What is wanted, before anything was sent."""
        raise NotImplementedError

    def judge(self, data: bytes, *, project: Project, environment: Environment, now: datetime) -> Judged:
        """Judge an input by every rule; nothing is stored. Never raises for any bytes."""
        raise NotImplementedError

    def add(self, new: NewCredential, data: bytes, *, actor: Actor, now: datetime) -> Credential:
        """Put the certificate on the project. Raises as ``enrolment.add_from_csr`` says."""
        raise NotImplementedError


class ByCsr(Way):
    """Our Developers CA signs a CSR."""

    def expected(self, project: Project, environment: Environment) -> tuple[ExpectedRule, ...]:
        return expected_rules.of_requests(requirement_of(project, environment))

    def judge(self, data: bytes, *, project: Project, environment: Environment, now: datetime) -> Judged:
        judged = enrolment.judge_csr(data, project=project, environment=environment, now=now)
        return Judged(judged.outcome.verdicts, judged.outcome.twin, judged.request.csr)

    def add(self, new: NewCredential, data: bytes, *, actor: Actor, now: datetime) -> Credential:
        return enrolment.add_from_csr(new, data, actor=actor, now=now)


class ByCertificate(Way):
    """A trusted CA has signed; the certificate is uploaded."""

    def expected(self, project: Project, environment: Environment) -> tuple[ExpectedRule, ...]:
        return expected_rules.OF_CERTIFICATES

    def judge(self, data: bytes, *, project: Project, environment: Environment, now: datetime) -> Judged:
        judged = enrolment.judge_certificate(data, project=project, now=now)
        return Judged(judged.outcome.verdicts, judged.outcome.twin)

    def add(self, new: NewCredential, data: bytes, *, actor: Actor, now: datetime) -> Credential:
        return enrolment.add_uploaded(new, data, actor=actor, now=now)


GENERATE_KEY = ByCsr(CredentialMethod.GENERATED_KEY)
UPLOAD_CSR = ByCsr(CredentialMethod.UPLOADED_CSR)
PASTE_CSR = ByCsr(CredentialMethod.PASTED_CSR)
UPLOAD_CERTIFICATE = ByCertificate(CredentialMethod.UPLOADED_CERTIFICATE)
