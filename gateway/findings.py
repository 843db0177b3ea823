"""One thing that the endpoint has to say of a certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from certauthority.models import ReasonCode

ACCEPTED: Final = frozenset({ReasonCode.ACCEPTED, ReasonCode.CHAIN_INCOMPLETE, ReasonCode.SUPERSEDED})


@dataclass(frozen=True, slots=True)
class Finding:
    """``sentence`` says what is so, ``remedy`` what to do, ``link`` is the page of the portal where it is done.

    The remedy is empty where nothing has to be done.
    """

    reason: ReasonCode
    sentence: str
    remedy: str
    link: str

    @property
    def accepted(self) -> bool:
        return self.reason in ACCEPTED
