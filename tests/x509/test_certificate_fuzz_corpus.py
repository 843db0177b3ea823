"""Thousands of odd certificates, fuzzers' finds among them: each is read or refused, and none is accepted."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from certauthority.x509.certificate_rules import judge_certificate
from certauthority.x509.certificates import read_certificate
from certauthority.x509.errors import UnreadableInput
from tests import corpus
from tests.x509.certificates_made import NOW, kmp, root

FOLDERS = {
    "fuzz/openssl-x509": 849,
    "fuzz/boringssl-parse-certificate": 570,
    "fuzz/boringssl-read-pem": 97,
    "fuzz/openssl-crl": 413,
    "certs": 342,
    "pem": 40,
    "keys": 20,
    "ocsp": 90,
}
SECONDS = 2


def files(folder: str) -> list[Path]:
    return sorted(path for path in (corpus.ROOT / folder).rglob("*") if path.is_file())


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_is_judged_in_time_and_none_is_accepted(folder: str) -> None:
    paths = files(folder)

    for path in paths:
        started = time.perf_counter()
        judgement = judge_certificate(path.read_bytes(), trusted=[kmp().der, root().der], at=NOW)

        assert not judgement.acceptable, path
        assert judgement.verdicts, path
        assert time.perf_counter() - started < SECONDS, path
    assert len(paths) >= FOLDERS[folder]


def test_every_file_is_read_as_der_or_refused() -> None:
    for path in files("fuzz"):
        try:
            facts = read_certificate(path.read_bytes())
        except UnreadableInput:
            continue
        assert facts.der == path.read_bytes(), path
        assert facts.subject.text is not None, path
        assert len(facts.subject.digest) == 64, path
