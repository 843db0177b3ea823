"""Serial numbers as people type them."""

from __future__ import annotations

import re

_HEX = re.compile(r"\A[0-9a-f]{1,40}\Z")
_BETWEEN = re.compile(r"[\s:]")


def read_serial(text: str) -> str:
    """The serial number as it is stored: hex, lower case, without leading zeros. Empty for what is no serial number.

    Colons, spaces, ``0x`` and leading zeros may stand in it, in either case. One has at most 20 bytes (RFC 5280,
    4.1.2.2).
    """
    digits = _BETWEEN.sub("", text).lower().removeprefix("0x").lstrip("0")
    return digits if _HEX.match(digits) else ""
