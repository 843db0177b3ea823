"""What a portal must offer so that the ends of its certificates are watched, and the portals that do.

``portal`` and ``kmp`` register their source in ``AppConfig.ready``. Moments are of the company's own time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from audit.events import AuditedObject
from audit.insertion import update_each
from audit.statements import ask
from connect.models import Company, User
from connect.notices import Recipient


@dataclass(frozen=True, slots=True)
class Lifetime:
    """One certificate in somebody's hands.

    ``name`` is its alias or reference; ``place`` its project or application; ``scope`` the public id of the project,
    or of the company for KMP. ``act_label`` and ``act_url`` are the one next step, ``url`` its page; both are paths.
    ``renew_label`` and ``renew_url`` are that step once the successor has expired.
    """

    source: str
    key: UUID
    company: Company
    scope: str
    name: str
    common_name: str
    serial: str
    fingerprint: str
    issuer: str
    environment: str
    place: str
    begins_at: datetime
    expires_at: datetime
    since: datetime
    url: str
    act_label: str
    act_url: str
    successor: str = ""
    successor_key: UUID | None = None
    successor_since: datetime | None = None
    successor_expires_at: datetime | None = None
    last_used_at: datetime | None = None
    next_notice_at: datetime | None = None
    snoozed_until: date | None = None
    snoozed_by: str = ""
    renew_label: str = ""
    renew_url: str = ""

    @property
    def watched(self) -> str:
        """How notices name it."""
        return f"{self.source}:{self.key}"

    @property
    def is_replaced_and_unused(self) -> bool:
        """Whether a live successor is there and nobody was seen using this one since."""
        if self.successor_since is None:
            return False
        return self.last_used_at is None or self.last_used_at < self.successor_since

    def at(self, now: datetime) -> Lifetime:
        """The same as it is at ``now``, of the company's time: a successor that has expired is none."""
        if self.successor_expires_at is None or self.successor_expires_at >= now:
            return self
        return replace(
            self,
            act_label=self.renew_label or self.act_label,
            act_url=self.renew_url or self.act_url,
            successor="",
            successor_key=None,
            successor_since=None,
            successor_expires_at=None,
        )

    def is_snoozed(self, now: datetime) -> bool:
        """Whether somebody asked for silence that still lasts."""
        return self.snoozed_until is not None and now.astimezone(UTC).date() < self.snoozed_until


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something else that has to be done by a moment, such as a request that must be signed before an expiry."""

    at: datetime
    title: str
    scope: str
    url: str


class Source(ABC):
    """A portal's watched certificates. Rows are of a model that inherits ``connect.models.Watched``.

    ``expiry``, ``company``, ``scope`` and ``since`` are lookups from a row to its end, its company, the public id of
    its scope, and the real moment at which it came in. ``place_label`` is what a lifetime's ``place`` is called, and
    ``told_because`` why somebody gets its mails; it may name ``{place}`` and ``{company}``. Actions in the audit log
    begin with ``audit_prefix``.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    place_label: ClassVar[str]
    told_because: ClassVar[str]
    expiry: ClassVar[str]
    company: ClassVar[str]
    scope: ClassVar[str]
    since: ClassVar[str]
    audit_prefix: ClassVar[str]

    @abstractmethod
    def rows(self) -> QuerySet[Any]:
        """Every row that is not revoked or ended, nor of a deleted project; expired ones are among them."""

    @abstractmethod
    def awaited(self) -> QuerySet[Any]:
        """At least those of ``rows`` whose ``next_notice_at`` is set, by the condition of the index on it alone."""

    @abstractmethod
    def scopes(self, companies: QuerySet[Company]) -> QuerySet[Any]:
        """The projects, or what else ``scope`` leads to, of these companies."""

    @abstractmethod
    def lifetimes(self, rows: QuerySet[Any]) -> list[Lifetime]:
        """These rows, in their order, in a constant number of queries."""

    @abstractmethod
    def recipients(self, lifetimes: Sequence[Lifetime]) -> Mapping[UUID, Sequence[Recipient]]:
        """Whom to tell of the end of each, by key, in a constant number of queries."""

    @abstractmethod
    def scopes_of(self, user: User) -> Collection[str]:
        """The scopes whose certificates this person may see."""

    @abstractmethod
    def audited(self, row: Any) -> AuditedObject:
        """A row, with its company loaded, as the audit log names it."""

    @abstractmethod
    def speaking(self, rows: QuerySet[Any], *, now: Any) -> QuerySet[Any]:
        """Those of these rows that are not replaced and unused at ``now`` (``Lifetime.is_replaced_and_unused``).

        ``now`` is a moment of the company's time, or an expression that yields one.
        """

    def action(self, done: str) -> str:
        """What the audit log calls something that was done to a row, such as credential.snoozed."""
        return f"{self.audit_prefix}{done}"

    def deadlines(self, company: Company, *, after: datetime) -> list[Deadline]:
        """What else has to be done by a moment ``after`` this one, at most a hundred, the soonest first."""
        return []

    def claim(self, clock_ahead: timedelta, *, now: datetime, limit: int, company: Company | None = None) -> list[UUID]:
        """The keys of rows whose next threshold has come, of companies that are so far ahead, or of one of them.

        They are held until the transaction ends; those that another worker holds are left. ``now`` is of the
        companies' time.
        """
        rows = self.awaited().filter(next_notice_at__lte=now)
        if company is None and not clock_ahead:
            # What is due in real time stands at the beginning of the index by moment.
            return _hold(rows.filter(**{f"{self.company}__clock_run": None}), "next_notice_at", limit=limit)
        companies = Company.objects.filter(clock_ahead=clock_ahead)
        companies = companies.filter(pk=company.pk) if company else companies.filter(clock_run__isnull=False)
        keys: list[UUID] = []
        for scope in self._scopes_due(companies, now=now)[:limit]:
            keys += _hold(rows.filter(self._is_of(scope)), *self._by_scope, limit=limit - len(keys))
            if len(keys) >= limit:
                break
        return keys

    def _is_of(self, scope: Any) -> Q:
        """That a row is of this scope, written as a range.

        With an equals sign the order by scope and moment would be one by moment to the planner, and where there are
        few scopes it would take the index by moment for this, too.
        """
        return Q(**{f"{self.scope}__gte": scope, f"{self.scope}__lte": scope})

    @property
    def _by_scope(self) -> tuple[str, str]:
        return f"{self.scope}_id", "next_notice_at"

    def _scopes_due(self, companies: QuerySet[Company], *, now: datetime) -> QuerySet[Any]:
        """Keys of the scopes of these companies that have something due.

        One look into the index by scope and moment for each. With a join in its place the planner may choose the index
        by moment, and walk through what companies in real time will have due until then.
        """
        first = self.awaited().filter(self._is_of(OuterRef("pk")), next_notice_at__lte=now)
        first = first.order_by(*self._by_scope).values("next_notice_at")[:1]
        scopes = self.scopes(companies).annotate(first_due=Subquery(first)).filter(first_due__isnull=False)
        keys: QuerySet[Any] = scopes.order_by("first_due", "pk").values_list("pk", flat=True)
        return keys

    def find(self, keys: Collection[UUID]) -> list[Lifetime]:
        """The lifetimes with these keys, the longest due first; ended ones are not among them."""
        return self.lifetimes(self.rows().filter(pk__any_of=keys).order_by("next_notice_at", "pk"))

    def move_on(self, moments: Mapping[UUID, datetime | None]) -> None:
        """Set when each row is due again."""
        update_each(self.rows().model, "next_notice_at", moments)

    def begin_again(self, company: Company) -> None:
        """Have every threshold of the company's certificates judged anew, from when each came in."""
        self.rows().filter(**{self.company: company}).update(next_notice_at=F(self.since))

    def end_snoozes(self, company: Company) -> int:
        """End the silence that was asked for in a clock run of the company. How many certificates had it."""
        snoozed = self.rows().filter(**{self.company: company}, snoozed_run__isnull=False)
        return snoozed.update(snoozed_until=None, snoozed_by="", snoozed_run=None)

    def of_company(self, company: Company) -> QuerySet[Any]:
        """The company's rows, the next to expire first."""
        return self.rows().filter(**{self.company: company}).order_by(self.expiry, "pk")

    def of_scopes(self, scopes: Collection[str]) -> QuerySet[Any]:
        """The rows of these scopes, the next to expire first."""
        return self.rows().filter(**{f"{self.scope}__in": scopes}).order_by(self.expiry, "pk")


