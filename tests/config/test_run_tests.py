"""`tools/run_tests.py`: what gets a second run, and what decides in the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.conftest import ROOT

HANG_SECONDS = 120
PASSES = "def test_good() -> None:\n    pass\n"
FAILS = "def test_bad() -> None:\n    raise AssertionError\n"
PASSES_LATER = """
from pathlib import Path

def test_hasty() -> None:
    seen = Path(__file__).with_name("seen")
    was_seen = seen.exists()
    seen.touch()
    assert was_seen
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A project with tests of its own, which knows nothing of this one."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_good.py").write_text(PASSES)
    return tmp_path


def run(suite: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    strangers = ("PYTEST_", "DJANGO_", "COV_")
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / "run_tests.py"), "-p", "no:django", *arguments],
        cwd=suite,
        env={name: value for name, value in os.environ.items() if not name.startswith(strangers)},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )


def test_where_all_pass_there_is_one_run(suite: Path) -> None:
    done = run(suite)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "again" not in done.stdout


def test_what_fails_again_fails_the_run(suite: Path) -> None:
    (suite / "test_bad.py").write_text(FAILS)
    done = run(suite)
    assert done.returncode == 1
    assert done.stdout.count("FAILED test_bad.py::test_bad") == 2
    assert "passed alone" not in done.stdout


def test_what_passes_alone_is_named_at_the_end(suite: Path) -> None:
    (suite / "test_hasty.py").write_text(PASSES_LATER)
    done = run(suite)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(
        "These failed beside others and passed alone. Find out why:\n  test_hasty.py::test_hasty\n"
    )
    assert done.stdout.count("test_good") == 0, "only what failed is run again"


def test_more_than_three_failures_get_no_second_run(suite: Path) -> None:
    for number in range(4):
        folder = suite / f"part{number}"
        folder.mkdir()
        (folder / f"test_hasty{number}.py").write_text(PASSES_LATER)
    done = run(suite)
    assert done.returncode == 1
    assert "again" not in done.stdout
    assert "4 failed" in done.stdout


def test_three_get_one(suite: Path) -> None:
    for number in range(3):
        folder = suite / f"part{number}"
        folder.mkdir()
        (folder / f"test_hasty{number}.py").write_text(PASSES_LATER)
    assert run(suite).returncode == 0


def test_another_exit_code_than_that_of_failed_tests_stays(suite: Path) -> None:
    """Such as the one that tests/conftest.py gives a run in CI that has left tests out."""
    (suite / "test_hasty.py").write_text(PASSES_LATER)
    (suite / "conftest.py").write_text("def pytest_sessionfinish(session) -> None:\n    session.exitstatus = 20\n")
    done = run(suite)
    assert done.returncode == 20
    assert "again" not in done.stdout


def test_arguments_choose_the_tests(suite: Path) -> None:
    (suite / "test_bad.py").write_text(FAILS)
    assert run(suite, "-k", "good").returncode == 0
