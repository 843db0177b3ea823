"""What the endpoint has seen of the demo project’s certificates, so that charts and reports have something to show.

The one that has expired was never called.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from certauthority.models import ReasonCode
from certauthority.use_records import SeenCall
from connect.demo_use import NIGHTLY, SHOP, Habit, calls, record_demo_calls
from portal.models import Environment, Project

# How long ago the new certificate of the rotation was added, first used, and the old one last used and revoked.
ROTATION_BEGAN: Final = timedelta(days=80)
_NEW_FROM: Final = timedelta(days=78)
_OLD_UNTIL: Final = timedelta(days=66)
ROTATION_ENDED: Final = timedelta(days=60)

_WEEKS: Final = timedelta(weeks=6)
_SHOP_SERVERS: Final = ("10.20.4.11", "10.20.4.12")
_JOB_SERVER: Final = ("10.20.7.30",)
# A test system that calls the wrong host at night.
_LOST: Final = ("10.20.4.17",)
_AT_THREE: Final = (0, 0, 0, 4, *[0] * 20)


def record_demo_use(project: Project, *, now: datetime) -> None:
    """Write some weeks of calls. ``now`` is real time; nothing is written after it."""
    record_demo_calls(_calls(project, now=now), now=now)


def _calls(project: Project, *, now: datetime) -> Iterator[SeenCall]:
    ids = dict(project.credentials.values_list("alias", "certificate_id"))
    sandbox, production = Environment.SANDBOX.value, Environment.PRODUCTION.value
    for alias, environment in (("checkout-mtf", sandbox), ("checkout-prod", production)):
        yield from calls(ids[alias], Habit(SHOP, _SHOP_SERVERS, environment), since=now - _WEEKS, until=now)
    lost = Habit(_AT_THREE, _LOST, production, ReasonCode.WRONG_ENVIRONMENT)
    yield from calls(ids["checkout-mtf"], lost, since=now - timedelta(days=5), until=now)
    nightly = Habit(NIGHTLY, _JOB_SERVER, sandbox)
    yield from calls(ids["reconciliation"], nightly, since=now - _NEW_FROM, until=now)
    yield from calls(ids["reconciliation-old"], nightly, since=now - timedelta(days=90), until=now - _OLD_UNTIL)
