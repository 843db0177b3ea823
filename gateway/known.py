"""What is so of a certificate that the site knows, and what to do about it. Judged from its row alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from certauthority.models import ReasonCode, RevocationReason
from certauthority.x509.certificates import read_certificate
from connect.clock import company_time, is_ahead
from connect.lifecycle import days_left
from gateway.calls import Call
from gateway.findings import Finding
from gateway.lookup import Known, Successor, credential_page, entry_page, missing_issuers, successor_of
from gateway.pages import moment_text, page
from gateway.strangers import other_purpose
from portal.models import EndReason, Environment, ProductionAccessRequest, ProductionState
from portal.production_access import Standing


@dataclass(frozen=True, slots=True)
class Case:
    """A known certificate in one call. ``now`` is real time, ``at`` the time of its company, to the second.

    Dates in certificates have whole seconds, and the last second still counts (RFC 5280, 4.1.2.5).
    """

    found: Known
    call: Call
    successor: Successor | None
    now: datetime
    at: datetime

    @property
    def name(self) -> str:
        """What its owner calls it."""
        if self.found.credential is not None:
            return f"“{self.found.credential.alias}” of the project “{self.found.credential.project.name}”"
        entry = self.found.entry
        if entry is not None:
            return f"The KMP certificate {entry.reference} ({entry.common_name})"
        return f"The certificate with the serial number {self.found.certificate.serial}"

    @property
    def link(self) -> str:
        """Its page. A deleted project has none any more."""
        credential = self.found.credential
        if credential is not None and credential.project.deleted_at is None:
            return credential_page(credential)
        return entry_page(self.found.entry) if self.found.entry is not None else page("portal:projects")


def case_of(found: Known, call: Call, *, now: datetime) -> Case:
    """The case, with what replaces the certificate."""
    at = company_time(found.company, now).replace(microsecond=0)
    return Case(found, call, successor_of(found, at=at), now, at)


def findings_of(case: Case) -> Iterator[Finding]:
    """Everything that is wrong with it, then what is advised; in the order that ``gateway.verdicts`` explains.

    Which certificates are for clients was judged before they came to a project or an inventory. This site's own, of CAs
    and servers, are on neither, and say themselves what they are for.
    """
    yield from _revoked(case)
    if case.found.credential is None and case.found.entry is None:
        yield from other_purpose(read_certificate(case.call.chain[0]))
    yield from _dates(case)
    yield from _place(case)
    yield from _environment(case)
    yield from _production(case)
    yield from _superseded(case)
    yield from _chain(case)


def accepted(case: Case) -> Finding:
    """Nothing is wrong with it."""
    end = case.found.certificate.not_after
    days = days_left(end, now=case.at)
    left = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
    remedy = f"Rotate it before {moment_text(end)}." if days <= settings.EXPIRING_SOON_DAYS else ""
    sentence = f"{case.name} is accepted in {case.call.environment.label}. It expires {left}, on {moment_text(end)}."
    return Finding(ReasonCode.ACCEPTED, sentence + _clock(case), remedy, case.link)


def _revoked(case: Case) -> Iterator[Finding]:
    certificate = case.found.certificate
    if certificate.revoked_at is None:
        return
    reason = RevocationReason(certificate.revocation_reason)
    yield Finding(
        ReasonCode.REVOKED,
        f"{case.name} was revoked on {moment_text(certificate.revoked_at)}, with the reason “{reason.label}”. "
        "That cannot be undone.",
        _replacement(case, new_key=reason == RevocationReason.KEY_COMPROMISE or case.found.key_is_compromised),
        case.link,
    )


def _dates(case: Case) -> Iterator[Finding]:
    """What has been revoked is over, whatever its dates are."""
    certificate = case.found.certificate
    if certificate.revoked_at is not None:
        return
    clock = _clock(case)
    if case.at > certificate.not_after:
        remedy = _replacement(case)
        if clock and case.now <= certificate.not_after:
            remedy += " If the rehearsal is over, choose Start over on the page Clock."
        sentence = f"{case.name} expired on {moment_text(certificate.not_after)}.{clock}"
        yield Finding(ReasonCode.EXPIRED, sentence, remedy, case.link)
    if case.at < certificate.not_before:
        yield Finding(
            ReasonCode.NOT_YET_VALID,
            f"{case.name} is valid only from {moment_text(certificate.not_before)}.{clock}",
            "Wait until then, or ask its issuer for a certificate that is valid now.",
            case.link,
        )


def _clock(case: Case) -> str:
    """Whose time it went by, where that is not real time."""
    company = case.found.company
    if company is None or not is_ahead(company):
        return ""
    return f" The clock of {company.name} shows {moment_text(case.at)}; real time is {moment_text(case.now)}."


def _replacement(case: Case, *, new_key: bool = False) -> str:
    """How the caller gets on with a certificate that has ended."""
    successor, found = case.successor, case.found
    if successor is not None and successor.is_on_project:
        return f"Use “{successor.alias}” instead: it replaces this one, and is live."
    if successor is not None:
        return f"{successor.alias} replaces it. Upload that to a project, and use it instead."
    key = " with a new key" if new_key else ""
    if found.credential is not None and found.project is not None and found.project.deleted_at is not None:
        return f"Add a certificate{key} to another project: this one was deleted."
    if found.entry is None:
        return f"Add a new certificate{key} to the project, and let your code use that."
    if found.certificate.revoked_at is not None:
        return f"Request a new certificate{key} in KMP, upload it to a project, and let your code use that."
    return "Renew it in KMP, upload the new version to a project, and let your code use that."


def _place(case: Case) -> Iterator[Finding]:
    """Whether it is live on a project. One that was revoked has ended everywhere, which is said already."""
    found = case.found
    if found.is_live or found.certificate.revoked_at is not None:
        return
    if found.credential is None:
        yield _never_uploaded(case)
        return
    credential, project = found.credential, found.credential.project
    ended = moment_text(credential.ended_at or case.now)
    if credential.end_reason == EndReason.PROJECT_DELETED or project.deleted_at is not None:
        why = f"the project “{project.name}” was deleted on {ended}"
    else:
        why = f"its use on the project “{project.name}” was ended on {ended}"
    sentence = f"“{credential.alias}” is on no project any more: {why}."
    if found.key_is_compromised:
        remedy = "Its private key was reported as compromised. Make a new key, and a certificate for that."
        yield Finding(ReasonCode.NOT_ON_PROJECT, sentence, remedy, case.link)
        return
    if project.deleted_at is not None:
        remedy, link = "Upload it to another project, with Upload mTLS certificate.", page("portal:projects")
    else:
        remedy = "Upload it again, with Upload mTLS certificate, or use a live certificate of the project."
        link = page("portal:upload_certificate", project.pk, Environment(credential.environment))
    yield Finding(ReasonCode.NOT_ON_PROJECT, sentence, remedy, link)


def _never_uploaded(case: Case) -> Finding:
    newer = case.successor
    remedy = (
        f"{newer.alias} is a newer version of it. Upload that to a project, and use it instead."
        if newer is not None
        else "Upload it to a project of the Developers portal: Add certificate, then Upload mTLS certificate."
    )
    return Finding(ReasonCode.NOT_ON_PROJECT, f"{case.name} is on no project.", remedy, case.link)


def _environment(case: Case) -> Iterator[Finding]:
    credential = case.found.credential
    if credential is None or not case.found.is_live or credential.environment == case.call.environment:
        return
    own, called = Environment(credential.environment), case.call.environment
    yield Finding(
        ReasonCode.WRONG_ENVIRONMENT,
        f"{case.name} belongs to {own.label}, and this is the host of {called.label}.",
        f"Call {settings.GATEWAY_URLS[own.value]} with it, or use a certificate of {called.label} here.",
        case.link,
    )


def _production(case: Case) -> Iterator[Finding]:
    credential, state = case.found.credential, case.found.production
    if credential is None or not case.found.is_live or credential.environment != Environment.PRODUCTION:
        return
    if state == ProductionState.APPROVED:
        return
    why = Standing(ProductionAccessRequest(state=state) if state is not None else None).why_not
    remedy = {
        None: "Request production access for the project.",
        ProductionState.PENDING: "Wait for their decision: the project’s admins are told of it by e-mail.",
        ProductionState.REFUSED: "Read their reason, and request it again.",
    }[state]
    yield Finding(
        ReasonCode.PRODUCTION_NOT_APPROVED,
        f"{case.name} does not work in Production yet. {why}",
        remedy,
        page("portal:production_access", credential.project_id),
    )


def _superseded(case: Case) -> Iterator[Finding]:
    successor = case.successor
    if successor is None:
        return
    if successor.is_on_project:
        sentence = f"{case.name} is accepted, but “{successor.alias}” replaces it, and is live."
        remedy = f"Let this client use “{successor.alias}”. Once nothing uses the old one any more, revoke it."
    else:
        sentence = f"{case.name} is accepted, but was renewed in KMP: {successor.alias} is the newest version."
        remedy = f"Upload {successor.alias} to the project, and let this client use it."
    yield Finding(ReasonCode.SUPERSEDED, sentence, remedy, case.link)


def _chain(case: Case) -> Iterator[Finding]:
    if not case.call.chain_is_whole:
        return
    missing = missing_issuers(case.found.certificate, case.call.chain[1:])
    if not missing:
        return
    names = " and ".join(missing)
    yield Finding(
        ReasonCode.CHAIN_INCOMPLETE,
        f"{case.name} is accepted, but its chain is incomplete: {names} was not sent along. This site knows it; a "
        "server that knows the root alone would refuse the call.",
        "Send the certificate with its issuers: “Download chain” on its page has them in the right order.",
        case.link,
    )
