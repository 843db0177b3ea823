"""The commands are run, as people would paste them, and what they make is judged."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.errors import ProfileError
from certauthority.x509.request_commands import (
    KEY_TYPES,
    KeyType,
    RequestCommand,
    corrected_command,
    file_name,
    request_commands,
)
from certauthority.x509.subject_rules import SubjectRequirement
from certauthority.x509.verdicts import broken
from tests.x509.requests_made import REQUIREMENT, SHA1_WITH_RSA, csr, name, rsa_key

UNIQUE = "1700000000"
ODD_NAMES = [
    ("Acme Payments Ltd", "Checkout API"),
    ('O\'Neil & Söns, "A/B+C" \\ Co.', "# =x; <y> 100% $HOME `id` $(id) !1"),
    (" both  edges ", "日本 Ελλάδα /C=XX/ a=b"),
    ("ends with \\", "-x 'quoted' ''"),
    ("é é  é ", " a é b  \u00a0é"),
    ("'@ %strkey% \u2019", "\\n \\2C ~ * ? [a] {b} | & ;"),
]
# The default locale of a server: nothing may depend on it.
ENVIRONMENT = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "HOME": "/nonexistent"}


def requirement(organisation: str, unit: str) -> SubjectRequirement:
    return SubjectRequirement("MTF", "123456", organisation, unit, "IE")


def commands(wanted: SubjectRequirement, key_type: KeyType = "RSA 2048") -> dict[str, RequestCommand]:
    made = request_commands(wanted, alias="My client 1", unique=UNIQUE, key_type=key_type)
    return {command.id: command for command in made}


def run(command: RequestCommand, folder: Path) -> bytes:
    """Paste the command into bash, line by line as keytool reads all that was typed ahead, and give back the CSR.

    A passphrase is typed wherever one is asked for.
    """
    for line in re.split(r"(?<! \\)\n", command.text):  # A command goes on after a backslash.
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env=ENVIRONMENT,
            input=b"rehearsal\n" * 2,
            capture_output=True,
            check=False,
            start_new_session=True,  # Without a terminal the passphrase is read from the input.
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return (folder / command.csr_file).read_bytes()


@pytest.mark.parametrize(("organisation", "unit"), ODD_NAMES)
@pytest.mark.parametrize("tool", ["openssl", "openssl-passphrase", "keytool"])
def test_the_request_keeps_every_rule_whatever_the_names(
    tmp_path: Path, organisation: str, unit: str, tool: str
) -> None:
    wanted = requirement(organisation, unit)
    command = commands(wanted, key_type="EC P-256")[tool]
    judgement = judge_csr(run(command, tmp_path), requirement=wanted)
    assert not broken(judgement.verdicts)
    assert (tmp_path / command.key_file).is_file()


@pytest.mark.parametrize("key_type", KEY_TYPES)
@pytest.mark.parametrize("tool", ["openssl", "keytool"])
def test_every_type_of_key_can_be_made(tmp_path: Path, key_type: KeyType, tool: str) -> None:
    command = commands(REQUIREMENT, key_type=key_type)[tool]
    judgement = judge_csr(run(command, tmp_path), requirement=REQUIREMENT)
    assert judgement.acceptable
    assert judgement.csr
    assert judgement.csr.public_key.description == key_type


def test_a_request_with_an_existing_key_keeps_the_key(tmp_path: Path) -> None:
    made = commands(requirement(*ODD_NAMES[1]))
    first = judge_csr(run(made["openssl"], tmp_path)).csr
    again = judge_csr(run(made["openssl-existing-key"], tmp_path), requirement=requirement(*ODD_NAMES[1]))
    assert again.acceptable
    assert first
    assert again.csr
    assert first.public_key == again.csr.public_key


def test_the_usual_command_is_the_one_that_everybody_knows() -> None:
    assert commands(REQUIREMENT)["openssl"].text == (
        "openssl req -new -newkey rsa:2048 \\\n"
        "  -sha256 -nodes -utf8 \\\n"
        "  -keyout My-client-1.key \\\n"
        "  -out My-client-1.csr \\\n"
        "  -subj '/C=GB/O=Acme Payments Ltd/OU=Checkout API/CN=1700000000-Client-MTF-123456'"
    )


def test_the_key_is_encrypted_unless_the_command_says_otherwise(tmp_path: Path) -> None:
    made = commands(REQUIREMENT, key_type="EC P-256")
    run(made["openssl-passphrase"], tmp_path)
    assert b"ENCRYPTED PRIVATE KEY" in (tmp_path / "My-client-1.key").read_bytes()


def test_the_key_leaves_no_trace_in_the_powershell_command_and_the_file_is_plain() -> None:
    text = commands(REQUIREMENT)["powershell"].text
    assert 'Subject = "CN=1700000000-Client-MTF-123456,OU=Checkout API,O=Acme Payments Ltd,C=GB"' in text
    assert text.endswith("certreq -new My-client-1.inf My-client-1.csr")
    assert "KeyLength = 2048" in text
    assert "KeyAlgorithm = ECDSA_P384" in commands(REQUIREMENT, key_type="EC P-384")["powershell"].text


def read_as_windows_does(text: str) -> list[tuple[str, str]]:
    """The subject of an .inf file: a quoted string of the file, then a name as CertStrToName documents it."""
    (line,) = [line for line in text.splitlines() if line.startswith("Subject = ")]
    quoted = line.removeprefix("Subject = ")
    assert re.fullmatch(r'"(?:[^"]|"")*"', quoted)
    unquoted = quoted[1:-1].replace('""', '"')
    assert "%" not in unquoted.replace("%%", "")
    parts = re.findall(r'([A-Z]+)=("(?:[^"]|"")*"|[^,+="<>#;]*)(?:,|$)', unquoted.replace("%%", "%"))
    assert ",".join(f"{label}={value}" for label, value in parts) == unquoted.replace("%%", "%")
    return [(label, value[1:-1].replace('""', '"') if value.startswith('"') else value) for label, value in parts]


@pytest.mark.parametrize(("organisation", "unit"), ODD_NAMES)
def test_the_powershell_request_holds_the_very_names(organisation: str, unit: str) -> None:
    wanted = requirement(organisation, unit)
    subject = read_as_windows_does(commands(wanted)["powershell"].text)
    assert tuple(reversed(subject)) == wanted.example_subject(UNIQUE)


_PRINTABLE = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30)


@given(_PRINTABLE.filter(str.strip))
def test_no_name_breaks_out_of_the_powershell_request(organisation: str) -> None:
    wanted = requirement(organisation, "API")
    assert tuple(reversed(read_as_windows_does(commands(wanted)["powershell"].text)))[1] == ("O", organisation)


@given(_PRINTABLE.filter(str.strip))
def test_the_shell_hands_the_subject_on_as_one_word(organisation: str) -> None:
    command = commands(requirement(organisation, "API"))["openssl"].text
    echoed = command.replace("openssl req", "printf '%s\\n'", 1)
    done = subprocess.run(["bash", "-c", echoed], capture_output=True, check=True, timeout=60, env=ENVIRONMENT)
    escaped = re.sub(r"([\\/+])", r"\\\1", organisation)
    assert done.stdout.decode().splitlines()[-1] == f"/C=IE/O={escaped}/OU=API/CN=1700000000-Client-MTF-123456"


@pytest.mark.parametrize(
    ("alias", "stem"),
    [
        ("My client 1", "My-client-1"),
        ("-rf", "rf"),
        ("../../x", "x"),
        ("ü", "client"),
        ("", "client"),
        ("a'b$c", "a-b-c"),
    ],
)
def test_file_names_are_safe(alias: str, stem: str) -> None:
    assert file_name(alias) == stem


@pytest.mark.parametrize("unique", ["", "a b", "x" * 60, "'", "é"])
def test_a_unique_part_that_cannot_be_is_refused(unique: str) -> None:
    with pytest.raises(ProfileError):
        request_commands(REQUIREMENT, alias="a", unique=unique)


def correct(data: bytes) -> RequestCommand:
    return corrected_command(judge_csr(data, requirement=REQUIREMENT), REQUIREMENT, alias="a", unique=UNIQUE)


def test_a_wrong_subject_is_corrected_with_the_same_key() -> None:
    command = correct(csr(name([("2.5.4.3", 0x0C, b"x")])))
    assert command.id == "openssl-existing-key"
    assert command.text.endswith("/CN=1700000000-Client-MTF-123456'")


def test_a_common_name_that_fits_is_kept() -> None:
    command = correct(csr(name([("2.5.4.3", 0x0C, b"42-Client-MTF-123456")])))
    assert command.text.endswith("/CN=42-Client-MTF-123456'")


@pytest.mark.parametrize("data", [csr(key=rsa_key(1024)), b"hello"], ids=["a short key", "no CSR"])
def test_a_refused_key_and_no_csr_at_all_are_corrected_with_a_new_key(data: bytes) -> None:
    assert correct(data).id == "openssl"


def test_a_weak_hash_is_corrected_with_the_same_key() -> None:
    command = correct(csr(key=rsa_key(), algorithm=SHA1_WITH_RSA))
    assert command.id == "openssl-existing-key"
    assert "-sha256" in command.text
