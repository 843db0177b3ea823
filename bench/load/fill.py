"""Certificates by the thousand and million, in 1,000 companies: half in projects, half in KMP's inventory.

Rows are as the use-cases write them, with what belongs to them: keys, uses, requests, events of the audit log, and what
people were told (`bench.load.rows`). Ends are spread over the year: of twenty certificates one was revoked, one has
expired, and two end within 30 days; of ten one has taken over from another. Nobody is to be told anything now. Every
row has the DER of the same certificate, which nobody looks into here.
"""
# ruff: noqa: PLC0415  Django is set up (`bench.load.site`) before its models can be imported.

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from bench.load import bulk, rows

if TYPE_CHECKING:
    from uuid import UUID

    from certauthority.models.authority import AuthorityPurpose
    from connect.models import Company, User
    from portal.models import Project

COMPANIES = 1_000
PROJECTS_EACH = 2
# What the company in the middle has, however many certificates there are; and which share of all the large one has.
MIDDLE, LARGE_SHARE = 1_000, 50
REFERENCES_FROM = 200_000
_SOME_SERIAL = bytes([0x44] * 20)


@dataclass(frozen=True, slots=True)
class Holder:
    """A company, somebody who is its security officer and the admin of all its projects, and these."""

    company: Company
    person: User
    projects: tuple[Project, ...]


@dataclass(frozen=True, slots=True)
class Population:
    """Who holds certificates: a company in the middle, a large one with one project, and all the others."""

    middle: Holder
    large: Holder
    others: tuple[Holder, ...]


