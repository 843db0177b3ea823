"""Chains of certificates: the verified one, and the one that explains why nothing was verified.

Nothing is ever fetched: a chain is made of what was sent and of the trusted CAs.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509 import verification

from .certificates import CertificateFacts, is_signed_by
from .identifiers import CLIENT_PURPOSES, PURPOSES

logger = logging.getLogger(__name__)

# CAs between the leaf and its trusted CA.
MAX_INTERMEDIATES = 8
_AGNOSTIC = verification.Criticality.AGNOSTIC
_OBJECTS_IN_REASON = re.compile(r" ?\(encountered processing .*\)\Z", re.DOTALL)


class ChainError(Exception):
    """No chain to a trusted CA passes the validation of RFC 5280, 6. The message is the library's reason, shortened."""


def verified_chain(
    leaf: CertificateFacts,
    others: Sequence[CertificateFacts],
    trusted: Sequence[CertificateFacts],
    *,
    at: datetime,
    purposes: frozenset[str] = CLIENT_PURPOSES,
) -> tuple[CertificateFacts, ...]:
    """The issuers of the leaf up to a trusted CA, which comes last, once all of RFC 5280, 6.1 holds at that time.

    A trusted CA may be an intermediate: the chain ends at the first one that is trusted. The leaf must list one of
    the purposes, and so must every CA that lists any; with no purposes all of that is left out, for finding the other
    reasons. Raises ChainError.
    """
    ee_policy, ca_policy = _policies(frozenset(x509.ObjectIdentifier(PURPOSES[name]) for name in purposes))
    try:
        verifier = (
            verification.PolicyBuilder()
            .store(verification.Store([_load(anchor) for anchor in trusted]))
            .time(at)
            .max_chain_depth(MAX_INTERMEDIATES)
            .extension_policies(ee_policy=ee_policy, ca_policy=ca_policy)
            .build_client_verifier()
        )
        found = verifier.verify(_load(leaf), [_load(other) for other in others]).chain
        known = {_load(facts): facts for facts in (*others, *trusted)}
        return tuple(known[certificate] for certificate in found[1:])
    except verification.VerificationError as error:
        raise ChainError(_reason(error)) from error
    except Exception as error:  # The library raises more than it says for content that is read only here.
        logger.info("A chain could not be verified: %s", type(error).__name__)
        raise ChainError("a certificate in the chain cannot be read in full") from error


def _load(facts: CertificateFacts) -> x509.Certificate:
    return x509.load_der_x509_certificate(facts.der)


def _reason(error: verification.VerificationError) -> str:
    text = _OBJECTS_IN_REASON.sub("", str(error)).removeprefix("validation failed: ")
    return text.removeprefix("candidates exhausted: ")[:300]


def _policies(
    purposes: frozenset[x509.ObjectIdentifier],
) -> tuple[verification.ExtensionPolicy, verification.ExtensionPolicy]:
    """The library's policies for leaf and CAs, changed where they are made for web servers.

    Leaf: no alternative name is needed, and none is compared; the purpose must be listed (the library would let a
    missing list pass); a missing authority key identifier is accepted, since it only helps to find the issuer, trust
    does not rest on it, and private CAs often leave it out. CAs: key usage may be absent, as in every root made by
    ``openssl req -x509``, but where present must hold keyCertSign (RFC 5280, 6.1.4 (n)).
    """
    leaf_policy = (
        verification.ExtensionPolicy.webpki_defaults_ee()
        .may_be_present(x509.SubjectAlternativeName, _AGNOSTIC, None)
        .may_be_present(x509.AuthorityKeyIdentifier, _AGNOSTIC, None)
    )
    ca_policy = verification.ExtensionPolicy.webpki_defaults_ca().may_be_present(
        x509.KeyUsage, _AGNOSTIC, _may_sign_certificates
    )
    if not purposes:
        return (
            leaf_policy.may_be_present(x509.ExtendedKeyUsage, _AGNOSTIC, None),
            ca_policy.may_be_present(x509.ExtendedKeyUsage, _AGNOSTIC, None),
        )

    def lists_purpose(_: verification.Policy, __: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
        if usage is not None and purposes.isdisjoint(usage):
            raise ValueError("the extended key usage does not list the purpose")

    return (
        leaf_policy.require_present(x509.ExtendedKeyUsage, _AGNOSTIC, lists_purpose),
        ca_policy.may_be_present(x509.ExtendedKeyUsage, _AGNOSTIC, lists_purpose),
    )


def _may_sign_certificates(_: verification.Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("the key usage of a CA lacks keyCertSign")


@dataclass(frozen=True, slots=True)
class LikelyChain:
    """The shortest chain by names and signatures alone. ``is_trusted``: whether its last member is a trusted CA.

    ``look_alike`` is a CA that has the name of the missing issuer, but did not sign.
    """

    issuers: tuple[CertificateFacts, ...]
    is_trusted: bool
    look_alike: CertificateFacts | None


def likely_chain(
    leaf: CertificateFacts, others: Sequence[CertificateFacts], trusted: Sequence[CertificateFacts], *, at: datetime
) -> LikelyChain:
    """What the sender probably meant, for saying what is wrong with it. Nothing may be trusted because of it.

    Each certificate is visited once, so that the work grows with the square of their number at most. Of several
    issuers those that are CAs and valid at the time come first.
    """
    trusted_prints = {anchor.fingerprint for anchor in trusted}
    candidates = sorted(
        {facts.fingerprint: facts for facts in (*trusted, *others) if facts is not leaf}.values(),
        key=lambda facts: (not facts.is_ca, not facts.not_before <= at <= facts.not_after),
    )
    chains: list[tuple[CertificateFacts, ...]] = [()]
    seen = {leaf.fingerprint}
    longest: tuple[CertificateFacts, ...] = ()
    for chain in chains:  # grows while it is read: the search is breadth-first
        longest = max(longest, chain, key=len)
        for issuer in _issuers(chain[-1] if chain else leaf, candidates, seen):
            seen.add(issuer.fingerprint)
            if issuer.fingerprint in trusted_prints:
                return LikelyChain((*chain, issuer), True, None)
            chains.append((*chain, issuer))
    end = longest[-1] if longest else leaf
    namesakes = (other for other in candidates if other.subject.der == end.issuer.der and other is not end)
    return LikelyChain(longest, False, None if end.is_self_signed else next(namesakes, None))


def _issuers(
    certificate: CertificateFacts, candidates: Sequence[CertificateFacts], seen: set[str]
) -> Iterator[CertificateFacts]:
    for candidate in candidates:
        if candidate.fingerprint in seen or candidate.subject.der != certificate.issuer.der:
            continue
        if is_signed_by(_load(certificate), _load(candidate)):
            yield candidate
