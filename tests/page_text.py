"""What a person reads on a page."""

from __future__ import annotations

import html
import re
from typing import Any

_TAGS = re.compile(r"<(?:script|template|title)\b.*?</(?:script|template|title)>|<wbr>|(<[^>]*>)", re.DOTALL)


def text_of(response: Any) -> str:
    """The words of a page: no markup, no places to break a line, one space between words."""
    text = _TAGS.sub(lambda found: " " if found.group(1) else "", response.content.decode())
    return re.sub(r"\s+([,.;:])", r"\1", " ".join(html.unescape(text).split()))
