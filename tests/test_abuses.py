"""The tables of docs/security.md: every abuse of the threat model and every requirement has a test that exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
SECURITY = TESTS.parent / "docs" / "security.md"
# `portal/test_revoke.py`: sent_twice_it_revokes_once, any_other_word_changes_nothing
_NAMED = re.compile(r"`([a-z0-9_/]+\.py)`: ([a-z0-9_, ]+)")


@cache
def functions_in(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def rows(pattern: str) -> dict[str, str]:
    """The rows of the page's tables whose first column is like this, by that column."""
    found = re.findall(rf"^\| ({pattern}) \| (.*) \|$", SECURITY.read_text(encoding="utf-8"), re.MULTILINE)
    assert len({key for key, _ in found}) == len(found), "each stands once"
    return dict(found)


def named_in(row: str) -> list[tuple[str, str]]:
    """The file and function of each test that a row names."""
    return [(file, f"test_{name.strip()}") for file, names in _NAMED.findall(row) for name in names.split(",")]


@pytest.mark.parametrize("number", range(1, 28))
def test_each_abuse_is_tried(number: int) -> None:
    named = named_in(rows(r"\d+")[str(number)])
    assert named, "at least one test"
    missing = [f"{file}::{name}" for file, name in named if name not in functions_in(file)]
    assert missing == []


def test_there_are_twenty_seven() -> None:
    assert list(rows(r"\d+")) == [str(number) for number in range(1, 28)]


def test_each_requirement_has_a_test_or_a_reason() -> None:
    found = rows(r"\d+\.\d+\.\d+")
    assert len(found) > 90
    wrong = []
    for key, row in found.items():
        named = named_in(row)
        if not named and not re.search(r"\| (Not applicable|By|Not yet|No test)[: ]", row):
            wrong.append(f"{key} has neither a test nor a reason")
        wrong += [f"{key}: {file}::{name}" for file, name in named if name not in functions_in(file)]
    assert wrong == []
