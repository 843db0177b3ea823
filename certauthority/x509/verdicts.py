"""What a rule says of an input: kept or broken, what was found, what was wanted, and where the rule comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, init=False)
class Verdict:
    """One rule's judgement.

    ``id`` is stable and machine-readable (``key.rsa-size``); ``title`` names the rule for people. ``found`` and
    ``wanted`` are plain text, never markup, and never hold key material. ``source`` cites the standard or says
    ``house rule``. A ``note`` informs and is never broken: it always has ``ok=True``.
    """

    id: str
    title: str
    ok: bool
    found: str = ""
    wanted: str = ""
    source: str = ""
    kind: Literal["rule", "note"] = "rule"

    def __init__(
        self,
        id: str,  # noqa: A002  the field's name
        title: str,
        ok: bool,
        found: str = "",
        wanted: str = "",
        source: str = "",
        kind: Literal["rule", "note"] = "rule",
    ) -> None:
        if kind == "note" and not ok:
            raise ValueError(f"{id}: a note informs, it cannot be broken")
        # What a frozen dataclass has of itself takes three times as long, and each request is judged by thirty rules.
        self.__dict__.update(id=id, title=title, ok=ok, found=found, wanted=wanted, source=source, kind=kind)


def acceptable(verdicts: Iterable[Verdict]) -> bool:
    """Whether every rule is kept."""
    # A loop, here and below: it is asked several times of each request, and `all` takes twice as long.
    for verdict in verdicts:  # noqa: SIM110  see above
        if not verdict.ok:
            return False
    return True


def broken(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The broken rules, in the order in which they were judged."""
    return tuple([verdict for verdict in verdicts if not verdict.ok])
