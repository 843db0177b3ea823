"""What `My Projects` and `Project summary` show. The number of queries does not grow with projects or certificates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from connect.clock import company_time
from connect.expiry.drawn import timeline_of
from connect.expiry.timeline import MOST_BARS, Timeline
from connect.lifecycle import Status, percent_over
from connect.models import User
from portal.access import know_company, memberships_of
from portal.credentials import Row, in_order, rows_of
from portal.lifetimes import lifetimes_of
from portal.models import Credential, Environment, Membership, Project
from portal.next_to_expire import next_to_expire
from portal.rotation import Pair, pairs_in
from portal.summary_keys import counts_of, ending_keys, keys_of

# A table longer than this is not read: the credentials pages list everything.
ROWS_ON_SUMMARY = MOST_BARS
# Of what expires next, `My Projects` names so many.
NEXT_ON_MY_PROJECTS = 3


@dataclass(frozen=True, slots=True)
class Holding:
    """The certificates in one environment of one project, at one moment.

    ``soon`` are the live ones that expire next, and ``percent_over`` how much of the life of the first is over.
    """

    environment: Environment
    live: int = 0
    expired: int = 0
    soon: tuple[Row, ...] = ()
    percent_over: int = 0

    @property
    def next(self) -> Row | None:
        """The live one that expires next."""
        return self.soon[0] if self.soon else None

    @property
    def status(self) -> Status | None:
        """Of the live certificate that expires next; expired where none is live; nothing where there is none."""
        if self.next is not None:
            return self.next.status
        return Status.EXPIRED if self.expired else None


@dataclass(frozen=True, slots=True)
class Card:
    """One project on `My Projects`."""

    membership: Membership
    holdings: tuple[Holding, ...]

    @property
    def project(self) -> Project:
        return self.membership.project


@dataclass(frozen=True, slots=True)
class MyProjects:
    """Everything on `My Projects`. ``ending`` and ``ended`` count certificates that nothing is ready to replace."""

    cards: tuple[Card, ...]
    live: int
    ending: int
    ended: int
    soon: tuple[Row, ...]

    @property
    def next(self) -> Row | None:
        """Of all projects' live certificates the one that expires next; ``soon`` has those that follow, too."""
        return self.soon[0] if self.soon else None


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything on `Project summary`.

    ``ending`` and ``ended`` hold the first few certificates that expire soon, or have expired, without a live
    successor; ``ending_count`` and ``ended_count`` say how many there are. ``pairs`` are being replaced, or were a day
    ago.
    """

    holdings: tuple[Holding, ...]
    ending: tuple[Row, ...]
    ending_count: int
    ended: tuple[Row, ...]
    ended_count: int
    rows: tuple[Row, ...]
    last_used_at: datetime | None
    last_used_alias: str
    pairs: tuple[Pair, ...]
    timeline: Timeline

    @property
    def live(self) -> int:
        return sum(holding.live for holding in self.holdings)

    @property
    def listed(self) -> int:
        """How many certificates are not revoked; the table shows the first of them."""
        return sum(holding.live + holding.expired for holding in self.holdings)

    @property
    def next(self) -> Row | None:
        return next(iter(_first_to_expire(self.holdings)), None)


def my_projects(user: User, *, now: datetime) -> MyProjects:
    """The projects that this person is on, with what their certificates need.

    ``now`` is real time. Each project is shown at the time of its own company: nearly always that is one for all.
    """
    memberships = tuple(memberships_of(user))
    for membership in memberships:
        know_company(user, membership)
    projects: dict[datetime, list[UUID]] = {}
    for membership in memberships:
        projects.setdefault(company_time(membership.project.company, now), []).append(membership.project_id)
    holdings: dict[tuple[UUID, str], Holding] = {}
    needs = Counter[str]()
    for moment, keys in projects.items():
        credentials = Credential.objects.filter(project__in=keys)
        counted = _counted(credentials, now=moment)
        places = [place for place, (live, _) in counted.items() if live]
        soonest = next_to_expire(places, at_most=NEXT_ON_MY_PROJECTS, now=moment)
        holdings |= _holdings(counted, in_order(rows_of(soonest, now=moment), soonest), now=moment)
        needs += Counter(_count_unreplaced(_unreplaced(credentials, now=moment), now=moment))
    cards = tuple(
        Card(membership, tuple(_of(holdings, membership.project, environment) for environment in Environment))
        for membership in memberships
    )
    everything = [holding for card in cards for holding in card.holdings]
    return MyProjects(
        cards=cards,
        live=sum(holding.live for holding in everything),
        ending=needs["ending"],
        ended=needs["ended"],
        soon=_first_to_expire(everything)[:NEXT_ON_MY_PROJECTS],
    )


def summary_of(project: Project, *, now: datetime, real_now: datetime) -> Summary:
    """What one project has, and what runs out. ``now`` is its company's time."""
    keys, counts = keys_of(project, now=now, real_now=real_now), counts_of(project, now=now)
    # The parts of the page tell of the same certificates, so that one look fetches all of them.
    rows = rows_of(keys.all(), now=now)
    held = {(project.pk, environment): count for environment, count in counts.held.items()}
    holdings = _holdings(held, in_order(rows, keys.next), now=now)
    last_used = rows.get(keys.last_used) if keys.last_used is not None else None
    live, past = (lifetimes_of(in_order(rows, part), company=project.company) for part in (keys.live, keys.past))
    return Summary(
        holdings=tuple(_of(holdings, project, environment) for environment in Environment),
        ending=in_order(rows, keys.ending),
        ending_count=counts.ending,
        ended=in_order(rows, keys.ended),
        ended_count=counts.ended,
        rows=in_order(rows, [*keys.live, *keys.expired][:ROWS_ON_SUMMARY]),
        last_used_at=last_used.last_used_at if last_used is not None else None,
        last_used_alias=last_used.credential.alias if last_used is not None else "",
        pairs=tuple(pairs_in(rows, keys.rotations)),
        timeline=timeline_of(live, past, now=now),
    )


