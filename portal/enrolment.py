"""Add a certificate to a project: by CSR, signed by our Developers CA, or by upload."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from audit.events import Actor, record
from audit.insertion import insert, new_row
from audit.statements import ask
from certauthority import issuance, policy, uploads
from certauthority.errors import RequestRefused, SerialRepeated
from certauthority.models import Certificate
from certauthority.models.authority import AuthorityPurpose
from certauthority.policy import RequestJudgement
from certauthority.x509.certificate_rules import CertificateJudgement
from certauthority.x509.certificates import CertificateFacts
from certauthority.x509.csr import ParsedCsr
from certauthority.x509.verdicts import Verdict, acceptable
from connect import foreign_keys
from connect.clock import company_time
from connect.expiry.thresholds import first_after
from portal import news
from portal.clock_verdicts import with_clock
from portal.duplicates import judge_duplicate, live_twin
from portal.errors import AliasTaken, NotAllowed, PredecessorEnded, SubmissionUsed
from portal.models import Credential, CredentialMethod, Environment, Project
from portal.records import audited
from portal.requirements import holder_of, requirement_of

SERIAL_TRIES = 3
# Two queries of every certificate, without the ORM: building them takes longer than they do. The first is answered by
# the unique indexes on submissions and on live aliases, which are compared in lower case.
SAME = """
    SELECT id, submission FROM portal_credential
    WHERE project_id = %s AND (submission = %s OR (environment = %s AND LOWER(alias) = %s AND ended_at IS NULL))
"""
HOLD = "SELECT id FROM portal_project WHERE id = %s AND deleted_at IS NULL "


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What a form asks for beside the CSR or certificate. A ``submission`` that was acted on acts no second time."""

    project: Project
    environment: Environment
    alias: str
    method: CredentialMethod
    submission: UUID
    predecessor: Credential | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Every rule's verdict on an input, and the live credential (``twin``) that has its subject already."""

    verdicts: tuple[Verdict, ...]
    twin: Credential | None = None
    subject_digest: str = ""

    @property
    def acceptable(self) -> bool:
        return acceptable(self.verdicts)


@dataclass(frozen=True, slots=True)
class CsrEnrolment:
    """The judgement of a CSR for one environment of one project."""

    request: RequestJudgement
    outcome: Enrolment


@dataclass(frozen=True, slots=True)
class CertificateEnrolment:
    """The judgement of an uploaded certificate."""

    upload: CertificateJudgement
    outcome: Enrolment


def judge_csr(data: bytes, *, project: Project, environment: Environment, now: datetime) -> CsrEnrolment:
    """Judge a CSR by every rule of this project at a real moment; nothing is stored. Never raises for any bytes."""
    request = policy.judge_request(data, requirement=requirement_of(project, environment), holder=holder_of(project))
    digest = request.csr.subject.digest if request.csr else ""
    return CsrEnrolment(request=request, outcome=_outcome(request.verdicts, digest, now=now))


def judge_certificate(data: bytes, *, project: Project, now: datetime) -> CertificateEnrolment:
    """Judge a certificate of another CA by every rule; nothing is stored. Never raises for any bytes.

    ``now`` is real time; that the certificate and its chain are valid is judged by the company's clock.
    """
    upload = uploads.judge_upload(data, holder=holder_of(project), now=company_time(project.company, now))
    upload = replace(upload, verdicts=with_clock(upload.verdicts, project.company, now=now))
    digest = upload.leaf.subject.digest if upload.leaf else ""
    return CertificateEnrolment(upload=upload, outcome=_outcome(upload.verdicts, digest, now=now))


def add_from_csr(new: NewCredential, data: bytes, *, actor: Actor, now: datetime) -> Credential:
    """Sign a CSR and put the certificate on the project, both or neither.

    ``now`` is real time: the certificate begins then, and its months are counted from what the company's clock shows.

    A repeated submission returns what it made the first time, under whatever alias that was.

    Raises:
        RequestRefused: rules are broken; its verdicts are the whole table.
        AliasTaken: the alias names another live certificate of the environment.
        SubmissionUsed: a browser that made the key repeats a submission with another key.
        NotAllowed: the project was deleted meanwhile; as PredecessorEnded, the predecessor has ended.
        CAError: the CA cannot sign now.
    """
    enrolment = judge_csr(data, project=new.project, environment=new.environment, now=now)
    _alarm(enrolment.outcome, enrolment.request.csr, new, actor=actor, now=now)

    def sign() -> Certificate:
        counted_from = company_time(new.project.company, now)
        return issuance.issue(
            enrolment.request, purpose=AuthorityPurpose.DEVELOPERS, now=now, counted_from=counted_from
        )

    credential = _add(new, enrolment.outcome, sign, actor=actor, now=now)
    if new.method == CredentialMethod.GENERATED_KEY:
        _refuse_another_key(credential, enrolment.request.csr)
    return credential


def add_uploaded(new: NewCredential, data: bytes, *, actor: Actor, now: datetime) -> Credential:
    """Put a certificate of a trusted CA on the project. Raises like ``add_from_csr``."""
    enrolment = judge_certificate(data, project=new.project, now=now)
    _alarm(enrolment.outcome, enrolment.upload.leaf, new, actor=actor, now=now)

    def accept() -> Certificate:
        return uploads.record_upload(enrolment.upload, holder=holder_of(new.project), now=now)

    return _add(new, enrolment.outcome, accept, actor=actor, now=now)


