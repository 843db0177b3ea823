"""The relay between browser and site: what it says of a request that is under way."""

from __future__ import annotations

import pytest

from tests.browser.recorder import _is_whole

HEAD = b"POST /projects/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n"
BEFORE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(b"", False, id="nothing"),
        pytest.param(HEAD[:-1], False, id="half a head"),
        pytest.param(HEAD, False, id="a head"),
        pytest.param(HEAD + b"abcde", False, id="a body that lacks a byte"),
        pytest.param(HEAD + b"abcdef", True, id="a whole one"),
        pytest.param(BEFORE, True, id="one without a body"),
        pytest.param(BEFORE + HEAD + b"abc", False, id="the second under way"),
        pytest.param(BEFORE + HEAD + b"abcdef", True, id="both"),
    ],
)
def test_a_request_is_whole_once_its_body_is_there(stream: bytes, expected: bool) -> None:
    assert _is_whole(bytearray(stream)) is expected
