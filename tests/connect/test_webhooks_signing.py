"""Signatures: what we make is what receivers check with the programs of the documentation."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from certauthority.sealing import Unreadable
from connect.webhooks import signing

DOCUMENTATION = Path("docs/webhooks.md")
TEMPLATE = Path("templates/connect/webhooks/_verify.html")
BODY = '{"subject": "Zürich – payouts"}'.encode()

Verify = Callable[[str, bytes, str], bool]


def documented(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def by_python(program: str) -> Verify:
    names: dict[str, Any] = {}
    exec(program, names)
    verify: Verify = names["is_genuine"]
    return verify


def by_node(header: str, body: bytes, secret: str) -> bool:
    program = (
        documented("javascript") + "const [h, b, s] = JSON.parse(require('fs').readFileSync(0));"
        "process.stdout.write(String(isGenuine(h, Buffer.from(b, 'base64'), s)));"
    )
    given = json.dumps([header, base64.b64encode(body).decode(), secret])
    node = Path(sys.executable).with_name("node")
    answer = subprocess.run([node, "-e", program], input=given.encode(), capture_output=True, check=True, timeout=60)
    return {"true": True, "false": False}[answer.stdout.decode()]


def of_the_page() -> str:
    found = re.search(r'id="verifying">(.*?)</pre>', TEMPLATE.read_text(), re.DOTALL)
    assert found is not None
    return found[1].replace("&lt;", "<")


def ours(header: str, body: bytes, secret: str) -> bool:
    return signing.is_genuine(header, body, secret=secret, now=timezone.now())


VERIFIERS = [
    pytest.param(ours, id="ours"),
    pytest.param(by_python(documented("python")), id="documented-python"),
    pytest.param(by_python(of_the_page()), id="python-of-the-page"),
    pytest.param(by_node, id="documented-node"),
]


@pytest.mark.parametrize("verify", VERIFIERS)
class TestVerifying:
    def test_a_fresh_message_is_genuine(self, verify: Verify) -> None:
        secret = signing.new_secret()
        header = signing.signature(BODY, secret=secret, at=timezone.now())
        assert verify(header, BODY, secret)

    def test_another_body_secret_time_or_signature_is_not(self, verify: Verify) -> None:
        secret, now = signing.new_secret(), timezone.now()
        header = signing.signature(BODY, secret=secret, at=now)
        stamp, _, made = header.partition(",")
        later = signing.signature(BODY, secret=secret, at=now + timedelta(seconds=9)).partition(",")[0]
        assert not verify(header, BODY + b" ", secret)
        assert not verify(header, BODY, signing.new_secret())
        assert not verify(f"{later},{made}", BODY, secret)
        assert not verify(f"{stamp},v1={'0' * 64}", BODY, secret)

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_an_old_message_sent_again_is_not(self, verify: Verify, minutes: int) -> None:
        secret = signing.new_secret()
        header = signing.signature(BODY, secret=secret, at=timezone.now() + timedelta(minutes=minutes))
        assert not verify(header, BODY, secret)

    @pytest.mark.parametrize(
        "header",
        ["", "t", "t=1", "v1=00", "t=x,v1=00", f"t={'9' * 400},v1=00", "t=NaN,v1=00", "t={now},v1=é", "t={now}"],
        ids=["empty", "no-pair", "no-v1", "no-t", "no-number", "huge", "nan", "no-hex", "fresh-no-v1"],
    )
    def test_a_header_that_is_none_is_refused_and_breaks_nothing(self, verify: Verify, header: str) -> None:
        header = header.replace("{now}", str(int(timezone.now().timestamp())))
        assert not verify(header, BODY, signing.new_secret())


@given(header=st.text(max_size=200) | st.from_regex(r"t=[0-9]{1,30},v1=[0-9a-f]{0,70}", fullmatch=True))
def test_no_header_of_a_stranger_is_genuine_or_breaks(header: str) -> None:
    assert not ours(header, BODY, "whsec_x")


def test_secrets_are_long_and_never_the_same() -> None:
    secrets = {signing.new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(re.fullmatch(r"whsec_[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_a_sealed_secret_opens_with_the_key_that_sealed_it_alone(settings: Settings) -> None:
    secret = signing.new_secret()
    kept = signing.sealed(secret)
    assert secret.encode() not in kept
    assert signing.opened(kept) == secret == signing.opened(memoryview(kept))
    settings.SECRET_KEY = "another-key-of-fifty-characters-or-more-0123456789-abc"
    with pytest.raises(Unreadable):
        signing.opened(kept)
