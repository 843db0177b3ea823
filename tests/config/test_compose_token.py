"""The compose file for a PKCS #11 token: who signs reaches the token and its PIN, and nobody else does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.config import compose_file
from tests.config.compose_file import IN_CONTAINER, SIGNING, environment_here, environment_of, filled, laid_over
from tests.config.conftest import ROOT, clean_environment, run_python
from tests.softhsm import SoftToken

OVER = "deploy/compose.pkcs11.yml"
PIN = "pkcs11_pin"
MAKE_A_KEY = """
import json
import django
django.setup()
from django.conf import settings
from certauthority import signers
signers.create_key("probe")
print(json.dumps([settings.SIGNER, settings.PKCS11_TOKEN, settings.DEBUG]))
"""


@pytest.fixture(scope="module")
def over() -> dict[str, Any]:
    return compose_file.load(OVER)


@pytest.fixture(scope="module")
def together(over: dict[str, Any]) -> dict[str, Any]:
    """Every service, as both files make it."""
    services = compose_file.load()["services"]
    return {name: laid_over(service, over["services"].get(name, {})) for name, service in services.items()}


def test_it_changes_who_signs_and_nobody_else(over: dict[str, Any]) -> None:
    assert set(over["services"]) == SIGNING
    for service in over["services"].values():
        assert service.keys() == {"environment", "secrets", "volumes"}, "what confines a service stays as it is"


def test_the_pin_is_a_file_that_nobody_else_has_and_that_stays_out_of_the_repository(
    over: dict[str, Any], together: dict[str, Any]
) -> None:
    assert over["secrets"] == {PIN: {"file": f"${{SECRETS_DIRECTORY:-./deploy/secrets}}/{PIN}"}}
    assert {name for name, service in together.items() if PIN in service.get("secrets", [])} == SIGNING
    for name, service in together.items():
        environment = environment_of(service)
        assert "PKCS11_PIN" not in environment
        assert (environment.get("PKCS11_PIN_FILE") == f"{IN_CONTAINER}{PIN}") == (name in SIGNING)
        assert (environment.get("SIGNER") == "pkcs11") == (name in SIGNING)
    for path in (f"deploy/secrets/{PIN}", "deploy/pkcs11/module.so", "deploy/pkcs11/state/slot"):
        ignored = subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False)
        assert ignored.returncode == 0, path


def test_the_library_is_read_only_and_has_one_place_to_write(together: dict[str, Any]) -> None:
    for name in SIGNING:
        mounts = {filled(mount).split(":")[1]: mount.endswith(":ro") for mount in together[name]["volumes"]}
        assert mounts["/pkcs11"] is True
        assert mounts["/pkcs11-state"] is False
        for variable in ("PKCS11_MODULE", "SOFTHSM2_CONF"):
            assert environment_of(together[name])[variable].startswith("/pkcs11/"), variable


@pytest.mark.parametrize("name", sorted(SIGNING))
def test_in_production_a_key_is_made_in_the_token(together: dict[str, Any], name: str, tmp_path: Path) -> None:
    """With a real token in the place of the containers' directory, and the PIN in its file."""
    token = SoftToken(tmp_path / "token")
    secrets = tmp_path / "secrets"
    given = environment_here(
        together[name],
        secrets,
        MODE="production",
        PKCS11_MODULE=token.module,
        PKCS11_TOKEN=token.label,
        PKCS11_CONFIGURATION=str(token.configuration),
    )
    state = tmp_path / "state" / "ca"
    state.mkdir(parents=True)
    environment = clean_environment(DJANGO_SETTINGS_MODULE="config.settings", **given)
    without = run_python("-c", MAKE_A_KEY, environment=environment)
    assert without.returncode != 0
    assert PIN in without.stderr, "the sentence names the file that is missing"
    (secrets / PIN).write_text(f"{token.pin}\n")
    done = run_python("-c", MAKE_A_KEY, environment=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["pkcs11", token.label, False]
    assert not list(state.iterdir()), "no key of a CA is a file"
    assert any(path.suffix == ".object" for path in token.directory.rglob("*")), "it is in the token"
    assert token.pin not in done.stdout + done.stderr + without.stderr
