"""The rules as a form shows them before anything is sent: the usual reasons for a refusal, and what is wanted.

After that the whole table of verdicts takes their place.
"""

from __future__ import annotations

from dataclasses import dataclass

from certauthority.x509.keys import WANTED_KEY
from certauthority.x509.limits import MAX_CHAIN_BYTES, MAX_CHAIN_CERTIFICATES, MAX_CSR_BYTES
from certauthority.x509.names import read_name
from certauthority.x509.subject_rules import SubjectRequirement, judge_subject

_NO_NAME = b"\x30\x00"
# Rules of the subject that a form tells beforehand; the others are plain from these.
_SUBJECT_RULES = frozenset(
    {"dn.cn-pattern", "dn.organisation", "dn.organisational-unit", "dn.company-country", "dn.other-attributes"}
)
_DUPLICATE = "the subject differs from that of every live certificate, on any project"
_OWN_KEY = "no other company uses it, and it was never reported as compromised"


@dataclass(frozen=True, slots=True)
class ExpectedRule:
    """One rule that nothing was judged by yet."""

    title: str
    wanted: str


_STRUCTURE = (
    ExpectedRule(
        "Exactly one CSR", f"PKCS #10, as PEM or DER, at most {MAX_CSR_BYTES // 1024} KiB, signed with its own key"
    ),
    ExpectedRule("Key", f"{WANTED_KEY}, without a known weakness"),
    ExpectedRule("Hash of the signature", "SHA-256, SHA-384 or SHA-512"),
)
_LAST = (
    ExpectedRule("Extensions asked for are left out", "none needed; a request for a CA certificate is refused"),
    ExpectedRule("No other live credential has this subject", _DUPLICATE),
    ExpectedRule("The key is yours alone", _OWN_KEY),
)
OF_CERTIFICATES = (
    ExpectedRule(
        "One certificate, or one with its chain",
        f"PEM or DER, at most {MAX_CHAIN_CERTIFICATES} certificates and {MAX_CHAIN_BYTES // 1024} KiB, in any order",
    ),
    ExpectedRule("Leads to a trusted CA", "a CA on the list Trusted CAs; the KMP CA is one"),
    ExpectedRule("Valid today", "neither expired nor not yet valid"),
    ExpectedRule("A client certificate", "no CA certificate; clientAuth is in its extended key usage"),
    ExpectedRule("Key", f"{WANTED_KEY}, without a known weakness"),
    ExpectedRule("Not revoked by its issuer here", "a certificate that this site’s own CAs have not revoked"),
    ExpectedRule("No other live credential has this subject", _DUPLICATE),
    ExpectedRule("The key is yours alone", _OWN_KEY),
)


def of_requests(requirement: SubjectRequirement | None) -> tuple[ExpectedRule, ...]:
    """What is wanted of a CSR; of its subject only where a requirement says so."""
    if requirement is None:
        return (*_STRUCTURE, _LAST[0])
    judged = judge_subject(read_name(_NO_NAME), requirement)
    subject = (ExpectedRule(verdict.title, verdict.wanted) for verdict in judged if verdict.id in _SUBJECT_RULES)
    return (*_STRUCTURE, *subject, *_LAST)
