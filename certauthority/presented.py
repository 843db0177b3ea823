"""What a TLS client presented that the site does not know: read once, and followed up to a trusted CA.

Whose certificate the site does not know is refused in any case; here is found out why. Nothing is ever fetched: a
chain is made of what was sent, of our own CAs, and of the enabled trusted CAs.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from certauthority.models import Authority, Certificate, TrustedAuthority
from certauthority.policy import judge_known_key, remembered
from certauthority.records import issuer_digest
from certauthority.x509.certificate_rules import read_trusted
from certauthority.x509.certificates import CertificateFacts, read_certificate
from certauthority.x509.chain import ChainError, LikelyChain, likely_chain, verified_chain
from certauthority.x509.chain_rules import judge_issuers, judge_trust
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.keys import judge_key
from certauthority.x509.limits import MAX_CHAIN_BYTES, MAX_CHAIN_CERTIFICATES
from certauthority.x509.name_rules import shown
from certauthority.x509.signature_algorithms import HASHES
from certauthority.x509.verdicts import Verdict, broken

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Presented:
    """A client's own certificate, and what is wrong with it apart from its dates and purpose.

    The last four are clauses such as ``it is signed by itself``, empty where nothing is wrong: of the key, of the hash
    of the signature, of the chain to a trusted CA, and of a name that it took from a trusted CA. ``trusted`` is the CA
    that its chain leads to. ``unreadable`` counts what was sent along and cannot be read. ``is_repeated`` is whether
    the site knows another certificate with its issuer and serial number: this one was changed, which with ECDSA can be
    done to a signature that verifies all the same.
    """

    leaf: CertificateFacts
    trusted: CertificateFacts | None
    unreadable: int
    weak_key: str
    weak_hash: str
    distrust: str
    forgery: str
    is_repeated: bool


def judge_presented(chain: Sequence[bytes], *, now: datetime) -> Presented:
    """Judge a chain, the client's own certificate first, in real time and in three queries.

    Raises:
        UnreadableInput: it is too large, or the client's own certificate cannot be read.
    """
    leaf, others, unreadable = _read(chain)
    trusted = _trusted()
    weak_key = _weakness(leaf)
    weak_hash = "" if leaf.signature.hash_name in HASHES else leaf.signature_algorithm
    issuers, distrust = _follow(leaf, others, trusted, is_sound=not (weak_key or weak_hash or leaf.is_ca), now=now)
    return Presented(
        leaf=leaf,
        trusted=issuers[-1] if issuers else None,
        unreadable=unreadable,
        weak_key=weak_key,
        weak_hash=weak_hash,
        distrust=distrust,
        forgery=_forgery(leaf, trusted),
        is_repeated=bool(issuers) and _is_repeated(leaf, issuers[0]),
    )


def _read(chain: Sequence[bytes]) -> tuple[CertificateFacts, list[CertificateFacts], int]:
    """The client's certificate, the others that can be read, and how many cannot. Sizes come before any parsing."""
    if len(chain) > MAX_CHAIN_CERTIFICATES:
        raise UnreadableInput("input.too-many", f"{len(chain)} certificates were sent.")
    size = sum(map(len, chain))
    if size > MAX_CHAIN_BYTES:
        raise UnreadableInput("input.too-large", f"Certificates of {size:,} bytes were sent.")
    leaf = read_certificate(chain[0])
    others: dict[str, CertificateFacts] = {}
    unreadable = 0
    for der in chain[1:]:
        try:
            facts = read_certificate(der)
        except UnreadableInput:
            unreadable += 1
            continue
        if facts.fingerprint != leaf.fingerprint:
            others[facts.fingerprint] = facts
    return leaf, list(others.values()), unreadable


def _trusted() -> list[CertificateFacts]:
    """Our own CAs, and those on the list."""
    ours = Authority.objects.order_by().values_list("certificate__der", flat=True)
    listed = TrustedAuthority.objects.order_by().filter(enabled=True, authority=None).values_list("der", flat=True)
    both = ours.union(listed, all=True)
    return [facts for der in both if (facts := read_trusted(bytes(der))) is not None]


