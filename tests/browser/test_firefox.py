"""The main flow in Firefox ESR, driven over WebDriver BiDi by puppeteer-core."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from certauthority.models import Authority
from connect.demo import DEMO_PASSWORD
from portal.demo import create_demo_data
from portal.models import Credential, Environment, Project
from tests.browser.generating import PASSWORD, Keystore, chain_of
from tests.browser.leaks import found_in, needles_of_key, needles_of_octets, needles_of_text
from tests.browser.recorder import Recorder
from tests.keystores.readers import NODE, read_with_cryptography, read_with_openssl
from tests.portal.credential_pages import page_url

SCRIPT = Path(__file__).parent / "firefox" / "make_keystore.mjs"
EMAIL = "admin@acme.example"
HANG_SECONDS = 300
MADE = {"firefox-ec": "EC P-256", "firefox-rsa": "RSA 2048"}


@pytest.fixture
def project(authorities: dict[str, Authority], live_site: str) -> Project:
    create_demo_data(now=timezone.now())
    return Project.objects.get(name="Checkout API")


def firefox() -> str:
    """Debian's Firefox ESR, or another Firefox on the path."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    assert program is not None, "Firefox is not installed: tools/test.sh installs firefox-esr where it may."
    return program


def drive_firefox(task: dict[str, Any]) -> dict[str, Any]:
    """What the script of Node found; its failure fails the test with its own words."""
    command = [str(NODE), str(SCRIPT)]
    done = subprocess.run(
        command, input=json.dumps(task), capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_firefox_makes_keystores_and_sends_nothing_of_them(project: Project, relay: Recorder, tmp_path: Path) -> None:
    answer = drive_firefox(
        {
            "program": firefox(),
            "downloads": str(tmp_path),
            "signIn": relay.address,
            "page": relay.address + page_url("generate_key", project, Environment.PRODUCTION),
            "email": EMAIL,
            "accountPassword": DEMO_PASSWORD,
            "keystores": [{"alias": alias, "keyType": kind, "password": PASSWORD} for alias, kind in MADE.items()],
        }
    )
    assert answer["version"].startswith("firefox/")
    assert answer["problems"] == []
    assert answer["noticed"], "a breach of the policy would have been noticed"
    assert answer["kept"] == 0
    assert answer["files"] == [f"{alias}.p12" for alias in MADE]
    for alias, lines in zip(MADE, answer["lines"], strict=True):
        keystore = Keystore(tmp_path / f"{alias}.p12", PASSWORD)
        chain = chain_of(Credential.objects.get(alias=alias))
        for read in (read_with_openssl, read_with_cryptography):
            contents = read(keystore.path, PASSWORD)
            assert (contents.friendly_name, contents.chain, contents.key_matches) == (alias, chain, True)
        needles = [
            *needles_of_key(keystore.key),
            *needles_of_octets("PKCS #12", keystore.path.read_bytes()),
            *needles_of_text("password", PASSWORD),
        ]
        assert found_in(relay.octets, needles) == []
        assert alias.encode() in relay.octets
        assert sum("CERTIFICATE REQUEST" in line for line in lines) == 1
    bodies = [sent.path for sent in relay.requests if sent.body]
    assert len([path for path in bodies if path.endswith("/add/generate/")]) == len(MADE)
