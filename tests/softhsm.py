"""A real PKCS#11 token for tests: SoftHSM 2 in a directory of its own, with which other processes can work, too."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pkcs11
import pytest
from django.utils import timezone
from pkcs11 import Attribute, ObjectClass
from pytest_django import Settings

from certauthority import revocation_lists, signers
from certauthority.authorities import create_hierarchy
from certauthority.models import Authority

# What says whether a private key can leave its token, and what it is good for.
ATTRIBUTES = (Attribute.SENSITIVE, Attribute.EXTRACTABLE, Attribute.SIGN, Attribute.DECRYPT, Attribute.TOKEN)

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")


class SoftToken:
    """Tokens of SoftHSM in one directory; the one with the given label is made at once."""

    def __init__(self, directory: Path, *, label: str = "rehearsal-ca") -> None:
        self.directory = directory / "tokens"
        self.directory.mkdir(parents=True)
        self.configuration = directory / "softhsm2.conf"
        self.configuration.write_text(
            f"directories.tokendir = {self.directory}\nobjectstore.backend = file\nlog.level = ERROR\n"
        )
        self.label, self.pin = label, secrets.token_urlsafe(12)
        self.module = next((path for path in MODULES if Path(path).is_file()), MODULES[0])
        self.make(label)

    def make(self, label: str) -> None:
        """Make a token, with the same PIN."""
        self._say("--init-token", "--free", *("--label", label), *("--so-pin", secrets.token_urlsafe(12)))

    def run(self, *arguments: str, directory: Path) -> None:
        """Let SoftHSM's own tool do something with the token."""
        self._say("--token", self.label, *arguments, directory=directory)

    def _say(self, *arguments: str, directory: Path | None = None) -> None:
        subprocess.run(
            ["softhsm2-util", *arguments, "--pin", self.pin],
            env={**os.environ, **self.environment},
            cwd=directory,
            capture_output=True,
            check=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the site needs to sign with this token."""
        return {
            "SOFTHSM2_CONF": str(self.configuration),
            "SIGNER": "pkcs11",
            "PKCS11_MODULE": self.module,
            "PKCS11_TOKEN": self.label,
            "PKCS11_PIN": self.pin,
        }

    def objects(self, kind: ObjectClass) -> dict[str, dict[Attribute, object]]:
        """What an owner of the PIN can read of the token's keys, by label; a private key's secret is not among it."""
        found: dict[str, dict[Attribute, object]] = {}
        signers.forget_keys()
        library = pkcs11.lib(self.module)
        with library.get_token(token_label=self.label).open(user_pin=self.pin) as session:
            for item in session.get_objects({Attribute.CLASS: kind}):
                label = item[Attribute.LABEL]
                assert label not in found, f"two keys are called {label}"
                found[label] = {name: item[name] for name in ATTRIBUTES} if kind == ObjectClass.PRIVATE_KEY else {}
                if kind == ObjectClass.PRIVATE_KEY:
                    is_rsa = item[Attribute.KEY_TYPE] == pkcs11.KeyType.RSA
                    with pytest.raises(pkcs11.AttributeSensitive):
                        item[Attribute.PRIVATE_EXPONENT if is_rsa else Attribute.VALUE]
        library.finalize()
        return found

    def take_away(self) -> None:
        """Pull it out."""
        self.directory.rename(self.directory.with_name("away"))
        self.directory.mkdir()

    def bring_back(self) -> None:
        """Put it in again."""
        shutil.rmtree(self.directory)
        self.directory.with_name("away").rename(self.directory)


def make_hierarchy(now: datetime) -> dict[str, Authority]:
    """The CAs, by name, with a CRL each; their keys are wherever the settings say."""
    create_hierarchy(begin=now - timedelta(days=1), now=now)
    found = {authority.name: authority for authority in Authority.objects.select_related("certificate")}
    for authority in found.values():
        revocation_lists.publish(authority, now=now)
    return found


@pytest.fixture
def soft_token(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftToken]:
    """The token in which this process keeps the keys of its CAs while the test lasts."""
    token = SoftToken(tmp_path / "softhsm")
    signers.forget_keys()
    monkeypatch.setenv("SOFTHSM2_CONF", str(token.configuration))
    settings.CA_DIRECTORY = tmp_path / "ca"
    settings.SIGNER = "pkcs11"
    settings.PKCS11_MODULE, settings.PKCS11_TOKEN, settings.PKCS11_PIN = token.module, token.label, token.pin
    yield token
    signers.forget_keys()


@pytest.fixture
def hierarchy(soft_token: SoftToken, db: None) -> dict[str, Authority]:
    """The CAs, by name, with their keys in the token and a CRL each."""
    return make_hierarchy(timezone.now())
