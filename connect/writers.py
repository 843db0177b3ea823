"""Notices whose text is written when their mail goes out, not when they are announced.

Expiry notices, because the world may have changed meanwhile: a certificate that has just been revoked needs none. And
those of which there is one for every certificate that is issued, because writing takes longer than issuing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connect.models import Notice
from connect.notices import Written


@dataclass(frozen=True, slots=True)
class Silenced:
    """The mail does not go out any more. ``reason`` is the sentence that the pages show, at most 200 characters."""

    reason: str


Writer = Callable[[Notice, datetime], Written | Silenced]

_writers: dict[str, Writer] = {}


def register(kind: str, writer: Writer) -> None:
    """Have notices of a kind written by this function of the notice and the real moment at which it goes out."""
    _writers[kind] = writer


def written(notice: Notice, *, now: datetime) -> Written | Silenced:
    """What goes out. The text of other kinds was stored when they were announced."""
    writer = _writers.get(notice.kind)
    if writer is None or notice.text:
        return Written(notice.subject, notice.text, notice.html)
    return writer(notice, now)
