"""Path validation against the cases of others: x509-limbo and BoringSSL's chains.

Every case is judged. Where the decision differs, the case stands in a table below with the reason; a case in a table
that no longer differs fails as well, so that an update of the library shows.
"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from certauthority.x509.armor import certificate_ders
from certauthority.x509.certificate_rules import CertificateJudgement, judge_certificate
from certauthority.x509.certificates import CertificateFacts, read_certificate
from certauthority.x509.chain import ChainError, verified_chain
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.identifiers import CLIENT_PURPOSES
from certauthority.x509.verdicts import broken
from tests import corpus
from tests.x509.certificates_made import pem

SECONDS = 2
PURPOSE_RULES = {"cert.purpose", "chain.purpose"}
SERVER_PURPOSES = frozenset({"serverAuth", "anyExtendedKeyUsage"})
# Limbo's cases without a time of their own are valid for centuries.
SOME_TIME = datetime(2026, 11, 21, tzinfo=UTC)

NAMES = "the names of a server are compared with the host that was called; a client has no such name"
CRLS = "an uploaded certificate's CRL is not read: only what was revoked here counts, which is checked elsewhere"
HINTS = "key identifiers help to find the issuer; trust rests on names and signatures, which are checked"
CA_LEAF = "a certificate of a CA is refused as a leaf (cert.is-ca)"
DEPTH = "limbo's caller sets the depth of the chain; here it is fixed"
# Accepted though limbo expects a failure, leaving the purpose aside.
LIMBO_ACCEPTED = {
    "crl::revoked-certificate-with-crl": CRLS,
    "crl::crlnumber-missing": CRLS,
    "crl::crlnumber-critical": CRLS,
    "crl::issuer-missing-crlsign": CRLS,
    "pathlen::max-chain-depth-0-exhausted": DEPTH,
    "pathlen::max-chain-depth-1-exhausted": DEPTH,
    "rfc5280::aki::leaf-missing-aki": HINTS,
    "rfc5280::aki::intermediate-missing-aki": HINTS,
    "rfc5280::aki::cross-signed-root-missing-aki": HINTS,
    "rfc5280::ski::root-missing-ski": HINTS,
    "rfc5280::ski::intermediate-missing-ski": HINTS,
    "webpki::aki::root-with-aki-all-fields": HINTS,
    "webpki::aki::root-with-aki-ski-mismatch": HINTS,
    "rfc5280::eku::ee-wrong-eku": "clientAuth alone is wrong for the server of the case, and right for a client",
    "webpki::eku::ee-anyeku": "anyExtendedKeyUsage is accepted, as portals.md says",
    "webpki::eku::ee-critical-eku": "a critical extended key usage is allowed by RFC 5280, 4.2.1.12",
    "webpki::eku::ee-without-eku": "refused as well, by cert.purpose, which this comparison leaves aside",
    "webpki::eku::root-has-eku": "a trusted CA may list purposes, if clientAuth is not left out (chain.purpose)",
    "rfc5280::nc::permitted-dns-match-noncritical": "the constraints are enforced, critical or not",
    "rfc5280::pc::ica-noncritical-pc": "no policies are asked for, so that their constraints constrain nothing",
    "rfc5280::san::underscore-dns": NAMES,
    "rfc5280::san::ip-in-dns": NAMES,
}
# The same for whole groups.
LIMBO_ACCEPTED_GROUPS = {"webpki::cn::": NAMES, "webpki::san::": NAMES}
# Refused though limbo expects a success, leaving the purpose aside.
LIMBO_REFUSED = {
    "cve::cve-2024-0567": "the leaf has no subject, which is the identity of a client (dn.empty)",
    "pathlen::validation-ignores-pathlen-in-leaf": CA_LEAF,
    "rfc5280::ca-as-leaf": CA_LEAF,
    "pathlen::self-issued-certs-pathlen": "the library counts self-issued CAs as well, which is stricter",
    "rfc5280::nc::permitted-dn-match": "the library refuses name constraints on directory names, which is stricter",
    "online::fastly.com": "its root has the serial number 0, which RFC 5280, 4.1.2.2 forbids",
}
# Server chains that are wholly in order for servers, but not for us.
SERVER_CHAINS_REFUSED = LIMBO_REFUSED.keys() - {"cve::cve-2024-0567"} | {"rfc5280::eku::ee-without-eku"}


@cache
def limbo() -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in json.loads(corpus.read("path/limbo.json"))["testcases"]}


def when(case: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(case["validation_time"]) if case["validation_time"] else SOME_TIME


def one_der(text: str) -> bytes:
    (der,) = certificate_ders(text.encode())
    return der


@cache
def judged(identifier: str) -> tuple[CertificateJudgement, float]:
    case = limbo()[identifier]
    trusted = [one_der(text) for text in case["trusted_certs"]]
    data = "\n".join([case["peer_certificate"], *case["untrusted_intermediates"]]).encode()
    started = time.perf_counter()
    judgement = judge_certificate(data, trusted=trusted, at=when(case))
    return judgement, time.perf_counter() - started


def is_path_accepted(identifier: str) -> bool:
    """Whether every rule is kept; in server cases those about the purpose aside, which a server's chain breaks."""
    judgement, _ = judged(identifier)
    ids = {verdict.id for verdict in broken(judgement.verdicts)}
    if limbo()[identifier]["validation_kind"] == "CLIENT":
        return judgement.acceptable
    return not ids - PURPOSE_RULES


def known_difference(identifier: str) -> bool:
    if any(identifier.startswith(group) for group in LIMBO_ACCEPTED_GROUPS):
        # The group holds good certificates and broken ones: what differs is that the broken ones are accepted.
        return limbo()[identifier]["expected_result"] == "FAILURE" and is_path_accepted(identifier)
    return identifier in LIMBO_ACCEPTED or identifier in LIMBO_REFUSED


