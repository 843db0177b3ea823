"""Where the keys of the CAs are, by environment: which variables belong together, and who has none of them."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
from pytest_django import Settings

from certauthority.signers import token
from tests.config.test_env import production, read

TOKEN = {"SIGNER": "pkcs11", "PKCS11_MODULE": "/usr/lib/module.so", "PKCS11_TOKEN": "ca", "PKCS11_PIN": "48-29-10-77"}


def test_files_are_the_usual_place(tmp_path: Path) -> None:
    values = json.loads(read(tmp_path / "state").stdout)
    assert values["SIGNER"] == "file"
    assert values["PKCS11_MODULE"] == values["PKCS11_TOKEN"] == values["PKCS11_PIN"] == ""


@pytest.mark.parametrize("mode", ["demo", "production"])
def test_a_token_is_named_by_three_variables(mode: str, tmp_path: Path) -> None:
    environment = production(**TOKEN) if mode == "production" else TOKEN
    values = json.loads(read(tmp_path / "state", **environment).stdout)
    assert {name: values[name] for name in TOKEN} == TOKEN
    assert values["CA_KEY_PASSPHRASE"], "responders' keys are files all the same"


def test_the_pin_may_come_from_a_file(tmp_path: Path) -> None:
    pin = secrets.token_hex(8)
    (tmp_path / "pin").write_text(f"{pin}\n")
    done = read(
        tmp_path / "state", **production(**TOKEN | {"PKCS11_PIN": "", "PKCS11_PIN_FILE": str(tmp_path / "pin")})
    )
    assert json.loads(done.stdout)["PKCS11_PIN"] == pin


@pytest.mark.parametrize("name", ["PKCS11_MODULE", "PKCS11_TOKEN", "PKCS11_PIN"])
@pytest.mark.parametrize("mode", ["demo", "production"])
def test_a_token_is_named_wholly(name: str, mode: str, tmp_path: Path) -> None:
    named = TOKEN | {name: ""}
    done = read(tmp_path / "state", **(production(**named) if mode == "production" else named))
    assert done.returncode != 0
    assert f"{name} is not set." in done.stderr


@pytest.mark.parametrize("name", ["PKCS11_MODULE", "PKCS11_TOKEN", "PKCS11_PIN"])
def test_a_token_is_not_named_beside_files(name: str, tmp_path: Path) -> None:
    done = read(tmp_path / "state", **{name: TOKEN[name]})
    assert done.returncode != 0
    assert f"{name} is set, but SIGNER is file" in done.stderr
    assert TOKEN["PKCS11_PIN"] not in done.stderr


@pytest.mark.parametrize("pin", ["1234", "password-1", "change-me-now"], ids=["short", "well known", "example"])
def test_production_refuses_a_pin_that_is_easily_guessed(pin: str, tmp_path: Path) -> None:
    done = read(tmp_path / "state", **production(**TOKEN | {"PKCS11_PIN": pin}))
    assert done.returncode != 0
    assert "PKCS11_PIN is too short or was copied from an example" in done.stderr
    assert pin not in done.stderr


def test_another_signer_is_refused(tmp_path: Path) -> None:
    done = read(tmp_path / "state", SIGNER="cloud")
    assert done.returncode != 0
    assert "SIGNER is 'cloud'. It must be one of: file, pkcs11." in done.stderr


@pytest.mark.parametrize("mode", ["demo", "production"])
def test_a_process_that_does_not_sign_has_neither_passphrase_nor_pin(mode: str, tmp_path: Path) -> None:
    state = tmp_path / "state"
    without = {"SIGNS": "false", "CA_KEY_PASSPHRASE": "", "PKCS11_PIN": ""}
    for more in (TOKEN | without, TOKEN | {"SIGNS": "false"}):
        environment = production(**more) if mode == "production" else more
        values = json.loads(read(state, **environment).stdout)
        assert values["CA_KEY_PASSPHRASE"] == values["PKCS11_PIN"] == ""
    assert not (state / "secrets" / "ca_key_passphrase").exists(), "and makes none"


def test_a_token_keeps_no_copy_of_its_pin(settings: Settings) -> None:
    settings.PKCS11_PIN = TOKEN["PKCS11_PIN"]
    one = token.Token()
    assert TOKEN["PKCS11_PIN"] not in repr(one) + repr(vars(one))
