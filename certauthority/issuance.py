"""Issue a certificate from an approved request. The numbers are those of docs/issuance.md.

Steps 1 to 2 are ``policy.judge_request``; step 3, duplicates, is partly the caller's (a portal knows its own
credentials); step 9, handing over, is the caller's answer after the commit.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from audit.insertion import insert, new_row
from certauthority import crl_shards, profiles, signers
from certauthority.authorities import newest_authority
from certauthority.errors import IssuerEnding, RequestRefused, SerialRepeated
from certauthority.key_holders import claim_key
from certauthority.models import Certificate
from certauthority.models.authority import AuthorityPurpose
from certauthority.policy import RequestJudgement
from certauthority.records import certificate_fields
from certauthority.x509.alternative_names import read_alternative_names
from certauthority.x509.building import build_verified_certificate
from certauthority.x509.certificates import CertificateFacts
from certauthority.x509.csr import ParsedCsr
from certauthority.x509.names import encode_subject
from certauthority.x509.profile import Profile, add_months, new_serial
from certauthority.x509.verdicts import Verdict

# A certificate begins a little in the past, for clients whose clock is behind.
BACKDATE = timedelta(hours=1)
SUBJECT_ORDER = ("C", "ST", "L", "O", "OU", "CN")


def issue(
    judgement: RequestJudgement,
    *,
    purpose: AuthorityPurpose,
    now: datetime,
    counted_from: datetime | None = None,
    alternative_names: tuple[str, ...] = (),
) -> Certificate:
    """Sign and store a client certificate. Call it inside the transaction that stores what the certificate is for.

    ``now`` is real time. ``counted_from`` is what the clock of its holder shows, where that is ahead: its months are
    counted from there. ``alternative_names`` are DNS names as ``read_alternative_names`` gives them; only the KMP CA
    certifies any.

    Raises:
        RequestRefused: a rule is broken, or the key became unacceptable since it was judged.
        IssuerEnding: the CA ends before the certificate would.
        SigningUnavailable: the CA's key cannot be used.
        SerialRepeated: repeat the transaction.
    """
    if judgement.csr is None or not judgement.acceptable:
        raise RequestRefused(judgement.verdicts)
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("issue() stores a part of what its caller stores: call it inside transaction.atomic()")
    _check_alternative_names(alternative_names, purpose=purpose)
    claim_key(judgement.csr.public_key, holder=judgement.holder)  # 3
    authority = newest_authority(purpose)
    signer = signers.signer_of(authority)
    serial = new_serial()  # 4
    shard = crl_shards.shard_of(serial, authority)
    profile = profiles.client_profile(authority, shard)
    begin, end = validity(signer.certificate, profile, now=now, counted_from=counted_from)
    facts = _sign(judgement.csr, alternative_names, profile, serial, signer=signer, begin=begin, end=end)
    try:
        return insert(  # 8
            new_row(
                Certificate,
                authority=authority,
                crl_shard=shard,
                recorded_at=now,
                counted_from=counted_from if counted_from is not None and counted_from > now else None,
                **certificate_fields(facts, issuer_key=signer.certificate.public_key),
            )
        )
    except IntegrityError as error:
        # Every unique column of the row depends on the serial number.
        raise SerialRepeated("A serial number was drawn twice. Try again.") from error


def validity(
    issuer: CertificateFacts, profile: Profile, *, now: datetime, counted_from: datetime | None = None
) -> tuple[datetime, datetime]:
    """First and last moment of a certificate issued now. Its months are counted from ``counted_from``, else from now.

    So it begins in real time, and TLS software accepts it, and yet lasts for its holder whose clock is ahead.

    Raises:
        IssuerEnding: that would be after the issuer's own end.
    """
    now, first = (moment.replace(microsecond=0) for moment in (now, counted_from or now))
    not_after = add_months(first, profile.months)
    if not_after > issuer.not_after:
        raise IssuerEnding(_ending(issuer, profile, first=first, is_ahead=first > now))
    return max(now - BACKDATE, issuer.not_before), not_after


def _ending(issuer: CertificateFacts, profile: Profile, *, first: datetime, is_ahead: bool) -> str:
    by_clock = f" from {first:%-d %B %Y} on, which the company’s clock shows," if is_ahead else ""
    sooner = ", or the company must start its clock over" if is_ahead else ""
    return (
        f"{issuer.subject.common_name} ends on {issuer.not_after:%-d %B %Y}, before a certificate of {profile.months} "
        f"months{by_clock} would. Staff must create the CA's next generation{sooner}."
    )


def subject_of(csr: ParsedCsr) -> bytes:
    """DER of the subject that the certificate gets: the approved attributes, in our order."""
    return encode_subject([(label, value) for label in SUBJECT_ORDER for value in csr.subject.get(label)])


def _check_alternative_names(names: tuple[str, ...], *, purpose: AuthorityPurpose) -> None:
    """Names that were approved once are looked at again: nothing else stands between a stored text and a signature."""
    if not names:
        return
    if purpose != AuthorityPurpose.KMP:
        raise RuntimeError("Only the KMP CA certifies alternative names")
    read = read_alternative_names(", ".join(names))
    if read.problems or read.names != names:
        found = "; ".join(read.problems) or "names that are repeated or not in their plain form"
        wanted = "domain names in lower case, without wildcards, each once"
        raise RequestRefused(
            (Verdict("san.names", "Subject Alternate Names (SAN)", False, found, wanted, "RFC 5280, 4.2.1.6"),)
        )


def _sign(
    csr: ParsedCsr,
    dns_names: tuple[str, ...],
    profile: Profile,
    serial: int,
    *,
    signer: signers.Signer,
    begin: datetime,
    end: datetime,
) -> CertificateFacts:
    return build_verified_certificate(  # 5, 6 and 7
        profile=profile,
        subject=subject_of(csr),
        public_key=csr.public_key.spki,
        issuer=signer.certificate,
        issuer_key=signer.key,
        serial=serial,
        not_before=begin,
        not_after=end,
        dns_names=dns_names,
    )
