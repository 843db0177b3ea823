"""What a judgement says of time where a company's clock is ahead: whose time it went by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from certauthority.x509.leaf_rules import date_text
from certauthority.x509.verdicts import Verdict
from connect.clock import company_time, is_ahead
from connect.models import Company

_DATED = frozenset({"cert.expired", "cert.not-yet-valid", "chain.expired", "chain.not-yet-valid"})


def with_clock(verdicts: Iterable[Verdict], company: Company, *, now: datetime) -> tuple[Verdict, ...]:
    """The verdicts as they are; but where the company's clock is ahead, those about dates name it.

    ``now`` is real time.
    """
    if not is_ahead(company):
        return tuple(verdicts)
    return tuple(_with_clock(verdict, company, now=now) if verdict.id in _DATED else verdict for verdict in verdicts)


def _with_clock(verdict: Verdict, company: Company, *, now: datetime) -> Verdict:
    shown = date_text(company_time(company, now))
    whose = "the company’s clock" if shown in verdict.wanted else f"by the company’s clock, which shows {shown}"
    return replace(verdict, wanted=f"{verdict.wanted} ({whose}; real time is {date_text(now)})")
