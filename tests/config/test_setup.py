"""`tools/setup.sh`: which Python it takes, and what it says where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.config.conftest import ROOT

NEEDED = ("dirname", "sh")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine without any Python: a project folder, and a `bin` with the few programs that the script calls."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "setup.sh", tmp_path / "tools")
    (tmp_path / "bin").mkdir()
    for name in NEEDED:
        program = shutil.which(name)
        assert program is not None
        (tmp_path / "bin" / name).symlink_to(program)
    return tmp_path


def pretend_python(path: Path, version: str) -> None:
    """Put a program there that answers as an old Python does."""
    path.write_text(f'#!/bin/sh\ncase "$2" in *sys.exit*) exit 1;; *) echo {version};; esac\n')
    path.chmod(0o755)


def run_setup(machine: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "tools/setup.sh", "requirements.txt"],
        cwd=machine,
        env={"PATH": str(machine / "bin")} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_old_python_is_named_in_one_sentence(machine: Path) -> None:
    pretend_python(machine / "bin" / "python3", "3.9.2")
    done = run_setup(machine)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "mTLS Rehearsal needs Python 3.11 or later; python3 here is 3.9.2. "
        "Install a later one, or name it: make run PYTHON=/path/to/python3.12\n"
    )


def test_no_python_at_all_is_said_in_one_sentence(machine: Path) -> None:
    done = run_setup(machine)
    assert done.returncode == 1
    assert "no python3 was found here" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_given_python_that_is_too_old_is_named(machine: Path) -> None:
    pretend_python(machine / "old", "3.8.18")
    done = run_setup(machine, PYTHON=str(machine / "old"))
    assert done.returncode == 1
    assert f"{machine}/old here is 3.8.18" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_given_python_that_is_none_is_named(machine: Path) -> None:
    done = run_setup(machine, PYTHON="/no/such/python")
    assert done.returncode == 1
    assert done.stderr == "PYTHON=/no/such/python is no Python that can be run. Name one of version 3.11 or later.\n"


@pytest.mark.parametrize(
    ("given", "expected"),
    [((), "sh tools/stack.sh"), (("STATE_DIR=/some where/else",), 'sh tools/stack.sh "/some where/else"')],
    ids=["its own", "another"],
)
def test_make_stack_takes_a_directory(given: tuple[str, ...], expected: str) -> None:
    # The tests may run under make themselves.
    environment = {name: value for name, value in os.environ.items() if name != "STATE_DIR" and "MAKE" not in name}
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "stack", *given],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1].strip() == expected