def _hold(due: QuerySet[Any], *order: str, limit: int) -> list[UUID]:
    """The keys of the longest due of these rows, locked; without those that another transaction has locked."""
    due = due.order_by(*order, "pk").only("pk")[:limit]
    if connection.features.has_select_for_update_skip_locked:
        # An object for each key would take longer than the database does; of values Django locks no table by name.
        due = due.select_for_update(skip_locked=True, of=("self",))
        return [key for (key,) in ask(*due.query.sql_with_params())]
    return [row.pk for row in due]


def companies_by_key(keys: Collection[UUID]) -> dict[UUID, Company]:
    """The companies of a page of rows."""
    return {company.pk: company for company in Company.objects.filter(pk__any_of=keys).order_by()}


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Let a portal have its certificates watched."""
    _sources[source.name] = source


def sources() -> list[Source]:
    """Every portal's source."""
    return list(_sources.values())


def source_of(lifetime: Lifetime) -> Source:
    """The portal whose certificate it is."""
    return _sources[lifetime.source]


def lifetime_of(watched: str) -> Lifetime | None:
    """What a notice tells of, as it is now; none when it has ended, or never was."""
    name, _, key = watched.partition(":")
    source = _sources.get(name)
    if source is None:
        return None
    return next(iter(source.find([UUID(key)])), None)


def recipients_of(lifetime: Lifetime) -> Sequence[Recipient]:
    """Whom to tell of its end."""
    return _sources[lifetime.source].recipients([lifetime]).get(lifetime.key, ())
