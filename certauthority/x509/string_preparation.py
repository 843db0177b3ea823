"""Text made ready for comparison, by the steps of RFC 4518, section 2 (RFC 5280, 7.1 names them for X.509 names).

One decision: characters that Unicode 3.2 did not have are compared as today's Unicode has them, instead of being
refused as the RFC of 2006 would. What Unicode has assigned once never changes its folding or composition.
"""

from __future__ import annotations

import re
import unicodedata

# RFC 4518, 2.2: soft hyphens, joiners and variation selectors are mapped to nothing.
_TO_NOTHING = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u06dd\u070f\u1806\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u2063\u206a-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffc"
    "\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
# RFC 4518, 2.2: line ends, tabulators and every separator are mapped to a space.
_SPACES = re.compile("[\t\n\x0b\x0c\r\x85 \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def prepare(text: str) -> str:
    """The form that equal texts share: folded case, composed characters, single spaces, none at the ends."""
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())  # The same: nothing to be mapped, and no space but the usual one.
    mapped = _SPACES.sub(" ", _TO_NOTHING.sub("", text))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", mapped).casefold())
    # A compatibility character may turn into one with spaces in it (RFC 4518, 2.6.1 comes after 2.3).
    return _SPACES.sub(" ", folded).strip(" ")