def _follow(
    leaf: CertificateFacts,
    others: Sequence[CertificateFacts],
    trusted: Sequence[CertificateFacts],
    *,
    is_sound: bool,
    now: datetime,
) -> tuple[Sequence[CertificateFacts], str]:
    """Who vouches for it, up to the trusted CA, or why nobody does.

    The chain is looked at while the certificate is or was valid, since its dates are judged by themselves. Where it is
    unsound, path validation would only say so again, and names and signatures decide.
    """
    if any(leaf.fingerprint == anchor.fingerprint for anchor in trusted):
        return (leaf,), ""
    at = max(leaf.not_before, min(now.replace(microsecond=0), leaf.not_after))
    try:
        return verified_chain(leaf, others, trusted, at=at, purposes=frozenset()), ""
    except ChainError as error:
        refusal = str(error)
    try:
        likely = likely_chain(leaf, others, trusted, at=at)
    except Exception as error:  # The library reads some fields only when it compares them.
        logger.info("A chain could not be followed: %s", type(error).__name__)
        raise UnreadableInput("input.certificate", "A certificate in the chain cannot be read.") from error
    if not likely.is_trusted:
        return (), _lost(leaf, likely, trusted)
    return ((), _flaw(likely, refusal, at=at)) if is_sound else (likely.issuers, "")


def _flaw(likely: LikelyChain, refusal: str, *, at: datetime) -> str:
    """Why a chain that leads to a trusted CA does not hold."""
    rules = broken(judge_issuers(likely, at=at))
    why = "; ".join(verdict.found for verdict in rules) or refusal
    return f"it leads to {shown(likely.issuers[-1].subject.text)}, but its chain does not hold: {why}"


def _lost(leaf: CertificateFacts, likely: LikelyChain, trusted: Sequence[CertificateFacts]) -> str:
    """Where a chain ends that leads to no trusted CA."""
    namesake = _namesake(likely.issuers[-1], trusted) if likely.issuers else None
    if namesake is None:
        return judge_trust(leaf, likely).found
    return f"it leads to a CA with the name of the trusted CA {shown(namesake.subject.text)}, but with another key"


def _forgery(leaf: CertificateFacts, trusted: Sequence[CertificateFacts]) -> str:
    """Whether it signed itself in the name of a trusted CA."""
    namesake = _namesake(leaf, trusted)
    if namesake is None:
        return ""
    return f"it has the name of the trusted CA {shown(namesake.subject.text)}, but another key, and is signed by itself"


def _is_repeated(leaf: CertificateFacts, issuer: CertificateFacts) -> bool:
    digest = issuer_digest(leaf, issuer.public_key)
    return Certificate.objects.filter(issuer_digest=digest, serial=leaf.serial_hex).exists()


def _namesake(facts: CertificateFacts, trusted: Sequence[CertificateFacts]) -> CertificateFacts | None:
    """The trusted CA whose name a self-signed certificate bears without having its key."""
    namesakes = [anchor for anchor in trusted if anchor.subject.digest == facts.subject.digest]
    if not facts.is_self_signed or not namesakes:
        return None
    if any(anchor.public_key.fingerprint == facts.public_key.fingerprint for anchor in namesakes):
        return None
    return namesakes[0]


def _weakness(leaf: CertificateFacts) -> str:
    """What is wrong with the key: by its kind and size, by known weaknesses, and by what the site remembers of it."""
    by_itself = broken(judge_key(leaf.public_key))
    if by_itself:
        return "; ".join(_clause(verdict) for verdict in by_itself)
    return "; ".join(map(_clause, broken(judge_known_key(remembered(leaf.public_key), holder=None))))


def _clause(verdict: Verdict) -> str:
    """Such as ``size of the RSA key: 1024 bits``; what is found of known weaknesses is a clause by itself."""
    if verdict.id in ("key.weak", "key.compromised"):
        return verdict.found
    return f"{verdict.title[0].lower()}{verdict.title[1:]}: {verdict.found}"
