"""What is answered to an OCSP request: a response made ahead where one fits, else one signed on the spot."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from certauthority import signers
from certauthority.errors import SigningUnavailable
from certauthority.models import Authority, Certificate, OcspResponder
from certauthority.ocsp import ready_made, row_status
from certauthority.ocsp.ready_made import ReadyMade
from certauthority.x509 import ocsp_response
from certauthority.x509.certificates import CertificateFacts, read_certificate
from certauthority.x509.limits import MAX_SERIAL_OCTETS
from certauthority.x509.ocsp_request import CertId, OcspRequest
from certauthority.x509.ocsp_response import HASHES, IssuerHashes, Revocation

LIFETIME = timedelta(hours=24)
# Responses are made ahead for what clients write: RFC 5019 asks for SHA-1, RFC 9919 for SHA-256, both with NULL.
MADE_AHEAD = {
    algorithm: name
    for algorithm, name in HASHES.items()
    if name in ("sha1", "sha256") and algorithm.endswith(b"\x05\x00")
}
# For so long a process relies on what it read of a responder: its certificate, and whether Redis can be relied on.
STANDING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a process knows of one responder. ``issuer`` by the algorithm of a CertID, as ``HASHES`` has them."""

    authority_id: int
    name: str
    issuer: dict[bytes, IssuerHashes]
    certificate: CertificateFacts
    trusts_ready_made: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A response for whoever asked. One that may be shared says the same to everybody until its next update."""

    response: ReadyMade
    may_be_shared: bool


_standings: dict[str, tuple[float, Standing]] = {}


def forget() -> None:
    """Read everything about the responders anew at the next request."""
    _standings.clear()


def answer(standing: Standing, request: OcspRequest, *, now: datetime) -> Answer:
    """The response to a request, whatever it asks for.

    Raises:
        SigningUnavailable: it would have to be signed, and cannot be.
    """
    if request.nonce is None and standing.trusts_ready_made and len(request.cert_ids) == 1:
        found = _made_ahead(standing, request.cert_ids[0], now=now)
        if found is not None:
            return Answer(found, may_be_shared=True)
    statuses = _statuses(standing, request)
    response = sign(
        standing, [(cert_id, statuses.get(cert_id)) for cert_id in request.cert_ids], nonce=request.nonce, now=now
    )
    return Answer(response, may_be_shared=request.nonce is None and len(statuses) == len(set(request.cert_ids)))


def sign(
    standing: Standing,
    statuses: list[tuple[CertId, Revocation | bool | None]],
    *,
    now: datetime,
    nonce: bytes | None = None,
) -> ReadyMade:
    """A response signed now. A status is a revocation, True for a good certificate, or None for one not issued here.

    Raises:
        SigningUnavailable: the responder's key cannot be used, or its certificate has ended.
    """
    this_update = now.replace(microsecond=0)
    # RFC 6960, 4.2.2.2.1: nothing is said for a time in which the responder's certificate is no longer valid.
    next_update = min(this_update + LIFETIME, standing.certificate.not_after)
    if next_update <= this_update:
        raise SigningUnavailable(
            f"The certificate of {standing.name}’s OCSP responder has ended. See that worker and beat are running."
        )
    signer = signers.responder_signer(standing.name, standing.certificate.der)
    der = ocsp_response.build_ocsp_response(
        [_single(*status, this_update=this_update, next_update=next_update) for status in statuses],
        responder=signer.certificate,
        responder_key=signer.key,
        produced_at=this_update,
        nonce=nonce,
    )
    return ReadyMade(der, int(this_update.timestamp()), int(next_update.timestamp()))


def standing_of(name: str) -> Standing | None:
    """The responder of the authority with this name; None where there is no such authority.

    Raises:
        SigningUnavailable: the authority has no responder yet.
    """
    read_at, standing = _standings.get(name, (0.0, None))
    monotonic = time.monotonic()
    if standing is None or monotonic - read_at >= STANDING_SECONDS:
        standing = _read_standing(name)
        if standing is not None:
            # The time before the reading: what is committed later is read at most so much later.
            _standings[name] = (monotonic, standing)
    return standing


def _read_standing(name: str) -> Standing | None:
    found = OcspResponder.objects.select_related("certificate", "authority__certificate")
    responder = found.filter(authority__name=name).first()
    if responder is None:
        if Authority.objects.filter(name=name).exists():
            raise SigningUnavailable(f"{name} has no OCSP responder yet. See that worker and beat are running.")
        return None
    unsettled = Certificate.objects.filter(authority_id=responder.authority_id, ocsp_unsettled=True)
    return Standing(
        authority_id=responder.authority_id,
        name=name,
        issuer=_issuer_hashes(bytes(responder.authority.certificate.der)),
        certificate=_facts(bytes(responder.certificate.der)),
        trusts_ready_made=not unsettled.exists(),
    )


@lru_cache(maxsize=32)
def _facts(der: bytes) -> CertificateFacts:
    return read_certificate(der)


@lru_cache(maxsize=32)
def _issuer_hashes(der: bytes) -> dict[bytes, IssuerHashes]:
    return {algorithm: ocsp_response.hashes_of(_facts(der), name) for algorithm, name in HASHES.items()}


def _made_ahead(standing: Standing, cert_id: CertId, *, now: datetime) -> ReadyMade | None:
    hash_name = MADE_AHEAD.get(cert_id.algorithm)
    if hash_name is None or not _could_be_ours(standing, cert_id):
        return None
    found = ready_made.find(standing.authority_id, f"{cert_id.serial:x}", hash_name)
    return found if found is not None and found.next_update > now.timestamp() else None


def _could_be_ours(standing: Standing, cert_id: CertId) -> bool:
    """Whether the issuer is this CA, and the serial number one that a certificate can have."""
    issuer = standing.issuer.get(cert_id.algorithm)
    return (
        issuer is not None
        and issuer.name_hash == cert_id.name_hash
        and issuer.key_hash == cert_id.key_hash
        and cert_id.serial > 0
        and cert_id.serial.bit_length() <= 8 * MAX_SERIAL_OCTETS
    )


def _statuses(standing: Standing, request: OcspRequest) -> dict[CertId, Revocation | bool]:
    """What the rows say. A certificate that was not issued here has none."""
    ours = {cert_id: f"{cert_id.serial:x}" for cert_id in request.cert_ids if _could_be_ours(standing, cert_id)}
    if not ours:
        return {}
    found = row_status.statuses(standing.authority_id, list(set(ours.values())))
    return {cert_id: found[serial] for cert_id, serial in ours.items() if serial in found}


def _single(
    cert_id: CertId, status: Revocation | bool | None, *, this_update: datetime, next_update: datetime
) -> bytes:
    if isinstance(status, Revocation):
        return ocsp_response.revoked(cert_id, status, this_update=this_update, next_update=next_update)
    write = ocsp_response.good if status else ocsp_response.unknown
    return write(cert_id, this_update=this_update, next_update=next_update)
