"""The rules about the chain of an uploaded certificate: where it leads, and the CAs on the way."""

from __future__ import annotations

from datetime import datetime

from .certificates import CertificateFacts
from .chain import LikelyChain
from .identifiers import CLIENT_PURPOSES
from .leaf_rules import date_text
from .name_rules import listed, shown
from .signature_algorithms import HASHES
from .verdicts import Verdict

_MIN_RSA_BITS = 2048
_CURVES = frozenset({"P-256", "P-384", "P-521"})


def judge_trust(leaf: CertificateFacts, likely: LikelyChain) -> Verdict:
    """Whether names and signatures lead to a trusted CA at all."""
    found = f"it leads to {_name(likely.issuers[-1])}" if likely.is_trusted else _where_it_ends(leaf, likely)
    return Verdict(
        "chain.trusted",
        "Leads to a trusted CA",
        likely.is_trusted,
        found,
        "a chain to a CA on the list “Trusted CAs”: send the intermediate CAs along, "
        "or ask the site's staff to add your CA",
        "RFC 5280, 6.1; house rule",
    )


def _where_it_ends(leaf: CertificateFacts, likely: LikelyChain) -> str:
    end = likely.issuers[-1] if likely.issuers else leaf
    if end.is_self_signed:
        return "it is signed by itself" if end is leaf else f"it leads to {_name(end)}, which is not trusted"
    issuer = shown(end.issuer.text) or "an issuer without a name"
    if likely.look_alike:
        return f"a CA has the issuer's name, {issuer}, but another key: it did not sign this"
    return f"its issuer, {issuer}, is neither trusted nor in what was sent"


def judge_issuers(likely: LikelyChain, *, at: datetime) -> tuple[Verdict, ...]:
    """The rules about the CAs between the certificate and the end of its chain, which is judged as well.

    The trusted CA's own signature is not judged: it is trusted because staff say so.
    """
    issuers = likely.issuers
    signed = issuers[:-1] if likely.is_trusted else issuers
    strong = f"RSA with {_MIN_RSA_BITS} bits or more in whole octets, or EC on P-256, P-384 or P-521"
    return (
        _judge(
            "chain.expired",
            "No CA in the chain has expired",
            [f"{_name(ca)} expired {date_text(ca.not_after)}" for ca in issuers if at > ca.not_after],
            "CAs that are valid now: send the CA's renewed certificate if there is one",
            "RFC 5280, 6.1.3 (a)(2)",
        ),
        _judge(
            "chain.not-yet-valid",
            "Every CA in the chain is already valid",
            [f"{_name(ca)} is only valid from {date_text(ca.not_before)}" for ca in issuers if at < ca.not_before],
            "CAs that are valid now",
            "RFC 5280, 6.1.3 (a)(2)",
        ),
        _judge(
            "chain.ca",
            "Every issuer in the chain is a CA",
            [f"{_name(ca)} {problem}" for ca in issuers if (problem := _ca_problem(ca))],
            "issuers with CA:TRUE that may sign certificates",
            "RFC 5280, 6.1.4 (k), (n)",
        ),
        _judge(
            "chain.purpose",
            "Every CA in the chain allows client authentication",
            [
                f"{_name(ca)} allows only {', '.join(ca.extended_key_usage)}"
                for ca in issuers
                if not _allows_clients(ca)
            ],
            "CAs without an extended key usage, or with clientAuth in it",
            "RFC 5280, 4.2.1.12",
        ),
        _judge(
            "chain.key",
            "Every CA in the chain has a strong key",
            [f"{_name(ca)} has {ca.public_key.description}" for ca in issuers if not _has_strong_key(ca)],
            strong,
            "CA/Browser Forum Baseline Requirements, 6.1.5; house rule",
        ),
        _judge(
            "chain.hash",
            "Every CA in the chain is signed with a strong hash",
            [f"{_name(ca)}: {ca.signature_algorithm}" for ca in signed if ca.signature.hash_name not in HASHES],
            "SHA-256, SHA-384 or SHA-512",
            "NIST SP 800-131A, 9; house rule",
        ),
    )


def judge_path(refusal: str) -> Verdict:
    """The whole of path validation: path lengths, name constraints, critical extensions and all the rest."""
    return Verdict(
        "chain.valid",
        "The chain passes path validation",
        not refusal,
        refusal or "it passes",
        "a chain that keeps RFC 5280: ask the CA that issued the certificate",
        "RFC 5280, 6.1",
    )


def _judge(identifier: str, title: str, findings: list[str], wanted: str, source: str) -> Verdict:
    return Verdict(identifier, title, not findings, listed(findings) or "none found", wanted, source)


def _ca_problem(issuer: CertificateFacts) -> str:
    if not issuer.is_ca:
        return "is no CA"
    if issuer.has_key_usage and "keyCertSign" not in issuer.key_usage:
        return "may not sign certificates: its key usage lacks keyCertSign"
    return ""


def _allows_clients(issuer: CertificateFacts) -> bool:
    return not issuer.extended_key_usage or not CLIENT_PURPOSES.isdisjoint(issuer.extended_key_usage)


def _has_strong_key(issuer: CertificateFacts) -> bool:
    key = issuer.public_key
    if key.kind == "RSA":
        return key.size >= _MIN_RSA_BITS and key.size % 8 == 0
    return key.curve in _CURVES


def _name(certificate: CertificateFacts) -> str:
    return shown(certificate.subject.text) or "a CA without a name"
