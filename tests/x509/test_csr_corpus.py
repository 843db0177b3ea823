"""Every CSR of the shared corpus gets the verdict that it should."""

from __future__ import annotations

from typing import Any

import pytest

from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.verdicts import broken
from tests import corpus

CASES = corpus.csr_cases()
# Cases of level "policy" that this project decides otherwise, as the portals' own rules say, and why.
_NO_P521 = "accepted curves are P-256 and P-384: the portal's rules name no other"
_NEVER_COPIED = "extensions asked for are never copied into a certificate, so one that is odd does no harm"
DECIDED_OTHERWISE = {
    "csr/cfssl/initca/testdata/ecdsa521.csr": _NO_P521,
    "csr/cfssl/local/testdata/ecdsa521.csr": _NO_P521,
    "csr/boulder/ct_poison_extension.der.csr": _NEVER_COPIED,
    "csr/boulder/ct_poison_extension_empty.der.csr": _NEVER_COPIED,
}
# The rule, or one of the rules, that has to be broken for each topic of what is to be refused.
RULES_OF_TOPIC = {
    "alg-params": {"sig.parameters"},
    "bad-country": {"dn.country"},
    "bad-pem": {"input.bad-pem"},
    "bad-signature": {"csr.signature"},
    "ca-true": {"csr.ca-request"},
    "cn-too-long": {"dn.upper-bounds"},
    "duplicate-extension": {"csr.readable"},
    "empty-subject": {"dn.empty"},
    "explicit-curve": {"key.curve"},
    "malformed-attribute": {"csr.readable"},
    "malformed-der": {"csr.readable", "input.unreadable"},
    "no-cn": {"dn.common-name"},
    "not-pem": {"input.unknown"},
    "oversize": {"input.too-large"},
    "private-key": {"input.public-key", "input.private-key"},
    "san-type": {"csr.requested-names"},
    "unsupported-key": {"key.type"},
    "unsupported-sigalg": {"sig.hash", "sig.scheme"},
    "version": {"csr.version"},
    "weak-hash": {"sig.hash"},
    "weak-key": {"key.weak"},
    "weak-key-size": {"key.rsa-size"},
    "wrong-label": {"input.certificate", "input.crl", "input.pkcs7"},
    "wrong-object": {"input.unknown"},
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_the_verdict_is_the_expected_one(case: dict[str, Any]) -> None:
    judgement = judge_csr(corpus.read(case["file"]))
    expected = case["expect"] == "accept"
    if case["file"] in DECIDED_OTHERWISE:
        expected = not expected
    assert judgement.acceptable == expected, [(v.id, v.found) for v in broken(judgement.verdicts)]


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case["expect"] == "refuse" and case["file"] not in DECIDED_OTHERWISE],
    ids=lambda case: case["file"],
)
def test_the_reason_is_the_true_one(case: dict[str, Any]) -> None:
    rules = {verdict.id for verdict in broken(judge_csr(corpus.read(case["file"])).verdicts)}
    assert rules & RULES_OF_TOPIC[case["topic"]]


def test_nothing_that_must_be_so_is_decided_otherwise() -> None:
    levels = {case["file"]: case["level"] for case in CASES}
    assert {levels[file] for file in DECIDED_OTHERWISE} == {"policy"}


def test_the_whole_corpus_ran(capsys: pytest.CaptureFixture[str]) -> None:
    accepted = sum(case["expect"] == "accept" for case in CASES)
    refused = sum(case["expect"] == "refuse" for case in CASES)
    with capsys.disabled():
        print(f"\nCSR corpus: {accepted} to accept, {refused} to refuse, {len(DECIDED_OTHERWISE)} decided otherwise")
    assert len(CASES) >= 170
    assert accepted >= 55
    assert refused >= 115


@pytest.mark.parametrize("file", sorted(path.name for path in (corpus.ROOT / "found").glob("*.der")))
def test_what_fuzzing_found_is_judged_and_not_accepted(file: str) -> None:
    assert not judge_csr(corpus.read(f"found/{file}")).acceptable
