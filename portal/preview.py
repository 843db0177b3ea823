"""The certificate that a CSR would get now, without signing anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from certauthority import issuance, profiles
from certauthority.authorities import newest_authority
from certauthority.models.authority import AuthorityPurpose
from certauthority.records import facts_of
from certauthority.x509.csr import ParsedCsr
from certauthority.x509.names import read_name
from connect.clock import company_time, is_ahead
from connect.lifecycle import days_left
from connect.models import Company


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything that can be said of the certificate before its serial number is drawn and it is signed.

    ``days`` are those left by the company's clock; ``counted_from`` is what it shows, where it is ahead. With
    ``last_crl_url`` the serial number decides which CRL it will name, from ``crl_url`` to that one.
    """

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    days: int
    counted_from: datetime | None
    key: str
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...]
    crl_url: str
    last_crl_url: str
    ca_issuer_url: str


def preview_of(csr: ParsedCsr, *, company: Company, now: datetime) -> Preview:
    """What our Developers CA would issue to the company at a real moment.

    Raises:
        IssuerEnding: the CA ends before the certificate would.
        CAError: the CA has not been created yet.
    """
    authority = newest_authority(AuthorityPurpose.DEVELOPERS)
    issuer = facts_of(authority.certificate)
    profile = profiles.client_profile(authority)
    counted_from = company_time(company, now)
    not_before, not_after = issuance.validity(issuer, profile, now=now, counted_from=counted_from)
    shards = settings.CRL_SHARDS
    for_rsa = ("keyEncipherment",) if csr.public_key.kind == "RSA" else ()
    return Preview(
        subject=read_name(issuance.subject_of(csr)).text,
        issuer=issuer.subject.text,
        not_before=not_before,
        not_after=not_after,
        days=days_left(not_after, now=counted_from),
        counted_from=counted_from if is_ahead(company) else None,
        key=csr.public_key.description,
        key_usage=(*profile.key_usage, *for_rsa),
        extended_key_usage=profile.extended_key_usage,
        crl_url=profiles.crl_url(authority, 1 if shards > 1 else None),
        last_crl_url=profiles.crl_url(authority, shards) if shards > 1 else "",
        ca_issuer_url=profile.ca_issuer_url,
    )


def valid_until(*, company: Company, now: datetime) -> datetime:
    """The last moment of a certificate that our Developers CA would issue to the company at a real moment.

    Raises as ``preview_of`` does.
    """
    authority = newest_authority(AuthorityPurpose.DEVELOPERS)
    issuer, profile = facts_of(authority.certificate), profiles.client_profile(authority)
    return issuance.validity(issuer, profile, now=now, counted_from=company_time(company, now))[1]
