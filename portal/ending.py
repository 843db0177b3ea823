"""What ends when a project is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from certauthority.models.authority import AuthorityPurpose
from connect.recent_use import HOUR
from portal.credentials import Row, in_order, rows_of
from portal.models import Credential, Project
from portal.overview import in_order_of_need

ROWS_BEFORE_DELETING = 20


@dataclass(frozen=True, slots=True)
class EndingWith:
    """What ends when a project is deleted: certificates that are revoked, and those of other CAs whose use ends.

    ``in_use`` of them were used in the last hour of real time.
    """

    revoked: int
    use_ended: int
    in_use: int
    rows: tuple[Row, ...]

    @property
    def more(self) -> int:
        """How many ``rows`` leaves out."""
        return self.revoked + self.use_ended - len(self.rows)


def ending_with(project: Project, *, now: datetime, real_now: datetime) -> EndingWith:
    """What ends with this project. ``now`` is its company's time, and calls are counted in real time."""
    credentials = Credential.objects.filter(project=project, ended_at=None)
    ours = Q(certificate__authority__purpose=AuthorityPurpose.DEVELOPERS)
    recent = Q(certificate__use__last_used_at__gt=real_now - HOUR)
    counted = credentials.aggregate(
        all=Count("pk"), revoked=Count("pk", filter=ours), in_use=Count("pk", filter=recent)
    )
    keys = in_order_of_need(credentials, now=now, at_most=ROWS_BEFORE_DELETING)
    return EndingWith(
        revoked=counted["revoked"],
        use_ended=counted["all"] - counted["revoked"],
        in_use=counted["in_use"],
        rows=in_order(rows_of(keys, now=now), keys),
    )