@pytest.mark.parametrize("identifier", limbo())
def test_limbo(identifier: str) -> None:
    expected = limbo()[identifier]["expected_result"] == "SUCCESS"
    _, seconds = judged(identifier)

    assert is_path_accepted(identifier) == (expected ^ known_difference(identifier))
    assert seconds < SECONDS


SERVER_SUCCESSES = [
    identifier
    for identifier, case in limbo().items()
    if case["validation_kind"] == "SERVER" and case["expected_result"] == "SUCCESS"
]


@pytest.mark.parametrize("identifier", SERVER_SUCCESSES)
def test_good_server_chains_of_limbo_pass_path_validation_for_servers(identifier: str) -> None:
    case = limbo()[identifier]

    def verify() -> tuple[CertificateFacts, ...]:
        leaf, *others = (
            read_certificate(one_der(t)) for t in [case["peer_certificate"], *case["untrusted_intermediates"]]
        )
        trusted = [read_certificate(one_der(text)) for text in case["trusted_certs"]]
        at = when(case).replace(microsecond=0)
        return verified_chain(leaf, others, trusted, at=at, purposes=SERVER_PURPOSES)

    if identifier in SERVER_CHAINS_REFUSED:
        with pytest.raises((ChainError, UnreadableInput)):
            verify()
    else:
        assert verify()


@pytest.mark.parametrize("identifier", limbo())
def test_what_is_for_servers_alone_is_never_accepted(identifier: str) -> None:
    judgement, _ = judged(identifier)

    if judgement.leaf and CLIENT_PURPOSES.isdisjoint(judgement.leaf.extended_key_usage):
        assert not judgement.acceptable
        assert {verdict.id for verdict in broken(judgement.verdicts)} & {"cert.purpose", "cert.root-only"}


def test_limbo_was_judged_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    cases = limbo()
    different = [identifier for identifier in cases if known_difference(identifier)]
    clients = [identifier for identifier, case in cases.items() if case["validation_kind"] == "CLIENT"]

    with capsys.disabled():
        print(f"\nlimbo: {len(cases)} cases, {len(cases) - len(different)} as expected, {len(different)} in the tables")
    assert len(cases) >= 208
    assert len(clients) >= 10
    assert not set(clients) & set(different)
    assert len(different) <= 53


# BoringSSL: the chain's last certificate is the trusted one. "DEFAULT" is the time that its own tests use.
BORINGSSL = corpus.ROOT / "path/boringssl-chains"
DEFAULT_TIME = datetime(2021, 10, 5, 12, tzinfo=UTC)
STRICT = (
    "BoringSSL's strict mode wants clientAuth by name in every certificate, and no other purpose; portals.md does not"
)
BORINGSSL_ACCEPTED = {
    "target-eku-any/clientauth-strict-leaf": STRICT,
    "target-eku-any/clientauth-strict": STRICT,
    "target-eku-clientauth/clientauth-strict": STRICT,
    "target-eku-many/clientauth-strict-leaf": STRICT,
    "target-eku-many/clientauth-strict": STRICT,
}
BORINGSSL_REFUSED = {
    "target-eku-none/clientauth": "a missing extended key usage is refused, as portals.md says",
}


def fields(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z_]+): (.+)$", path.read_text(), re.MULTILINE))


def identifier(path: Path) -> str:
    return str(path.relative_to(BORINGSSL).with_suffix(""))


def errors(path: Path) -> list[str]:
    return re.findall(r"^ERROR: (.*)$", path.read_text(), re.MULTILINE)


CASES = sorted(BORINGSSL.glob("*/*.test"))
CLIENT_CASES = [path for path in CASES if fields(path)["key_purpose"].startswith("CLIENT_AUTH")]
# Those whose error is about more than the purpose; MLS has rules of its own.
OTHER_ERRORS = [
    path
    for path in CASES
    if fields(path)["last_cert_trust"].startswith("TRUSTED_ANCHOR")
    and fields(path)["key_purpose"] != "MLS_CLIENT_AUTH"
    and any("extended key usage" not in error for error in errors(path))
]


def judge_chain(path: Path) -> CertificateJudgement:
    chain = certificate_ders((path.parent / fields(path)["chain"]).read_bytes())
    time_text = fields(path)["utc_time"]
    at = DEFAULT_TIME if time_text == "DEFAULT" else datetime.strptime(f"{time_text}+0000", "%y%m%d%H%M%SZ%z")
    started = time.perf_counter()
    judgement = judge_certificate(pem(*(chain[:-1] or chain)), trusted=chain[-1:], at=at)
    assert time.perf_counter() - started < SECONDS
    return judgement


@pytest.mark.parametrize("path", CLIENT_CASES, ids=identifier)
def test_boringssl_chains_for_clients(path: Path) -> None:
    differs = identifier(path) in BORINGSSL_ACCEPTED or identifier(path) in BORINGSSL_REFUSED

    assert judge_chain(path).acceptable == ((not errors(path)) ^ differs)


@pytest.mark.parametrize("path", OTHER_ERRORS, ids=identifier)
def test_what_boringssl_refuses_for_another_reason_than_the_purpose_is_refused(path: Path) -> None:
    assert {verdict.id for verdict in broken(judge_chain(path).verdicts)} - PURPOSE_RULES


def test_boringssl_was_judged_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nBoringSSL: {len(CLIENT_CASES)} client cases, {len(OTHER_ERRORS)} others that must be refused")
    assert len(CLIENT_CASES) >= 26
    assert len(OTHER_ERRORS) >= 50
