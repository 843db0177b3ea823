"""Judge a request for a certificate: the CSR by every rule of its application, and what else must hold.

Everything here only reads, so that it can be asked at each showing of the review and once more before signing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from certauthority.policy import RequestJudgement, judge_request
from certauthority.records import facts_of
from certauthority.x509.alternative_names import read_alternative_names
from certauthority.x509.attribute_rules import AttributeComparison, DnRules, RenewalRules
from certauthority.x509.certificates import CertificateFacts
from certauthority.x509.errors import ProfileError
from certauthority.x509.ready_commands import ReadyCommand, corrected_commands, ready_commands, unique_part
from certauthority.x509.verdicts import Verdict, broken
from connect.models import Company
from kmp.dn_requirements import requirement_of, rules_of
from kmp.drafts import refuse_renewal_of
from kmp.duplicates import judge_duplicate, live_twin
from kmp.errors import CannotRenew, NoRules
from kmp.models import Application, CertificateRequest, InventoryEntry
from kmp.review_rows import rows_of


@dataclass(frozen=True, slots=True)
class Judged:
    """What every rule says of a request.

    ``request`` is the judgement of the CSR, duplicates included. ``rows`` are the review's, attribute by attribute
    and then key and signature; none where no CSR could be read. ``problems`` has a sentence for everything that keeps
    the request from being signed. ``commands`` make a CSR that would pass; none where this one does or none could.
    ``twin`` is the company's own live certificate that has the subject already.
    """

    request: RequestJudgement
    rows: tuple[AttributeComparison, ...]
    problems: tuple[str, ...]
    commands: tuple[ReadyCommand, ...]
    twin: InventoryEntry | None = None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every rule about the CSR, kept or broken."""
        return self.request.verdicts

    @property
    def acceptable(self) -> bool:
        """Whether it may be submitted and signed as it is."""
        return self.request.acceptable and not self.problems

    @property
    def is_corrected(self) -> bool:
        """Whether the commands correct this CSR, rather than make a first one."""
        return self.request.csr is not None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request's CSR must keep to: its application's rules, and the certificate that it renews, if any."""

    rules: DnRules
    expiring: CertificateFacts | None = None

    @property
    def subject_rules(self) -> DnRules | RenewalRules:
        """The rules for the CSR."""
        return RenewalRules(self.rules, self.expiring.subject) if self.expiring else self.rules

    def commands(self, *, now: datetime) -> tuple[ReadyCommand, ...]:
        """What makes a CSR that keeps the rules; nothing where none could."""
        with suppress(ProfileError):
            return ready_commands(self.subject_rules, alias="", unique=unique_part(now))
        return ()


def wanted_for(
    application: Application | None, environment: str, profile: str, company: Company, expiring: InventoryEntry | None
) -> Wanted:
    """What a CSR must keep to. Raises NoRules where nothing can be requested."""
    if application is None or not environment:
        raise NoRules("Choose the application and the environment first.")
    requirement = requirement_of(application, environment, profile)
    if requirement is None:
        raise NoRules(f"{application.name} has no DN requirements for this environment. Ask Key Management.")
    try:
        rules = rules_of(requirement, company)
    except ProfileError as error:
        raise NoRules(f"No name can meet the DN requirements of {application.name}: {error}") from error
    return Wanted(rules, facts_of(expiring.certificate) if expiring else None)


def wanted_of(request: CertificateRequest) -> Wanted:
    """The same for a request as it stands."""
    return wanted_for(request.application, request.environment, request.profile, request.company, request.expiring)


def judge(request: CertificateRequest, *, now: datetime) -> Judged:
    """Judge a request as it stands at a real moment. Never raises for any bytes in place of the CSR."""
    data, holder = bytes(request.csr), str(request.company_id)
    problems = _problems_beside_the_csr(request)
    try:
        wanted = wanted_of(request)
    except NoRules as error:
        return Judged(judge_request(data, requirement=None, holder=holder), (), (str(error), *problems), ())
    judgement = judge_request(data, requirement=wanted.subject_rules, holder=holder)
    if judgement.csr is None:
        return Judged(judgement, (), _sentences(judgement, problems), wanted.commands(now=now))
    twin = live_twin(judgement.csr.subject.digest, company=request.company, besides=request.expiring)
    duplicate = judge_duplicate(twin, company=request.company, rules=wanted.rules, now=now)
    judgement = replace(judgement, verdicts=(*judgement.verdicts, duplicate))
    if isinstance(judgement.requirement, RenewalRules) and not judgement.requirement.can_be_kept:
        problems = (*problems, _cannot_be_kept(request))
    return Judged(
        request=judgement,
        rows=rows_of(judgement, wanted.rules, wanted.expiring),
        problems=_sentences(judgement, problems),
        commands=_corrections(judgement, wanted, now=now),
        twin=twin if twin and twin.company_id == request.company_id else None,
    )


def _problems_beside_the_csr(request: CertificateRequest) -> tuple[str, ...]:
    problems = list(read_alternative_names(", ".join(map(str, request.alternative_names))).problems)
    if request.expiring is not None:
        try:
            refuse_renewal_of(request.expiring)
        except CannotRenew as error:
            problems.append(str(error))
    return tuple(problems)


def _cannot_be_kept(request: CertificateRequest) -> str:
    reference = request.expiring.reference if request.expiring else "the expiring certificate"
    return (
        f"The DN requirements, or the company’s details, have changed since {reference} was issued, and no CSR can "
        "both keep its name and meet them. Make a new request instead."
    )


def _sentences(judgement: RequestJudgement, problems: tuple[str, ...]) -> tuple[str, ...]:
    return (*problems, *(sentence_of(verdict) for verdict in broken(judgement.verdicts)))


def sentence_of(verdict: Verdict) -> str:
    """A broken rule in one sentence."""
    if verdict.id.startswith("input.") or verdict.id == "csr.single":
        return verdict.found
    wanted = f"; wanted: {verdict.wanted}" if verdict.wanted else ""
    return f"{verdict.title}: found {verdict.found or 'nothing'}{wanted}."


def _corrections(judgement: RequestJudgement, wanted: Wanted, *, now: datetime) -> tuple[ReadyCommand, ...]:
    """Nothing for a CSR that passes, and where no other CSR could: the name is taken, or cannot be kept."""
    wrong = {verdict.id for verdict in broken(judgement.verdicts)}
    common_name = wanted.rules.wanted_of("CN")
    is_fixed = common_name is None or common_name.form == "exact"
    if not wrong or judgement.csr is None or ("dn.duplicate" in wrong and is_fixed):
        return ()
    rules = wanted.subject_rules
    if isinstance(rules, RenewalRules) and not rules.can_be_kept:
        return ()
    with suppress(ProfileError):
        return corrected_commands(judgement.csr, judgement.verdicts, rules, alias="", unique=unique_part(now))
    return ()
