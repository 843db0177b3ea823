"""The judgement of an uploaded certificate: every rule, kept or broken, all at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from .armor import certificate_ders
from .certificates import CertificateFacts, read_certificate
from .chain import ChainError, LikelyChain, likely_chain, verified_chain
from .chain_rules import judge_issuers, judge_path, judge_trust
from .errors import UnreadableInput
from .identifiers import CLIENT_PURPOSES
from .keys import judge_key
from .leaf_rules import judge_leaf
from .name_rules import judge_name
from .signature_algorithms import judge_signature_algorithm
from .verdicts import Verdict, acceptable, broken

logger = logging.getLogger(__name__)

# Rules of ours that path validation has too: once one of them is broken, it has nothing new to say.
_RULES_OF_PATH_VALIDATION = frozenset(
    {
        "chain.trusted",
        "chain.expired",
        "chain.not-yet-valid",
        "chain.ca",
        "chain.key",
        "chain.hash",
        "cert.is-ca",
        "cert.expired",
        "cert.not-yet-valid",
        "sig.hash",
    }
)


@dataclass(frozen=True, slots=True)
class CertificateJudgement:
    """What was read, and what every rule says of it.

    ``leaf`` is nothing where no single leaf could be told. ``chain`` holds its issuers, the trusted CA last, and is
    empty unless the chain was verified.
    """

    leaf: CertificateFacts | None
    chain: tuple[CertificateFacts, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def acceptable(self) -> bool:
        """Whether the chain was verified and every rule is kept."""
        return self.leaf is not None and bool(self.chain) and acceptable(self.verdicts)


def judge_certificate(data: bytes, *, trusted: Sequence[bytes], at: datetime) -> CertificateJudgement:
    """The judgement of a file with a certificate, or with a certificate and its chain in any order.

    ``trusted`` are the DER certificates of the trusted CAs, roots or intermediates; ``at`` is when it must be valid.
    Never raises, whatever the octets. Input that cannot be read gives one broken verdict, whose id says why.
    """
    try:
        certificates = _unique([read_certificate(der) for der in certificate_ders(data)])
    except UnreadableInput as error:
        wanted = "one certificate, or one with its chain, as PEM text or a DER file"
        verdict = Verdict(
            error.code, "A certificate that can be read", False, str(error), wanted, "RFC 5280, 4; RFC 7468, 5"
        )
        return CertificateJudgement(None, (), (verdict,))
    if all(facts.is_self_signed and facts.is_ca for facts in certificates):
        return CertificateJudgement(certificates[0], (), (_root_only(certificates[0]),))
    leaf = find_leaf(certificates)
    if leaf is None:
        return CertificateJudgement(None, (), (_several_leaves(certificates),))
    others = [facts for facts in certificates if facts is not leaf]
    anchors = [anchor for der in trusted if (anchor := read_trusted(der))]
    # Dates in certificates have whole seconds, and the last second still counts.
    return _judge(leaf, others, anchors, at.replace(microsecond=0))


def _judge(
    leaf: CertificateFacts, others: Sequence[CertificateFacts], trusted: Sequence[CertificateFacts], at: datetime
) -> CertificateJudgement:
    verified, refusal = _verify(leaf, others, trusted, at, CLIENT_PURPOSES)
    # The purpose has rules of its own; the other reasons are found as if it did not matter.
    chain, other_refusal = (verified, "") if verified else _verify(leaf, others, trusted, at, frozenset())
    likely = LikelyChain(chain, True, None) if chain else likely_chain(leaf, others, trusted, at=at)
    verdicts = [
        judge_trust(leaf, likely),
        *judge_leaf(leaf, at=at),
        *_judge_subject(leaf),
        *judge_key(leaf.public_key),
        *_judge_hash(leaf),
        *judge_issuers(likely, at=at),
    ]
    if not any(verdict.id in _RULES_OF_PATH_VALIDATION for verdict in broken(verdicts)):
        verdicts.append(judge_path(other_refusal))
    if not verified and acceptable(verdicts):
        # The library has the last word: what it refuses is never accepted, also where no rule of ours says why.
        verdicts[-1] = judge_path(refusal)
    return CertificateJudgement(leaf, verified, tuple(verdicts))


def _verify(
    leaf: CertificateFacts,
    others: Sequence[CertificateFacts],
    trusted: Sequence[CertificateFacts],
    at: datetime,
    purposes: frozenset[str],
) -> tuple[tuple[CertificateFacts, ...], str]:
    """The verified chain, or none and the reason."""
    try:
        return verified_chain(leaf, others, trusted, at=at, purposes=purposes), ""
    except ChainError as error:
        return (), str(error)


def find_leaf(certificates: Sequence[CertificateFacts]) -> CertificateFacts | None:
    """The one certificate that the others are there for: the only one that is no CA, else the only one that issued
    none of the others. Nothing when that is not clear.
    """
    leaves = [facts for facts in certificates if not facts.is_ca]
    if len(leaves) == 1:
        return leaves[0]
    ends = [facts for facts in leaves or certificates if not _issued_another(facts, certificates)]
    return ends[0] if len(ends) == 1 else None


def _issued_another(facts: CertificateFacts, certificates: Sequence[CertificateFacts]) -> bool:
    return any(other.issuer.der == facts.subject.der for other in certificates if other is not facts)


def _unique(certificates: Sequence[CertificateFacts]) -> list[CertificateFacts]:
    return list({facts.fingerprint: facts for facts in certificates}.values())


@lru_cache(maxsize=256)
def read_trusted(der: bytes) -> CertificateFacts | None:
    """A trusted CA, read once. One that cannot be read is left out: it can only lead to fewer certificates accepted."""
    try:
        return read_certificate(der)
    except UnreadableInput:
        logger.error("A trusted CA cannot be read and is left out")
        return None


def _judge_subject(leaf: CertificateFacts) -> list[Verdict]:
    """A foreign CA's subject may lack a CN, which is our own rule for our own certificates."""
    return [verdict for verdict in judge_name(leaf.subject) if verdict.id != "dn.common-name"]


def _judge_hash(leaf: CertificateFacts) -> list[Verdict]:
    """Of its signature only the hash is ours to judge; which schemes are sound is left to path validation."""
    return [verdict for verdict in judge_signature_algorithm(leaf.signature) if verdict.id == "sig.hash"]


def _root_only(root: CertificateFacts) -> Verdict:
    return Verdict(
        "cert.root-only",
        "Not a root certificate alone",
        False,
        f"only a root certificate, {root.subject.text}",
        "your client certificate, with its chain or without: roots are kept by the site's staff",
        "house rule",
    )


def _several_leaves(certificates: Sequence[CertificateFacts]) -> Verdict:
    return Verdict(
        "chain.single-leaf",
        "One certificate with its chain",
        False,
        f"{len(certificates)} certificates, of which no single one is the client certificate",
        "one client certificate, and beside it only the CAs that lead to its root",
        "house rule",
    )
