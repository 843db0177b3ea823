"""The judgement of a certificate signing request: every rule, kept or broken, all at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from .armor import csr_der
from .csr import ParsedCsr, RequestedName, read_csr
from .errors import UnreadableInput
from .keys import judge_key
from .name_rules import judge_name, listed, shown
from .signature_algorithms import judge_signature_algorithm
from .subject_rules import SubjectRules
from .verdicts import Verdict, acceptable, broken

_INPUT_TITLES = {"csr.single": "Exactly one CSR"}
# Verdicts that do not depend on the request, or on a number or two of it alone, are made once: here, and by caches.
_SINGLE = Verdict("csr.single", _INPUT_TITLES["csr.single"], True, "one CSR", "one CSR", "house rule")
# Rules that, when broken, have already said why a signature looks wrong or cannot be verified.
_HASH_AND_SCHEME = frozenset({"sig.hash", "sig.scheme"})
_KEY_AND_STRUCTURE = frozenset(
    {"csr.version", "csr.readable", "sig.parameters", "key.type", "key.curve", "key.rsa-size", "key.rsa-exponent"}
)


@dataclass(frozen=True, slots=True)
class CsrJudgement:
    """What was read (nothing where the input is no readable CSR) and what every rule says of it."""

    csr: ParsedCsr | None
    verdicts: tuple[Verdict, ...]

    @property
    def acceptable(self) -> bool:
        """Whether a CSR was read and keeps every rule."""
        return self.csr is not None and acceptable(self.verdicts)


def judge_csr(data: bytes, *, requirement: SubjectRules | None = None) -> CsrJudgement:
    """The judgement of a CSR file or pasted text. Never raises, whatever the octets.

    Without a requirement only the rules of structure, signature and key are judged. Input that is no readable CSR
    gives no CSR and one broken verdict, whose id says why (``input.private-key``, ``csr.single``, …).
    """
    try:
        csr = read_csr(csr_der(data))
    except UnreadableInput as error:
        title = _INPUT_TITLES.get(error.code, "A CSR that can be read")
        wanted = "one certificate signing request, as PEM text or a DER file"
        return CsrJudgement(None, (Verdict(error.code, title, False, str(error), wanted, "RFC 2986; RFC 7468, 7"),))
    verdicts = [
        _SINGLE,
        _judge_trailing_data(csr.trailing_octets),
        _judge_version(csr.version),
        *_judge_readable(csr),
        *judge_signature_algorithm(csr.algorithm),
        *judge_key(csr.public_key),
        *(requirement.judge_key_type(csr.public_key) if requirement else ()),
    ]
    verdicts += [
        *_judge_signature(csr, verdicts),
        *_judge_requested(csr),
        *judge_name(csr.subject),
        *(requirement.judge(csr.subject) if requirement else ()),
    ]
    return CsrJudgement(csr, tuple(verdicts))


@lru_cache(maxsize=16)
def _judge_trailing_data(octets: int) -> Verdict:
    return Verdict(
        "csr.trailing-data",
        "Nothing after the CSR",
        octets == 0,
        f"{octets} bytes after it" if octets else "nothing after it",
        "nothing after it",
        "RFC 2986, 4.2; house rule",
    )


@lru_cache(maxsize=16)
def _judge_version(number: int) -> Verdict:
    found = "version 1" if number == 0 else f"a version number of {number.bit_length()} bits"
    if 0 < number < 1000:
        found = f"version {number + 1}"
    return Verdict("csr.version", "Version of the CSR", number == 0, found, "version 1", "RFC 2986, 4.1")


def _judge_signature(csr: ParsedCsr, others: list[Verdict]) -> list[Verdict]:
    """Judged after the hash: the library calls every signature with a hash such as SHA-1 wrong.

    Left out then, and where a type of key, a size or a structure with a rule of its own keeps it from being verified.
    """
    excuses = _HASH_AND_SCHEME if csr.signature_valid is False else _HASH_AND_SCHEME | _KEY_AND_STRUCTURE
    if not csr.signature_valid and excuses & {verdict.id for verdict in broken(others)}:
        return []
    return [_signature_verdict(csr.signature_valid)]


@cache
def _signature_verdict(valid: bool | None) -> Verdict:
    found = {True: "the signature fits", False: "the signature does not fit the key and the content"}
    not_verified = "a signature that cannot be verified with this key"
    return Verdict(
        "csr.signature",
        "The CSR is signed with its own key",
        valid is True,
        found[valid] if valid is not None else not_verified,
        "a signature made with the private key that belongs to the public key in the CSR",
        "RFC 2986, 4.2",
    )


def _judge_requested(csr: ParsedCsr) -> list[Verdict]:
    if csr.requested is None:
        return []
    verdicts = [_judge_request_for_ca(csr.requested.asks_for_ca), _judge_requested_names(csr.requested.names)]
    if csr.requested_extensions:
        verdicts.append(_note_extensions(csr))
    return verdicts


@cache
def _judge_request_for_ca(asks: bool) -> Verdict:
    return Verdict(
        "csr.ca-request",
        "No request for a CA certificate",
        not asks,
        "basicConstraints with CA:TRUE" if asks else "none",
        "no basicConstraints, or CA:FALSE: only client certificates are issued",
        "RFC 5280, 4.2.1.9; house rule",
    )


@lru_cache(maxsize=16)
def _judge_requested_names(names: tuple[RequestedName, ...]) -> Verdict:
    odd = [shown(f"{name.kind} {name.value}") for name in names if name.kind != "DNSName" or "*" in name.value]
    found = listed(odd) if odd else f"{len(names)} domain names" if names else "none"
    return Verdict(
        "csr.requested-names",
        "Alternative names asked for",
        not odd,
        found,
        "none, or domain names without a wildcard (they are not copied into the certificate)",
        "RFC 5280, 4.2.1.6; house rule",
    )


def _note_extensions(csr: ParsedCsr) -> Verdict:
    return Verdict(
        "csr.requested-extensions",
        "Extensions asked for are left out",
        True,
        ", ".join(csr.requested_extensions),
        "none needed: the certificate's extensions come from its profile",
        "house rule",
        "note",
    )


def _judge_readable(csr: ParsedCsr) -> list[Verdict]:
    """Left out where the library refuses the whole request for a reason that has a rule of its own."""
    if csr.requested is None and (csr.version != 0 or not csr.algorithm.parameters_ok):
        return []
    return [_readable_verdict(csr.requested is not None)]


@cache
def _readable_verdict(readable: bool) -> Verdict:
    return Verdict(
        "csr.readable",
        "Attributes and extensions can be read",
        readable,
        "all of them" if readable else "an attribute or extension that is damaged or stands there twice",
        "attributes and extensions as the standard has them, each once",
        "RFC 2986, 4.1; RFC 2985, 5.4.2",
    )
