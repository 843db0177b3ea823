"""Keystores that the browser's code builds, opened by the programs of its users."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.keystores import readers
from tests.keystores.browser_code import KEY_TYPES, BrowserCode
from tests.keystores.hierarchy import chain_for
from tests.keystores.readers import Contents

Reader = Callable[[Path, str], Contents]
READERS: dict[str, Reader] = {
    "openssl": readers.read_with_openssl,
    "keytool": readers.read_with_keytool,
    "java": readers.read_with_java,
    "cryptography": readers.read_with_cryptography,
    "node": readers.read_with_node,
}
LOWER_CASES = {"keytool", "java"}
EVERY_PRINTABLE_CHARACTER = "".join(map(chr, range(0x20, 0x7F)))


@dataclass(frozen=True)
class Case:
    """A keystore. Key type, password and alias do not touch each other: each value of each stands in some case."""

    key_type: str
    password: str
    alias: str


CASES = {
    "rsa-2048, 12 characters": Case("rsa-2048", "twelve chars", "a"),
    "rsa-3072, 1000 characters": Case("rsa-3072", (EVERY_PRINTABLE_CHARACTER * 11)[:1000], "Two words"),
    "rsa-4096, spaces at both ends": Case("rsa-4096", "  spaces at both ends  ", "dots.and-dashes_"),
    "ec-p256, signs of the shell": Case("ec-p256", "\"double\" 'single' `back` $\\ $(id) %PATH% !! #;&|<>", "A" * 64),
    "ec-p384, every printable character": Case("ec-p384", EVERY_PRINTABLE_CHARACTER, "0123456789" * 6 + "abcd"),
    "ec-p256, a backslash at the end": Case("ec-p256", "ends with a backslash\\", "UPPER Case 1"),
}


@pytest.fixture(scope="session")
def keystores(
    browser_code: BrowserCode, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Path, list[bytes]]]:
    """The path of each case's keystore, and its chain."""
    folder = tmp_path_factory.mktemp("keystores")
    built = {}
    for number, (name, case) in enumerate(CASES.items()):
        key = browser_code.make(case.key_type, case.password)
        chain = chain_for(key.csr)
        path = folder / f"{number}.p12"
        path.write_bytes(browser_code.build(key, chain, case.alias))
        built[name] = (path, chain)
    return built


def test_every_key_type_has_a_case() -> None:
    assert {case.key_type for case in CASES.values()} == set(KEY_TYPES)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", CASES)
def test_every_program_opens_every_keystore(
    keystores: dict[str, tuple[Path, list[bytes]]], name: str, reader: str
) -> None:
    path, chain = keystores[name]
    found = READERS[reader](path, CASES[name].password)
    assert found.key_matches
    assert found.chain == chain
    alias = CASES[name].alias
    if reader != "node":
        assert found.friendly_name == (alias.lower() if reader in LOWER_CASES else alias)


@pytest.mark.parametrize("reader", READERS)
def test_no_program_opens_it_with_another_password(keystores: dict[str, tuple[Path, list[bytes]]], reader: str) -> None:
    path, _ = keystores["rsa-2048, 12 characters"]
    with pytest.raises((readers.Refused, ValueError), match=r"(?i)password|mac|invalid"):
        READERS[reader](path, "another password")
