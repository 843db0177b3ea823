"""May this be signed, or accepted? Every rule, those of the input itself and those that need our memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from audit.statements import ask
from certauthority.models import PublicKey
from certauthority.x509.csr import ParsedCsr
from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.keys import PublicKeyFacts
from certauthority.x509.subject_rules import SubjectRules
from certauthority.x509.verdicts import Verdict, acceptable


@dataclass(frozen=True, slots=True)
class RequestJudgement:
    """A CSR with every rule's verdict. ``csr`` is None where the input could not be read."""

    csr: ParsedCsr | None
    verdicts: tuple[Verdict, ...]
    requirement: SubjectRules | None
    holder: str

    @property
    def acceptable(self) -> bool:
        return self.csr is not None and acceptable(self.verdicts)


def judge_request(data: bytes, *, requirement: SubjectRules | None, holder: str) -> RequestJudgement:
    """Judge a CSR for the company with this public id. Never raises for any bytes."""
    judgement = judge_csr(data, requirement=requirement)
    verdicts = judgement.verdicts
    if judgement.csr is not None:
        verdicts += judge_known_key(remembered(judgement.csr.public_key), holder=holder)
    return RequestJudgement(csr=judgement.csr, verdicts=verdicts, requirement=requirement, holder=holder)


def remembered(key: PublicKeyFacts) -> PublicKey | None:
    """What the site knows of this public key, if it has seen it."""
    found = ask("SELECT holder, compromised_at FROM certauthority_publickey WHERE fingerprint = %s", [key.fingerprint])
    for holder, compromised_at in found:
        return PublicKey(fingerprint=key.fingerprint, holder=holder, compromised_at=compromised_at)
    return None


def judge_known_key(known: PublicKey | None, *, holder: str | None) -> tuple[Verdict, ...]:
    """Whether this public key may be used by this holder; None asks for nobody in particular."""
    compromised = known is not None and known.compromised_at is not None
    foreign = known is not None and holder is not None and known.holder != holder
    return _judge_known_key(compromised, foreign)


@cache
def _judge_known_key(compromised: bool, foreign: bool) -> tuple[Verdict, ...]:
    return (
        Verdict(
            id="key.compromised",
            title="The key was never reported as compromised",
            ok=not compromised,
            found="this key was in a certificate that was revoked for key compromise" if compromised else "",
            wanted="a new key pair: this one is never accepted again" if compromised else "",
            source="CA/B Forum BR 6.1.1.3",
        ),
        Verdict(
            id="key.holder",
            title="No other company uses this key",
            ok=not foreign,
            found="this key is in use by another company or by this site itself" if foreign else "",
            wanted="a new key pair that only your company has" if foreign else "",
            source="house rule",
        ),
    )
