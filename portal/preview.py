"""The certificate that a CSR would get now, without signing anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from certauthority import issuance, profiles
from certauthority.authorities import newest_authority
from certauthority.models.authority import AuthorityPurpose
from certauthority.records import facts_of
from certauthority.x509.csr import ParsedCsr
from certauthority.x509.names import read_name
from connect.lifecycle import days_left


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything that can be said of the certificate before its serial number is drawn and it is signed."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    days: int
    key: str
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...]
    crl_url: str
    ca_issuer_url: str


def preview_of(csr: ParsedCsr, *, now: datetime) -> Preview:
    """What our Developers CA would issue now.

    Raises:
        IssuerEnding: the CA ends before the certificate would.
        CAError: the CA has not been created yet.
    """
    authority = newest_authority(AuthorityPurpose.DEVELOPERS)
    issuer = facts_of(authority.certificate)
    profile = profiles.client_profile(authority)
    not_before, not_after = issuance.validity(issuer, profile, now=now)
    for_rsa = ("keyEncipherment",) if csr.public_key.kind == "RSA" else ()
    return Preview(
        subject=read_name(issuance.subject_of(csr)).text,
        issuer=issuer.subject.text,
        not_before=not_before,
        not_after=not_after,
        days=days_left(not_after, now=now),
        key=csr.public_key.description,
        key_usage=(*profile.key_usage, *for_rsa),
        extended_key_usage=profile.extended_key_usage,
        crl_url=profile.crl_url,
        ca_issuer_url=profile.ca_issuer_url,
    )


def valid_until(*, now: datetime) -> datetime:
    """The last moment of a certificate that our Developers CA would issue now. Raises as ``preview_of`` does."""
    authority = newest_authority(AuthorityPurpose.DEVELOPERS)
    issuer, profile = facts_of(authority.certificate), profiles.client_profile(authority)
    return issuance.validity(issuer, profile, now=now)[1]
