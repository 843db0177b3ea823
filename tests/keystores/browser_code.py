"""The browser's modules, run by Node: `driver.mjs` answers one operation after the other."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.keystores.readers import HERE, NODE

KEY_TYPES = ("rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384")
SUBJECT = (("C", "GB"), ("O", "Acme Payments Ltd"), ("OU", "Checkout API"), ("CN", "1700000000000-Client-MTF-123456"))


class Failed(Exception):
    """The module threw; the text is what it said."""


@dataclass(frozen=True)
class MadeKey:
    """A key as the page has it before it asks for a certificate."""

    key_type: str
    password: str
    spki: bytes
    csr: bytes
    protected_key: bytes


class BrowserCode:
    """A running Node. Each method is one function of a module, with the module's own errors as `Failed`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, operation: str, **values: Any) -> Any:
        """What an operation of the driver answers."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("Node was started without pipes.")
        self._process.stdin.write(json.dumps({"operation": operation, **values}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "failure" in answer:
            raise Failed(answer["failure"])
        return answer["value"]

    def make(
        self, key_type: str, password: str = "correct password", subject: tuple[tuple[str, str], ...] = SUBJECT
    ) -> MadeKey:
        made = self.ask("make", keyType=key_type, subject=subject, password=password)
        values = {name: base64.b64decode(value) for name, value in made.items()}
        return MadeKey(key_type, password, values["spki"], values["csr"], values["protectedKey"])

    def build(self, key: MadeKey, certificates: list[bytes], alias: str) -> bytes:
        value = self.ask(
            "build",
            protectedKey=as_text(key.protected_key),
            spki=as_text(key.spki),
            certificates=[as_text(der) for der in certificates],
            alias=alias,
            password=key.password,
        )
        return base64.b64decode(value)

    def check_passwords(self, key: MadeKey, passwords: list[str], spki: bytes | None = None) -> list[str]:
        """For each password "right" or the name of the error."""
        outcomes: list[str] = self.ask(
            "check",
            protectedKey=as_text(key.protected_key),
            passwords=passwords,
            keyType=key.key_type,
            spki=as_text(key.spki if spki is None else spki),
        )
        return outcomes

    def same_public_key(self, certificate: bytes, spki: bytes) -> bool:
        return self.ask("samePublicKey", certificate=as_text(certificate), spki=as_text(spki)) is True

    def zip(self, files: dict[str, bytes]) -> bytes:
        return base64.b64decode(self.ask("zip", files={name: as_text(content) for name, content in files.items()}))


@contextmanager
def running_browser_code() -> Iterator[BrowserCode]:
    """Node with the modules, for as long as the block lasts."""
    with subprocess.Popen(
        [str(NODE), str(HERE / "driver.mjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        yield BrowserCode(process)
        # Leaving closes its input, at whose end the driver ends.


def as_text(data: bytes) -> str:
    """Bytes as the driver takes them."""
    return base64.b64encode(data).decode()
