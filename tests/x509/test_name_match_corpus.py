"""BoringSSL's names, by the oracle of the corpus' MANIFEST.md."""

from __future__ import annotations

import itertools

import pytest

from certauthority.x509.armor import pem_blocks
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.names import read_name
from tests import corpus

FOLDER = corpus.ROOT / "dn" / "boringssl-name-match"
NAMES = sorted(path.stem for path in FOLDER.glob("*.pem"))
STRING_TYPES = ("PRINTABLESTRING", "UTF8", "BMPSTRING", "UNIVERSALSTRING")
MANGLED = ("unmangled", "case_swap", "extra_whitespace")
TWELVE = [f"ascii-{kind}-{mangle}" for kind, mangle in itertools.product(STRING_TYPES, MANGLED)]


def digest(stem: str) -> str:
    (block,) = [block for block in pem_blocks((FOLDER / f"{stem}.pem").read_bytes()) if block.label == "NAME"]
    assert block.der
    return read_name(block.der).digest


def test_the_whole_set_is_here() -> None:
    assert len(NAMES) == 82


@pytest.mark.parametrize("suffix", ["", "-extra_attr", "-extra_rdn"])
def test_the_twelve_forms_of_a_name_are_the_same(suffix: str) -> None:
    assert len({digest(stem + suffix) for stem in TWELVE}) == 1


def test_an_added_attribute_or_part_makes_another_name() -> None:
    assert len({digest(TWELVE[0] + suffix) for suffix in ("", "-extra_attr", "-extra_rdn")}) == 3


@pytest.mark.parametrize("stem", [stem for stem in NAMES if "dupe" in stem])
def test_a_repeated_type_in_one_part_is_refused(stem: str) -> None:
    with pytest.raises(UnreadableInput):
        digest(stem)


@pytest.mark.parametrize("stem", [stem for stem in NAMES if "T61STRING" in stem])
def test_a_t61_string_is_refused(stem: str) -> None:
    with pytest.raises(UnreadableInput):
        digest(stem)


@pytest.mark.parametrize("stem", [stem for stem in NAMES if stem.startswith("invalid-")])
def test_an_invalid_name_is_refused(stem: str) -> None:
    with pytest.raises(UnreadableInput):
        digest(stem)


@pytest.mark.parametrize("group", ["ascii-PRINTABLESTRING-rdn_sorting", "unicode_bmp-", "unicode_supplementary-"])
def test_these_are_the_same_name(group: str) -> None:
    stems = [stem for stem in NAMES if stem.startswith(group)]
    assert len(stems) >= 2
    assert len({digest(stem) for stem in stems}) == 1


@pytest.mark.parametrize("stem", ["valid-Name-empty", "valid-minimal", "custom-custom-normalized"])
def test_a_valid_name_is_read(stem: str) -> None:
    assert len(digest(stem)) == 64
