"""The rules about an uploaded certificate itself, apart from its key, its subject and its chain."""

from __future__ import annotations

from datetime import datetime

from .certificates import CertificateFacts
from .identifiers import CLIENT_PURPOSES
from .verdicts import Verdict

_TLS_USAGES = frozenset({"digitalSignature", "keyAgreement"})


def judge_leaf(leaf: CertificateFacts, *, at: datetime) -> tuple[Verdict, ...]:
    """The rules, kept or broken, at that time."""
    return (
        _judge_is_ca(leaf),
        _judge_expired(leaf, at),
        _judge_not_yet_valid(leaf, at),
        _judge_purpose(leaf),
        _judge_key_usage(leaf),
    )


def date_text(moment: datetime) -> str:
    """A moment as verdicts write it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _judge_is_ca(leaf: CertificateFacts) -> Verdict:
    found = "a certificate of a CA" if leaf.is_ca else "a certificate that is no CA"
    return Verdict(
        "cert.is-ca",
        "Not a certificate of a CA",
        not leaf.is_ca,
        found,
        "a client certificate: CA:FALSE, or no basic constraints",
        "RFC 5280, 4.2.1.9; house rule",
    )


def _judge_expired(leaf: CertificateFacts, at: datetime) -> Verdict:
    is_expired = at > leaf.not_after
    return Verdict(
        "cert.expired",
        "Not expired",
        not is_expired,
        f"{'expired' if is_expired else 'expires'} {date_text(leaf.not_after)}",
        f"an end after {date_text(at)}" + (": ask its issuer for a new one" if is_expired else ""),
        "RFC 5280, 4.1.2.5",
    )


def _judge_not_yet_valid(leaf: CertificateFacts, at: datetime) -> Verdict:
    is_early = at < leaf.not_before
    return Verdict(
        "cert.not-yet-valid",
        "Already valid",
        not is_early,
        f"{'only valid' if is_early else 'valid'} from {date_text(leaf.not_before)}",
        f"a start before {date_text(at)}" + (": wait until it is valid" if is_early else ""),
        "RFC 5280, 4.1.2.5",
    )


def _judge_purpose(leaf: CertificateFacts) -> Verdict:
    found = ", ".join(leaf.extended_key_usage) or "no extended key usage"
    return Verdict(
        "cert.purpose",
        "Purpose is client authentication",
        not CLIENT_PURPOSES.isdisjoint(leaf.extended_key_usage),
        found,
        "an extended key usage that lists clientAuth",
        "RFC 5280, 4.2.1.12; house rule",
    )


def _judge_key_usage(leaf: CertificateFacts) -> Verdict:
    found = ", ".join(leaf.key_usage) or ("an empty key usage" if leaf.has_key_usage else "no key usage")
    return Verdict(
        "cert.key-usage",
        "Key usage allows TLS clients",
        not leaf.has_key_usage or not _TLS_USAGES.isdisjoint(leaf.key_usage),
        found,
        "digitalSignature or keyAgreement, or no key usage",
        "RFC 5280, 4.2.1.12; RFC 8446, 4.4.2.2",
    )
