"""What a page shows beside a form: the rules with their verdicts, the twin, and the commands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest

from portal.access import may_see, signed_in
from portal.models import Environment, Project
from portal.ready_commands import corrected_commands, ready_commands
from portal.requirements import requirement_of
from portal.ways import ByCsr, Judged, Way


def unique_part(now: datetime) -> str:
    """The unique part of an example common name: seconds since 1970."""
    return str(int(now.timestamp()))


def judgement_context(
    request: HttpRequest,
    way: Way,
    judged: Judged | None,
    *,
    project: Project,
    environment: Environment,
    alias: str,
    now: datetime,
) -> dict[str, Any]:
    """The context of ``_judgement.html`` and ``_commands.html``. ``judged`` is None while there is nothing to judge."""
    context: dict[str, Any] = {"expected": way.expected(project, environment)}
    if judged is not None:
        context |= {"verdicts": judged.verdicts, "twin": judged.twin}
        context["may_see_twin"] = judged.twin is not None and may_see(signed_in(request), judged.twin)
    if isinstance(way, ByCsr):
        requirement, unique = requirement_of(project, environment), unique_part(now)
        is_refused = judged is not None and not all(verdict.ok for verdict in judged.verdicts)
        context["is_corrected"] = is_refused and judged is not None and judged.csr is not None
        if context["is_corrected"] and judged is not None and judged.csr is not None:
            context["commands"] = corrected_commands(
                judged.csr, judged.verdicts, requirement, alias=alias, unique=unique
            )
        else:
            context["commands"] = ready_commands(requirement, alias=alias, unique=unique)
    return context
