"""manage.py inspect_certificate: the page's judgement, with exit codes for scripts."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from certauthority import issuance, policy
from certauthority.authorities import chain_of
from certauthority.models import Authority
from certauthority.models.authority import AuthorityPurpose
from certauthority.records import facts_of
from certauthority.x509.export import pem_bundle
from certauthority.x509.requests import build_request, new_private_key
from certauthority.x509.subject_rules import SubjectRequirement

pytestmark = pytest.mark.django_db


@pytest.fixture
def kmp_file(authorities: dict[str, Authority], tmp_path: Path) -> Path:
    requirement = SubjectRequirement("MTF", "123456", "Acme Payments Ltd", "Checkout API")
    csr = build_request(requirement.example_subject("1"), new_private_key())
    judgement = policy.judge_request(csr, requirement=requirement, holder="acme")
    with transaction.atomic():
        certificate = issuance.issue(judgement, purpose=AuthorityPurpose.KMP, now=timezone.now())
    path = tmp_path / "kmp.pem"
    path.write_text(facts_of(certificate).pem)
    return path


def exit_code(*arguments: str) -> int:
    try:
        call_command("inspect_certificate", *arguments)
    except SystemExit as error:
        return int(error.code or 0)
    except CommandError as error:
        return error.returncode
    return 0


def test_a_certificate_of_the_kmp_ca_is_acceptable(kmp_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(str(kmp_file), "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["acceptable"] is True
    assert printed["subject"] == "CN=1-Client-MTF-123456,OU=Checkout API,O=Acme Payments Ltd"
    assert printed["key"]["description"] == "EC P-256"
    assert {"id", "ok", "found", "wanted", "source"} <= set(printed["rules"][0])


def test_other_trust_than_the_sites_can_be_given(
    kmp_file: Path, authorities: dict[str, Authority], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, developers = tmp_path / "root.pem", tmp_path / "developers.pem"
    root.write_text(pem_bundle(chain_of(authorities["root"])))
    developers.write_text(pem_bundle(chain_of(authorities["developers"])[:1]))
    assert exit_code(str(kmp_file), "--trust", str(developers)) == 1
    assert "chain.trusted" in capsys.readouterr().out
    chain = tmp_path / "chain.pem"
    chain.write_text(kmp_file.read_text() + pem_bundle(chain_of(authorities["kmp"])))
    assert exit_code(str(chain), "--trust", str(root), "--trust", str(developers)) == 0


def test_another_moment_can_be_given(kmp_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = timezone.now() + timedelta(days=500)
    assert exit_code(str(kmp_file), "--at", later.isoformat()) == 1
    assert "BROKEN cert.expired" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.pem"], "missing.pem cannot be read: No such file or directory."),
        (["{file}", "--at", "tomorrow"], "--at 'tomorrow' is no ISO 8601 time."),
        (["{file}", "--trust", "{text}"], "readme.txt: "),
    ],
)
def test_what_else_goes_wrong_exits_with_2(arguments: list[str], message: str, kmp_file: Path, tmp_path: Path) -> None:
    text = tmp_path / "readme.txt"
    text.write_text("no certificate")
    with pytest.raises(CommandError) as error:
        call_command("inspect_certificate", *[part.format(file=kmp_file, text=text) for part in arguments])
    assert error.value.returncode == 2
    assert message in str(error.value)


def test_garbage_is_not_acceptable(authorities: dict[str, Authority], tmp_path: Path) -> None:
    path = tmp_path / "garbage"
    path.write_bytes(b"\x30\x82\xff\xff")
    assert exit_code(str(path)) == 1


def test_a_huge_file_is_refused_unread(authorities: dict[str, Authority], tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    assert exit_code(str(path)) == 1
