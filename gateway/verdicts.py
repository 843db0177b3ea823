"""The verdict on a call: what the endpoint says of the client certificate, why, and what to do.

Everything that is wrong is found, and all of it is told: the first finding is the verdict's reason, the others stand
in ``besides``. The order is made for somebody who has an outage: what takes most to put right comes first, so that
nobody cures a small thing only to meet a greater one behind it.

1. No certificate was sent, or none that can be read: there is nothing else to say.
2. The certificate itself, which only another one cures, to whichever host it is sent: revoked (somebody ended it on
   purpose, and nothing brings it back), then not for clients, a weak key, a signature that proves nothing, an unknown
   issuer (whoever renewed it there would be refused again), expired, not yet valid. What signed itself in the name of
   a trusted CA is told so before everything that it says of itself.
3. Its place in the portal, which an upload cures: on no project.
4. The call, which another address or another certificate cures: the wrong environment.
5. The project, where its certificates wait for others: no production access yet.
6. Accepted, with advice: superseded (it will stop to work when somebody ends the rotation), then an incomplete chain
   (it works here, and may not elsewhere). Else accepted.

A certificate that the site knows is judged from its row, anew for each call: revocation as the database has it, dates
by its company's clock, and no chain is built. Of a certificate that it does not know the facts are read once, and the
chain is followed for the reason alone: it is refused in any case.

Who calls has proved in the handshake that the private key is theirs. So the certificate's own project and alias may be
told; of other companies nothing is, and for a certificate without a row nothing but what it says itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from certauthority.models import Certificate, ReasonCode
from certauthority.x509.certificates import CertificateFacts
from connect.clock import is_ahead
from connect.lifecycle import days_left
from gateway import lookup
from gateway.calls import Call
from gateway.findings import Finding
from gateway.known import accepted, case_of, findings_of
from gateway.lookup import Successor
from gateway.pages import page
from gateway.strangers import judge_stranger
from portal.models import Environment, Project

_NOT_SENT = 401
_REFUSED = 403
_FOR_GOOD = frozenset(
    {
        ReasonCode.UNREADABLE,
        ReasonCode.REVOKED,
        ReasonCode.NOT_A_CLIENT_CERTIFICATE,
        ReasonCode.WEAK_KEY,
        ReasonCode.UNKNOWN_ISSUER,
        ReasonCode.EXPIRED,
    }
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the endpoint says of one call.

    ``certificate`` is the row of a certificate that the site knows, ``facts`` are those of one that it does not know
    and can read. ``environment`` is the certificate's, where it is or was on a project. ``days_left`` goes by the
    clock of the company; ``company_time`` is what that clock shows where it is ahead of real time.
    """

    findings: tuple[Finding, ...]
    certificate: Certificate | None = None
    facts: CertificateFacts | None = None
    project: Project | None = None
    alias: str = ""
    environment: Environment | None = None
    days_left: int | None = None
    company_time: datetime | None = None
    successor: Successor | None = None

    @property
    def reason(self) -> ReasonCode:
        return self.findings[0].reason

    @property
    def accepted(self) -> bool:
        return self.findings[0].accepted

    @property
    def status(self) -> int:
        """Of HTTP: 200, 401 where no certificate was sent, 403 for one that is refused."""
        if self.accepted:
            return 200
        return _NOT_SENT if self.reason == ReasonCode.MISSING else _REFUSED

    @property
    def sentence(self) -> str:
        """What is so."""
        return self.findings[0].sentence

    @property
    def remedy(self) -> str:
        """What to do; empty where nothing has to be done."""
        return self.findings[0].remedy

    @property
    def link(self) -> str:
        """The absolute address of the portal's page where it is done."""
        return self.findings[0].link

    @property
    def advice(self) -> str:
        """The remedy of an accepted certificate: it works, but something ought to be done."""
        return self.remedy if self.accepted else ""

    @property
    def besides(self) -> tuple[Finding, ...]:
        """What else is so."""
        return self.findings[1:]


def judge(call: Call, *, now: datetime) -> Verdict:
    """The verdict at a real moment. Never raises for any bytes in the chain; errors of the database go through."""
    if not call.chain:
        return Verdict((_missing(call),))
    found = lookup.known(hashlib.sha256(call.chain[0]).hexdigest())
    if found is None:
        facts, findings = judge_stranger(call, now=now)
        return Verdict(_told(findings), facts=facts)
    case = case_of(found, call, now=now)
    credential = found.credential
    return Verdict(
        _told(findings_of(case)) or (accepted(case),),
        certificate=found.certificate,
        project=found.project,
        alias=credential.alias if credential is not None else "",
        environment=Environment(credential.environment) if credential is not None else None,
        days_left=days_left(found.certificate.not_after, now=case.at),
        company_time=case.at if is_ahead(found.company) else None,
        successor=case.successor,
    )


def _told(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What is told of the findings: of a certificate that is refused only the reasons why.

    Where nothing but another certificate helps, that this one is on no project is left out: it should not be uploaded.
    """
    told = tuple(findings)
    refusals = tuple(finding for finding in told if not finding.accepted)
    if refusals and refusals[0].reason in _FOR_GOOD:
        return tuple(finding for finding in refusals if finding.reason != ReasonCode.NOT_ON_PROJECT)
    return refusals or told


def _missing(call: Call) -> Finding:
    url = settings.GATEWAY_URLS[call.environment.value]
    return Finding(
        ReasonCode.MISSING,
        "No client certificate was sent.",
        f"Send one, with its key: curl --cert client.pem --key client.key {url}/ and see that your client loads both. "
        "Add certificate in a project makes one.",
        page("portal:projects"),
    )
