"""Fuzzers' seeds of every kind in the CSR box: always a judgement, never an exception, never slowly."""

from __future__ import annotations

import time

import pytest

from certauthority.x509.armor import certificate_ders
from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.errors import UnreadableInput
from tests import corpus
from tests.x509.requests_made import REQUIREMENT

FOLDERS = sorted(path.name for path in (corpus.ROOT / "fuzz").iterdir() if path.is_dir())
MOST_SECONDS = 2.0


def test_the_seeds_are_here() -> None:
    assert sum(len(list((corpus.ROOT / "fuzz" / folder).iterdir())) for folder in FOLDERS) >= 2290


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_seed_gets_a_judgement(folder: str) -> None:
    for path in sorted((corpus.ROOT / "fuzz" / folder).iterdir()):
        data = path.read_bytes()
        started = time.perf_counter()
        judgement = judge_csr(data, requirement=REQUIREMENT)
        assert time.perf_counter() - started < MOST_SECONDS, path.name
        assert judgement.verdicts, path.name
        assert not judgement.acceptable, path.name


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_seed_in_the_certificate_box_is_read_or_refused_by_code(folder: str) -> None:
    for path in sorted((corpus.ROOT / "fuzz" / folder).iterdir()):
        code, found = "", []
        try:
            found = certificate_ders(path.read_bytes())
        except UnreadableInput as refusal:
            code = refusal.code
        assert bool(found) != code.startswith("input."), path.name