def ending_soon(project: Project, *, now: datetime) -> tuple[Row, ...]:
    """The first few certificates that expire soon without a live successor, as ``summary_of`` has them."""
    keys = ending_keys(project, now=now)
    return in_order(rows_of(keys, now=now), keys)


def _live(now: datetime) -> Q:
    return Q(ended_at=None, expires_at__gte=now)


def _expired(now: datetime) -> Q:
    return Q(ended_at=None, expires_at__lt=now)


def _counted(credentials: QuerySet[Credential], *, now: datetime) -> dict[tuple[UUID, str], tuple[int, int]]:
    """How many are live and how many have expired, for each environment that has one which is not revoked."""
    groups = (
        credentials.filter(ended_at=None)
        .order_by()
        .values_list("project_id", "environment")
        .annotate(live=Count("pk", filter=_live(now)), expired=Count("pk", filter=_expired(now)))
    )
    return {(project, environment): (live, expired) for project, environment, live, expired in groups}


def _holdings(
    counted: dict[tuple[UUID, str], tuple[int, int]], soonest: Iterable[Row], *, now: datetime
) -> dict[tuple[UUID, str], Holding]:
    """One holding for each environment that has a certificate which is not revoked."""
    soon: dict[tuple[UUID, str], list[Row]] = {}
    for one in soonest:
        soon.setdefault((one.credential.project_id, one.credential.environment), []).append(one)
    return {
        place: Holding(
            environment=Environment(place[1]),
            live=live,
            expired=expired,
            soon=tuple(following := soon.get(place, [])),
            percent_over=percent_over(following[0].certificate, now=now) if following else 0,
        )
        for place, (live, expired) in counted.items()
    }


def _of(holdings: dict[tuple[UUID, str], Holding], project: Project, environment: Environment) -> Holding:
    return holdings.get((project.pk, environment.value), Holding(environment))


def _unreplaced(credentials: QuerySet[Credential], *, now: datetime) -> QuerySet[Credential]:
    """Certificates that expire soon or have expired, and have no successor that is live and not expired."""
    # Days left are counted in whole UTC days, so "soon" ends at a midnight.
    last_day = now.astimezone(UTC).date() + timedelta(days=settings.EXPIRING_SOON_DAYS)
    end = datetime.combine(last_day + timedelta(days=1), time(), UTC)
    successor = Credential.objects.filter(_live(now), predecessor=OuterRef("pk"))
    return credentials.filter(~Exists(successor), ended_at=None, expires_at__lt=end)


def _count_unreplaced(unreplaced: QuerySet[Credential], *, now: datetime) -> dict[str, int]:
    return unreplaced.aggregate(ending=Count("pk", filter=_live(now)), ended=Count("pk", filter=_expired(now)))


def in_order_of_need(credentials: QuerySet[Credential], *, now: datetime, at_most: int) -> list[UUID]:
    """Live ones first, the next to expire at the top; below them the expired ones."""
    # Two looks into an index, where an order by whether they have expired would sort all of them.
    live, expired = (
        _keys(credentials.filter(condition).order_by("expires_at", "pk"))[:at_most]
        for condition in (_live(now), _expired(now))
    )
    return [*live, *expired][:at_most]


def _keys(credentials: QuerySet[Credential]) -> QuerySet[Credential, UUID]:
    """Sorting keys alone and then loading what is shown is the fast way."""
    return credentials.values_list("pk", flat=True)


def _first_to_expire(holdings: Iterable[Holding]) -> tuple[Row, ...]:
    """By the days that are left, since companies' clocks may differ."""
    found = [one for holding in holdings for one in holding.soon]
    return tuple(sorted(found, key=lambda one: (one.days_left, one.certificate.not_after)))
