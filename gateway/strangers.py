"""What is so of a certificate that is on no project and in no inventory: a stranger's, or one of this site's own.

The owner of such a certificate is nobody that the site knows, so the answer says nothing but what the certificate says
itself, and what every user may read (the list of trusted CAs).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from certauthority.models import ReasonCode
from certauthority.presented import Presented, judge_presented
from certauthority.x509.certificates import CertificateFacts
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.identifiers import CLIENT_PURPOSES
from certauthority.x509.keys import WANTED_KEY
from certauthority.x509.limits import MAX_CHAIN_BYTES, MAX_CHAIN_CERTIFICATES
from certauthority.x509.name_rules import shown
from gateway.calls import Call
from gateway.findings import Finding
from gateway.pages import moment_text, page

_TLS_USAGES = frozenset({"digitalSignature", "keyAgreement"})
_LIMITS = f"At most {MAX_CHAIN_CERTIFICATES} certificates and {MAX_CHAIN_BYTES // 1024} KiB are taken."
_ANEW = "Have it issued again"
# By the code of the error: what is so, and what to do.
_UNREADABLE = {
    "input.certificate": (
        "The certificate that was sent cannot be read: it is damaged, or is not what RFC 5280 allows.",
        "Export it again from where it was issued.",
    ),
    "input.serial": (
        "The serial number of the certificate is not a positive number of at most 20 octets (RFC 5280, 4.1.2.2).",
        f"{_ANEW}, with another serial number.",
    ),
    "input.too-many-names": (
        "The certificate has too many alternative names or name constraints.",
        f"{_ANEW}, with fewer.",
    ),
    "input.key": ("The public key in the certificate cannot be read.", f"Make a new key. {_ANEW} for that."),
    "input.name": (
        "A name in the certificate is not what RFC 5280 allows.",
        f"{_ANEW}, with names in UTF8String or PrintableString and each attribute once.",
    ),
    "input.signature-algorithm": (
        "The signature algorithm of the certificate cannot be read.",
        f"{_ANEW}, signed with SHA-256.",
    ),
}


def judge_stranger(call: Call, *, now: datetime) -> tuple[CertificateFacts | None, list[Finding]]:
    """What the certificate says, where it can be read, and everything that is wrong with it, in real time."""
    try:
        presented = judge_presented(call.chain, now=now)
    except UnreadableInput as error:
        return None, [_unreadable(error)]
    return presented.leaf, list(_findings(presented, call, now=now.replace(microsecond=0)))


def _unreadable(error: UnreadableInput) -> Finding:
    if error.code in ("input.too-many", "input.too-large"):
        sentence, remedy = f"{error} {_LIMITS}", "Send your certificate and the CAs that lead to its root, no others."
    else:
        sentence, remedy = _UNREADABLE.get(error.code, _UNREADABLE["input.certificate"])
    return Finding(ReasonCode.UNREADABLE, sentence, remedy, page("portal:projects"))


def _findings(presented: Presented, call: Call, *, now: datetime) -> Iterator[Finding]:
    """In the order that ``gateway.verdicts`` explains. The last is so of all that lead to a trusted CA."""
    if presented.forgery:
        yield _unknown_issuer(presented.forgery, presented, call)
    yield from other_purpose(presented.leaf)
    yield from _weakness(presented)
    if presented.distrust and not presented.forgery:
        yield _unknown_issuer(presented.distrust, presented, call)
    if presented.is_repeated:
        yield Finding(
            ReasonCode.UNREADABLE,
            "The site knows another certificate with this issuer and serial number: this one was changed after it was "
            "issued, or its issuer gave the number twice.",
            "Send the certificate as it was issued: its page has it for download.",
            page("portal:projects"),
        )
    yield from _dates(presented.leaf, now=now)
    yield from _no_purpose(presented.leaf)
    if presented.trusted is not None:
        issuer = shown(presented.trusted.subject.common_name or presented.trusted.subject.text)
        yield Finding(
            ReasonCode.NOT_ON_PROJECT,
            f"The certificate leads to the trusted CA {issuer}, but is on no project.",
            "Upload it to a project: Add certificate, then Upload mTLS certificate.",
            page("portal:projects"),
        )


def other_purpose(leaf: CertificateFacts) -> Iterator[Finding]:
    """What says outright that it is for something else."""
    if leaf.is_ca:
        what = "This is the certificate of a CA, which signs certificates and calls nobody."
    elif "serverAuth" in leaf.extended_key_usage and CLIENT_PURPOSES.isdisjoint(leaf.extended_key_usage):
        what = "This is the certificate of a server (serverAuth), not of a client (clientAuth)."
    elif leaf.extended_key_usage and CLIENT_PURPOSES.isdisjoint(leaf.extended_key_usage):
        what = f"This certificate is for {', '.join(leaf.extended_key_usage[:5])}, not for clients (clientAuth)."
    else:
        return
    yield Finding(
        ReasonCode.NOT_A_CLIENT_CERTIFICATE,
        what,
        "Send a client certificate: one whose extended key usage lists clientAuth. Add certificate makes one.",
        page("portal:projects"),
    )


def _no_purpose(leaf: CertificateFacts) -> Iterator[Finding]:
    """What it ought to say and does not; a CA that the site trusts could easily correct that."""
    if leaf.is_ca:
        return
    if not leaf.extended_key_usage:
        what = "The certificate has no extended key usage: nothing in it says that it is for clients."
    elif leaf.has_key_usage and _TLS_USAGES.isdisjoint(leaf.key_usage):
        what = f"The key usage of the certificate ({', '.join(leaf.key_usage) or 'none'}) does not allow TLS clients."
    else:
        return
    yield Finding(
        ReasonCode.NOT_A_CLIENT_CERTIFICATE,
        what,
        "Have it issued again with the extended key usage clientAuth and the key usage digitalSignature.",
        page("portal:projects"),
    )


def _weakness(presented: Presented) -> Iterator[Finding]:
    if presented.weak_key:
        yield Finding(
            ReasonCode.WEAK_KEY,
            f"The key of the certificate, {presented.leaf.public_key.description}, is not accepted "
            f"({presented.weak_key}).",
            f"Make a new key ({WANTED_KEY}), and a certificate for it.",
            page("portal:projects"),
        )
    if presented.weak_hash:
        yield Finding(
            ReasonCode.UNREADABLE,
            f"The certificate is signed with {presented.weak_hash}: a signature that is not accepted here.",
            "Have it issued again, signed with SHA-256, SHA-384 or SHA-512.",
            page("portal:projects"),
        )


def _unknown_issuer(why: str, presented: Presented, call: Call) -> Finding:
    sentence = f"No trusted CA vouches for the certificate: {why}."
    if presented.unreadable:
        noun = "certificate" if presented.unreadable == 1 else "certificates"
        sentence += f" Of what was sent along, {presented.unreadable} {noun} cannot be read."
    if not call.chain_is_whole and len(call.chain) == 1:
        sentence += " What was sent along did not reach this site: its front hands over the first certificate alone."
    elif not call.chain_is_whole:
        sentence += f" Only the first {len(call.chain)} certificates that were sent were looked at."
    return Finding(
        ReasonCode.UNKNOWN_ISSUER,
        sentence,
        "Use a certificate that was made in the portal, or one that leads to a CA on the list Trusted CAs, and send "
        "its intermediate CAs along. The site’s staff can add a CA to the list.",
        page("portal:trusted_cas"),
    )


def _dates(leaf: CertificateFacts, *, now: datetime) -> Iterator[Finding]:
    if now > leaf.not_after:
        yield Finding(
            ReasonCode.EXPIRED,
            f"The certificate expired on {moment_text(leaf.not_after)}.",
            "Ask its issuer for a new one, and upload that to a project.",
            page("portal:projects"),
        )
    if now < leaf.not_before:
        yield Finding(
            ReasonCode.NOT_YET_VALID,
            f"The certificate is valid only from {moment_text(leaf.not_before)}.",
            "Wait until then, or ask its issuer for a certificate that is valid now.",
            page("portal:projects"),
        )
