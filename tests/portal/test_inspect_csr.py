"""manage.py inspect_csr: the pages' judgement, with exit codes for scripts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from certauthority.models import Authority
from certauthority.x509.requests import build_request, new_private_key
from tests.factories import make_credential, make_csr, make_project

ROOT = Path(__file__).resolve().parents[2]


def inspect(path: Path, *arguments: str) -> int:
    try:
        call_command("inspect_csr", str(path), *arguments)
    except SystemExit as error:
        return int(error.code or 0)
    return 0


@pytest.fixture
def csr_file(tmp_path: Path) -> Path:
    path = tmp_path / "request.csr"
    path.write_bytes(build_request([("CN", "anything"), ("O", "Anybody")], new_private_key()))
    return path


def test_without_a_project_only_structure_signature_and_key_count(
    csr_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inspect(csr_file, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["acceptable"] is True
    assert printed["signature_algorithm"] == "ecdsa-with-SHA256"
    assert "dn.cn-pattern" not in [rule["id"] for rule in printed["rules"]]


@pytest.mark.django_db
def test_with_a_project_its_rules_count(
    authorities: dict[str, Authority], csr_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project()
    of_project = ("--project", str(project.pk), "--environment", "sandbox")
    assert inspect(csr_file, *of_project) == 1
    assert "BROKEN dn.cn-pattern" in capsys.readouterr().out
    csr_file.write_bytes(make_csr(project, unique="1"))
    assert inspect(csr_file, *of_project) == 0
    make_credential(project, csr=make_csr(project, unique="1"))
    assert inspect(csr_file, *of_project) == 1
    assert "BROKEN dn.duplicate" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--project", str(uuid4())], "Give --project and --environment together"),
        (["--project", "checkout", "--environment", "sandbox"], "'checkout' is no UUID"),
        (["--project", str(uuid4()), "--environment", "sandbox"], "There is no project"),
    ],
)
def test_what_else_goes_wrong_exits_with_2(arguments: list[str], message: str, csr_file: Path) -> None:
    with pytest.raises(CommandError, match=message) as error:
        call_command("inspect_csr", str(csr_file), *arguments)
    assert error.value.returncode == 2


def test_hostile_characters_do_not_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "request.csr"
    path.write_bytes(build_request([("CN", "a\x1b[31m\u202eb")], new_private_key()))
    assert inspect(path) == 1
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\u202e" not in printed


def test_the_command_line_exits_as_it_should(csr_file: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    for file, code in ((csr_file, 0), (tmp_path / "note.txt", 1), (tmp_path / "absent", 2)):
        command = [sys.executable, "manage.py", "inspect_csr", str(file)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        assert ended.returncode == code, ended.stderr
