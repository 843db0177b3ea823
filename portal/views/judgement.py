"""What a page shows beside a form: the rules with their verdicts, the twin, and the commands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from certauthority.x509.ready_commands import unique_part
from certauthority.x509.verdicts import acceptable
from portal.access import may_see
from portal.duplicates import has_expired
from portal.ready_commands import corrected_commands, ready_commands
from portal.requirements import requirement_of
from portal.views.places import Place
from portal.ways import ByCsr, Judged, Way


def judgement_context(place: Place, way: Way, judged: Judged | None, *, alias: str, now: datetime) -> dict[str, Any]:
    """The context of ``_judgement.html`` and ``_commands.html``. ``judged`` is None while there is nothing to judge.

    ``now`` is real time: the commands have a unique part of it.
    """
    context: dict[str, Any] = {"expected": way.expected(place.project, place.environment)}
    if judged is not None:
        context |= {"verdicts": judged.verdicts, "twin": judged.twin}
    if judged is not None and judged.twin is not None:
        context["may_see_twin"] = may_see(place.user, judged.twin)
        context["twin_has_expired"] = has_expired(judged.twin, now=now)
    if isinstance(way, ByCsr):
        context |= _commands(place, judged, alias=alias, unique=unique_part(now))
    return context


def _commands(place: Place, judged: Judged | None, *, alias: str, unique: str) -> dict[str, Any]:
    """The corrected command where a CSR was read and refused, else those that make one."""
    requirement = requirement_of(place.project, place.environment)
    if judged is None or judged.csr is None or acceptable(judged.verdicts):
        return {"commands": ready_commands(requirement, alias=alias, unique=unique), "is_corrected": False}
    commands = corrected_commands(judged.csr, judged.verdicts, requirement, alias=alias, unique=unique)
    return {"commands": commands, "is_corrected": True}
