"""One company’s rules for an application: judged, and shown as commands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from certauthority.x509.attribute_rules import AttributeRule, DnRules, RenewalRules
from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.errors import ProfileError
from certauthority.x509.names import read_name
from certauthority.x509.ready_commands import default_name, ready_commands
from certauthority.x509.request_commands import corrected_command, request_commands
from certauthority.x509.verdicts import broken
from tests.x509.requests_made import csr, name, rsa_key
from tests.x509.rules_made import (
    CLIENT,
    COMPANY,
    COUNTRY,
    FIXED_NAME,
    TEAM,
    UNIQUE,
    UTF8,
    K,
    broken_rules,
    rules,
    subject,
)


def test_a_fitting_subject_keeps_every_rule() -> None:
    verdicts = rules().judge(subject())
    assert [verdict.id for verdict in verdicts] == [
        "dn.rule-c",
        "dn.rule-o",
        "dn.rule-ou",
        "dn.rule-cn",
        "dn.cn-url",
        "dn.other-attributes",
        "dn.repeated",
    ]
    assert not broken(verdicts)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"C": ""}, []),
        ({"C": "GB"}, ["dn.rule-c"]),
        ({"O": "harbour & vale bank"}, ["dn.rule-o"]),
        ({"OU": ""}, ["dn.rule-ou"]),
        ({"CN": "x", "O": "y", "C": "DE"}, ["dn.rule-c", "dn.rule-o", "dn.rule-cn"]),
        ({"L": "Dublin"}, ["dn.other-attributes"]),
        ({"CN": "www.a-Client-PROD-245901"}, ["dn.cn-url"]),
    ],
    ids=str,
)
def test_every_broken_rule_is_told_at_once(values: dict[str, str], found: list[str]) -> None:
    assert broken_rules(rules(), subject(**values)) == found


def test_a_forbidden_attribute_is_named_once_and_repeated_ones_too() -> None:
    made = rules(CLIENT, COMPANY, TEAM, COUNTRY, AttributeRule("L", K.FORBIDDEN, "", False, 128))
    (verdict,) = broken(made.judge(subject(L="Dublin")))
    assert (verdict.id, verdict.found, verdict.wanted) == ("dn.rule-l", "Dublin", "no L")
    parts = [("2.5.4.10", UTF8, b"Harbour & Vale Bank"), ("2.5.4.11", UTF8, b"a")]
    common_name = ("2.5.4.3", UTF8, b"1-Client-PROD-245901")
    assert broken_rules(made, read_name(name(*[[part] for part in parts], [common_name], [common_name]))) == [
        "dn.rule-cn",
        "dn.repeated",
    ]
    assert broken_rules(made, read_name(name(parts, [common_name]))) == ["dn.repeated"]


def test_an_exact_common_name_may_look_like_anything() -> None:
    made = rules(COMPANY, FIXED_NAME)
    assert [verdict.id for verdict in made.judge(subject(C="", OU="", CN="PROD XBS"))] == [
        "dn.rule-o",
        "dn.rule-cn",
        "dn.other-attributes",
        "dn.repeated",
    ]


def test_the_requirement_is_told_in_words_for_every_label() -> None:
    made = rules()
    assert made.requirement_text("O") == "Harbour & Vale Bank (the company’s name)"
    assert made.requirement_text("CN").startswith("<unique>-Client-PROD-245901, where <unique> is made of letters")
    assert made.requirement_text("ST") == "no ST"
    assert made.requirement_text("\u202e") == "no [U+202E]"


@pytest.mark.parametrize(
    "changes",
    [
        {"attributes": ()},
        {"attributes": (COMPANY,)},
        {"attributes": (CLIENT, CLIENT)},
        {"key_types": ()},
        {"key_types": ("RSA 1024",)},
        {"company_name": " "},
        {"company_name": "x" * 65},
        {"company_name": "a\x00"},
        {"cid": "1"},
        {"cid": "<cid>00"},
        {"country": "ie"},
        {"environment_code": "mtf"},
    ],
    ids=str,
)
def test_rules_that_nobody_could_meet_are_not_made(changes: dict[str, object]) -> None:
    values: dict[str, object] = {
        "attributes": (CLIENT,),
        "company_name": "Acme",
        "cid": "123456",
        "country": "",
        "environment_code": "MTF",
        "key_types": ("EC P-256",),
    }
    with pytest.raises(ProfileError):
        DnRules(**{**values, **changes})  # type: ignore[arg-type]  # some of them are wrong on purpose


def test_the_types_of_key_are_judged() -> None:
    made = rules(keys=("EC P-384", "RSA 4096"))
    judgement = judge_csr(csr(subject().der), requirement=made)
    (verdict,) = broken(judgement.verdicts)
    assert verdict.id == "key.application"
    assert (verdict.title, verdict.found, verdict.wanted) == (
        "Type of key for this application",
        "EC P-256",
        "EC P-384 or RSA 4096",
    )
    assert judge_csr(csr(subject().der), requirement=rules()).acceptable


def test_a_key_that_nobody_may_have_is_refused_once() -> None:
    judgement = judge_csr(csr(subject().der, key=rsa_key(1024)), requirement=rules(keys=("EC P-384",)))
    assert [verdict.id for verdict in broken(judgement.verdicts)] == ["key.rsa-size"]


def test_commands_make_an_allowed_key_and_a_corrected_one_a_new_one() -> None:
    made = rules(keys=("EC P-384", "RSA 4096"))
    commands = {command.id: command.text for command in request_commands(made, alias="a", unique=UNIQUE)}
    assert "ec_paramgen_curve:P-384" in commands["openssl"]
    assert "-keyalg EC -keysize 384" in commands["keytool"]
    assert "ECDSA_P384" in commands["powershell"]
    judgement = judge_csr(csr(subject().der), requirement=made)
    corrected = corrected_command(judgement, made, alias="a", unique=UNIQUE)
    assert "ec_paramgen_curve:P-384" in corrected.text
    assert "CN=1768953600-Client-PROD-245901" in corrected.text
    assert "-newkey rsa:2048" in request_commands(rules(), alias="a", unique=UNIQUE)[0].text


def test_files_are_named_after_the_application() -> None:
    assert default_name(rules(), unique="7") == "transaction-api-prod-7"
    first = ready_commands(rules(), alias="", unique="7")[0]
    assert (first.key_file, first.mark) == ("transaction-api-prod-7.key", "7-Client-PROD-245901")


def test_a_unique_part_that_cannot_be_is_refused_where_there_is_one() -> None:
    with pytest.raises(ProfileError):
        request_commands(rules(), alias="a", unique="a b")
    assert request_commands(rules(COMPANY, FIXED_NAME), alias="a", unique="a b")


def run(text: str, folder: Path) -> None:
    done = subprocess.run(["bash", "-c", text], cwd=folder, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("company", ["Harbour & Vale Bank", 'O\'Neil "&" Söns/Co+X=1', "# é , ; \\ $HOME `id`"])
def test_the_shown_command_makes_a_request_that_is_accepted(tmp_path: Path, company: str) -> None:
    made = rules(company=company, keys=("EC P-256",))
    run(request_commands(made, alias="new", unique=UNIQUE)[0].text, tmp_path)
    assert judge_csr((tmp_path / "new.csr").read_bytes(), requirement=made).acceptable


def test_the_shown_command_makes_a_renewal_that_is_accepted(tmp_path: Path) -> None:
    made = RenewalRules(rules(keys=("EC P-256",)), subject())
    run(request_commands(made, alias="new", unique=UNIQUE)[0].text, tmp_path)
    judgement = judge_csr((tmp_path / "new.csr").read_bytes(), requirement=made)
    assert not broken(judgement.verdicts)
    assert judgement.csr
    assert (
        judgement.csr.subject.text
        == f"CN={UNIQUE}-Client-PROD-245901,OU=Cross-Border Payouts,O=Harbour & Vale Bank,C=IE"
    )