class Filler:
    """Fills the database, from one size to the next."""

    def __init__(self, population: Population, *, now: datetime) -> None:
        self._population = population
        self._last = self._large = 0
        self._values = _common_values(now)

    def fill(self, total: int) -> None:
        """Add certificates until there are so many, and then what the planner must know of them.

        Raises ValueError where there are more than that, or nothing is left for the others.
        """
        from certauthority.models.authority import AuthorityPurpose

        middle = 0 if self._last else MIDDLE
        large = total // LARGE_SHARE - self._large
        others = total - self._last - middle - large
        if large <= 0 or others <= 0:
            raise ValueError(f"{total:,} certificates are too few. There are {self._last:,} already.")
        people = self._population
        with bulk.without_indexes(rows.models()):
            for holders, count in (([people.middle], middle), ([people.large], large), (people.others, others)):
                self._add(count // 2, AuthorityPurpose.DEVELOPERS, _projects(holders), rows.in_projects())
                self._add(count - count // 2, AuthorityPurpose.KMP, _inventories(holders), rows.in_inventories())
        self._large += large
        _go_on_numbering_after(self._last)
        bulk.analyse()

    def _add(self, count: int, purpose: AuthorityPurpose, holders: dict[str, Any], tables: Sequence[rows.Rows]) -> None:
        if not count:
            return
        values = {**self._values, **_values_of(purpose), **holders, "first": self._last + 1, "last": self._last + count}
        for model, columns, condition in tables:
            bulk.insert(model, columns, f"{rows.NUMBERS} {condition}", values)
        self._last += count


def populate(*, now: datetime) -> Population:
    """Make the companies, their people and their projects. Only those of ``middle`` and ``large`` can sign in later."""
    from connect.models import AccessRequest, AccessState, Company, User
    from connect.officers import KMP, OFFICER_LEVEL
    from portal.models import Membership, Project, Role

    # One officer for each, as `bench.expiry` has it: both scans write as many rows.
    decider = User.objects.create_user("decider@load.example", name="Dora Decider")
    companies = Company.objects.bulk_create(
        Company(
            name=f"Load {number:04} Ltd",
            cid=f"{700_000 + number}",
            country="GB",
            verified_at=now,
            group_email=f"group{number}@load.example",
        )
        for number in range(COMPANIES)
    )
    people = User.objects.bulk_create(
        User(email=f"person{number}.{place}@load.example", name=f"Person {number} of {place}", company=company)
        for place, company in enumerate(companies)
        for number in range(2)
    )
    projects = Project.objects.bulk_create(
        Project(company=company, name=f"Project {number}", created_at=now)
        for place, company in enumerate(companies)
        for number in range(1 if place == 0 else PROJECTS_EACH)
    )
    first = {person.company_id: person for person in reversed(people)}
    Membership.objects.bulk_create(
        Membership(project=project, user=first[project.company_id], role=Role.ADMIN, since=now) for project in projects
    )
    AccessRequest.objects.bulk_create(
        AccessRequest(
            user=person,
            company=person.company,
            application=KMP,
            level=OFFICER_LEVEL,
            state=AccessState.GRANTED,
            requested_at=now,
            decided_at=now,
            decided_by=decider,
        )
        for person in first.values()
    )
    large, *others = _holders(companies, first, projects)
    middle = others.pop(len(others) // 2)
    return Population(middle, large, tuple(others))


def _holders(
    companies: Sequence[Company], people: Mapping[UUID | None, User], projects: Sequence[Project]
) -> Iterator[Holder]:
    of_company: dict[UUID, list[Project]] = {}
    for project in projects:
        of_company.setdefault(project.company_id, []).append(project)
    return (Holder(one, people[one.pk], tuple(of_company[one.pk])) for one in companies)


def _common_values(now: datetime) -> dict[str, Any]:
    from django.conf import settings

    from certauthority.x509.requests import build_request, new_private_key
    from certauthority.x509.revocation_list import crl_entry
    from kmp.models import Application

    applications = list(Application.objects.order_by("name"))
    entry = crl_entry(serial=int.from_bytes(_SOME_SERIAL), revoked_at=now, reason="superseded")
    begins, _, ends = entry.partition(_SOME_SERIAL)
    return {
        "now": now,
        "day": datetime.combine(now.astimezone(UTC).date(), time(), UTC),
        "thresholds": list(settings.NOTICE_THRESHOLD_DAYS),
        "applications": [str(application.pk) for application in applications],
        "application_names": [application.name for application in applications],
        "csr": build_request([("CN", "1600000000-Client-MTF-000000"), ("O", "Company Ltd")], new_private_key()),
        "references_from": REFERENCES_FROM,
        "entry_begins": begins,
        "entry_ends": ends,
    }


def _values_of(purpose: AuthorityPurpose) -> dict[str, Any]:
    """What our CA puts into every certificate."""
    from certauthority.authorities import newest_authority

    authority = newest_authority(purpose)
    return {
        "authority": authority.pk,
        "issuer": authority.certificate.subject,
        "issuer_digest": authority.certificate.subject_digest,
        "der": bytes(authority.certificate.der),
    }


def _projects(holders: Sequence[Holder]) -> dict[str, Any]:
    """Each project in turn. With one project only, all is in Sandbox."""
    placed = [(holder, str(project.pk)) for holder in holders for project in holder.projects]
    return {**_places(placed), "source": "portal", "has_production": len(placed) > 1}


def _inventories(holders: Sequence[Holder]) -> dict[str, Any]:
    """Each company in turn."""
    return {**_places([(holder, str(holder.company.pk)) for holder in holders]), "source": "kmp"}


def _places(placed: Sequence[tuple[Holder, str]]) -> dict[str, Any]:
    return {
        "holders": len(placed),
        "places": [place for _, place in placed],
        "companies": [str(holder.company.pk) for holder, _ in placed],
        "people": [str(holder.person.pk) for holder, _ in placed],
        "addresses": [holder.person.email for holder, _ in placed],
    }


def _go_on_numbering_after(last: int) -> None:
    from kmp.models import Sequence as Numbers
    from kmp.numbers import REFERENCE, REQUEST

    for name, number in ((REQUEST, last), (REFERENCE, REFERENCES_FROM + last)):
        Numbers.objects.update_or_create(name=name, defaults={"last": number})
