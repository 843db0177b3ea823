"""A reader of iCalendar files by the letter of RFC 5545, written without the library that makes ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MOST_OCTETS = 75
_CONTENT = re.compile(r"([A-Z0-9-]+)(?:;[A-Z0-9-]+=(?:\"[^\"]*\"|[^\";:,]*))*:(.*)\Z")


@dataclass
class Component:
    """What stands between BEGIN and END. Values are unescaped; parameters are left out of the names."""

    name: str
    properties: dict[str, str] = field(default_factory=dict)
    inner: list[Component] = field(default_factory=list)


def read(data: bytes) -> Component:
    """The calendar in a file.

    Raises ValueError for a line that is too long or ends wrong (3.1), and for components that do not nest.
    """
    _check_lines(data)
    root = Component("")
    open_ones = [root]
    for content in re.sub(rb"\r\n[ \t]", b"", data).decode("utf-8").split("\r\n")[:-1]:
        found = _CONTENT.match(content)
        if found is None:
            raise ValueError(f"no content line: {content!r}")
        _take(found[1], found[2], open_ones)
    if len(open_ones) > 1 or len(root.inner) != 1 or root.properties:
        raise ValueError("it is not one whole calendar")
    return root.inner[0]


def _check_lines(data: bytes) -> None:
    if not data.endswith(b"\r\n"):
        raise ValueError("the last line has no end")
    if re.search(rb"(?<!\r)\n|\r(?!\n)", data):
        raise ValueError("a line does not end in CRLF")
    longest = max(map(len, data.split(b"\r\n")))
    if longest > MOST_OCTETS:
        raise ValueError(f"{longest} octets in one line")


def _take(name: str, value: str, open_ones: list[Component]) -> None:
    innermost = open_ones[-1]
    if name == "BEGIN":
        innermost.inner.append(Component(value))
        open_ones.append(innermost.inner[-1])
    elif name == "END":
        if open_ones.pop().name != value or not open_ones:
            raise ValueError(f"{innermost.name} is closed by {value}")
    elif name in innermost.properties:
        raise ValueError(f"{name} stands twice in {innermost.name}")
    else:
        innermost.properties[name] = _text(value)


def _text(value: str) -> str:
    """Unescaped (3.3.11). Control characters but tabs are no part of a text (3.1)."""
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
        raise ValueError("a control character")
    return re.sub(r"\\([\\;,nN])", lambda found: "\n" if found[1] in "nN" else found[1], value)