def _alarm(
    outcome: Enrolment, offered: ParsedCsr | CertificateFacts | None, new: NewCredential, *, actor: Actor, now: datetime
) -> None:
    if offered is not None:
        key, company = offered.public_key.fingerprint, new.project.company
        foreign_keys.raise_alarm(outcome.verdicts, fingerprint=key, company=company, actor=actor, now=now)


def _outcome(verdicts: tuple[Verdict, ...], digest: str, *, now: datetime) -> Enrolment:
    if not digest:
        return Enrolment(verdicts=verdicts)
    twin = live_twin(digest)
    return Enrolment(verdicts=(*verdicts, judge_duplicate(twin, now=now)), twin=twin, subject_digest=digest)


def _add(
    new: NewCredential, enrolment: Enrolment, certify: Callable[[], Certificate], *, actor: Actor, now: datetime
) -> Credential:
    made = _made_before(new)
    if made is not None:
        return made
    if not enrolment.acceptable:
        raise RequestRefused(enrolment.verdicts)
    try:
        for _ in range(SERIAL_TRIES):
            with suppress(SerialRepeated), transaction.atomic():
                _lock(new)
                return _store(new, certify(), actor=actor, now=now)
        raise RuntimeError("the random source gives serial numbers that were given before")
    except NotAllowed:
        # The same request, sent twice, may have been acted on before the project or the predecessor ended.
        made = _made_before(new)
        if made is None:
            raise
        return made
    except IntegrityError:
        # Somebody was faster, and the database's constraints decided. Which one is found by asking again.
        made = _made_before(new)
        if made is not None:
            return made
        twin = live_twin(enrolment.subject_digest)
        if twin is None:
            _refuse_submission_of_another_project(new)
            raise
        raise RequestRefused((*enrolment.verdicts[:-1], judge_duplicate(twin, now=now))) from None


def _made_before(new: NewCredential) -> Credential | None:
    """What the same submission made before. Raises AliasTaken where another one has the alias.

    One query for both, so that a form sent twice at the same moment does not meet its own alias.
    """
    project, submission = new.project.pk.hex, new.submission.hex
    rows = ask(SAME, [project, submission, new.environment, new.alias.lower()])
    found = {UUID(str(same)): key for key, same in rows}
    if new.submission in found:
        return Credential.objects.select_related("certificate", "project__company").get(pk=found[new.submission])
    if found:
        raise AliasTaken(
            f"The alias {new.alias} names another certificate of {new.environment.label} that is still live. "
            "Choose another alias, for example with the year in it."
        )
    return None


def _refuse_another_key(credential: Credential, csr: ParsedCsr | None) -> None:
    """A keystore is built around the certificate that comes back: it must be for the key that the browser has."""
    fingerprint = csr.public_key.fingerprint if csr is not None else ""
    if not credential.has_generated_key or fingerprint != credential.certificate.public_key_fingerprint:
        raise SubmissionUsed(
            f"This submission made {credential.alias} before, for another key. Nothing was added. Open the page again "
            "and create the certificate anew."
        )


def _refuse_submission_of_another_project(new: NewCredential) -> None:
    if Credential.objects.filter(submission=new.submission).exclude(project=new.project).exists():
        raise NotAllowed("This form was sent before, for another project. Open Add certificate again and fill it anew.")


@cache
def _hold() -> str:
    """``HOLD``, locked where the database has locks of rows."""
    return HOLD + (connection.ops.for_update_sql() if connection.features.has_select_for_update else "")


def _lock(new: NewCredential) -> None:
    """Hold the project, so that it is not deleted while a certificate is added to it."""
    if not ask(_hold(), [new.project.pk.hex]):
        raise NotAllowed("This project was deleted a moment ago. Nothing was added to it.")
    if new.predecessor is not None and not Credential.objects.filter(pk=new.predecessor.pk, ended_at=None).exists():
        raise PredecessorEnded(
            f"{new.predecessor.alias}, which this certificate was to replace, has ended meanwhile. Add the "
            "certificate without a predecessor."
        )


def _store(new: NewCredential, certificate: Certificate, *, actor: Actor, now: datetime) -> Credential:
    credential = insert(
        new_row(
            Credential,
            project=new.project,
            environment=new.environment,
            alias=new.alias,
            certificate=certificate,
            subject_digest=certificate.subject_digest,
            expires_at=certificate.not_after,
            method=new.method,
            predecessor=new.predecessor,
            submission=new.submission,
            created_at=now,
            news_since=now,
            created_by=actor.name,
            next_notice_at=first_after(certificate.not_after, company_time(new.project.company, now)),
        )
    )
    record(
        "credential.added",
        actor=actor,
        on=audited(credential),
        now=now,
        after={
            "environment": new.environment.value,
            "method": new.method.value,
            "common_name": certificate.common_name,
            "serial": certificate.serial,
            "fingerprint": certificate.fingerprint,
            "not_after": certificate.not_after.isoformat(),
            "replaces": new.predecessor.alias if new.predecessor else None,
        },
    )
    transaction.on_commit(news.bring_forward)
    return credential
