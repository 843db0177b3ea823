"""Issuing under load: through the web form, by the use-case, and the same work by hand, with 1, 8 and 32 clients.

Each client is a process with a connection of its own, and issues in a project of its own. By the use-case and by hand
(`bench.issuance.ByHand`: the same signature, key checks and SQL through bare psycopg, in one transaction) the same
clients issue in turns. Through the form a client is signed in, and for each certificate opens the form and sends it.
Workers and beat stand still meanwhile. Afterwards the database is asked whether it has what was answered.
"""
# ruff: noqa: PLC0415  Django is set up, by `bench.load.site.running`, before its models can be imported.

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from bench.load.issuing_clients import Load, Turn, Way, by_way, in_turns
from bench.load.issuing_form import FormClient
from bench.load.site import Site
from bench.report import Plot, Result, at_least

if TYPE_CHECKING:
    from portal.models import Project

CLIENTS = (1, 8, 32)
LIMIT = 0.7
# All clients together issue so many in a turn; and so many turns there are.
IN_A_TURN, TURNS = 2560, 4
# Through the form, which is slower, there is one turn, of so many for each client.
BY_FORM = {1: 100, 8: 25, 32: 10}
# Before anything is measured PostgreSQL has prepared its statements, keys and names of the CA are read, and each client
# has copied what it writes to of the memory that a fork shares.
WARM_UP = 40
USE_CASE, BY_HAND, FORM = "use-case", "the same by hand", "web form"


def measure(site: Site) -> Iterator[Result | Plot]:
    """For each number of clients the three ways, and the ratio of use-case to the same by hand."""
    password = secrets.token_urlsafe(24)
    projects = _projects(password)
    loads: dict[str, list[tuple[float, Load]]] = {USE_CASE: [], BY_HAND: [], FORM: []}
    answers: Counter[str] = Counter()
    with site.quiet():
        for clients in CLIENTS:
            found, given = _measure(site, projects, clients, password)
            answers += given
            ratio = found[USE_CASE].rate / found[BY_HAND].rate
            yield at_least(f"issuing, {_count(clients)}: use-case against the same by hand", ratio, LIMIT)
            for way, load in found.items():
                loads[way].append((clients, load))
                yield Result(f"issuing, {_count(clients)}: {way}", str(load))
    yield agreement(answers, _stored(projects))
    yield from _plots(loads)


def agreement(answers: Counter[str], stored: Sequence[tuple[str, str, str]]) -> Result:
    """Whether each certificate that was answered is stored once, and no other; ``stored`` has serial, alias and key.

    An answer is a serial number, or the alias that a client chose. Every CSR had a key of its own.
    """
    kept = Counter(alias if alias in answers else serial for serial, alias, _ in stored)
    keys = {key for *_, key in stored}
    good = answers == kept and len(keys) == len(stored)
    figure = f"{len(stored):,} of {answers.total():,}"
    return Result("issuing: certificates stored, of those answered", figure, "each once", good)


def _count(clients: int) -> str:
    return "1 client" if clients == 1 else f"{clients} clients"


def _projects(password: str) -> list[Project]:
    from bench.issuance import new_project

    return [new_project(f"Load {number}", password=password) for number in range(max(CLIENTS))]


def _measure(
    site: Site, projects: Sequence[Project], clients: int, password: str
) -> tuple[dict[str, Load], Counter[str]]:
    from django.db import connections

    connections.close_all()
    share = IN_A_TURN // clients
    turns = [(way, share) for _ in range(TURNS) for way in (USE_CASE, BY_HAND)]
    directly = in_turns(
        lambda number: _direct_ways(projects[number]), clients, [(USE_CASE, WARM_UP), (BY_HAND, WARM_UP), *turns]
    )
    by_form = in_turns(
        lambda number: _form_way(site, projects[number], password), clients, [(FORM, 1), (FORM, BY_FORM[clients])]
    )
    answers = Counter(answer for turns in (*directly, *by_form) for turn in turns for answer in turn.answers)
    return by_way(_measured(directly, 2)) | by_way(_measured(by_form, 1)), answers


def _measured(found: Sequence[Sequence[Turn]], warm_up: int) -> list[Sequence[Turn]]:
    """Without the turns that were to warm up."""
    return [turns[warm_up:] for turns in found]


def _direct_ways(project: Project) -> Mapping[str, Way]:
    from bench.issuance import ByHand, issue, requests_for

    csrs = requests_for(project)
    by_hand = ByHand(project, next(csrs))

    def requests(count: int) -> Sequence[bytes]:
        return list(islice(csrs, count))

    return {
        USE_CASE: Way(requests, lambda csr: issue(project, csr).certificate.serial),
        BY_HAND: Way(requests, by_hand.issue),
    }


def _form_way(site: Site, project: Project, password: str) -> Mapping[str, Way]:
    from bench.issuance import requests_for

    csrs = requests_for(project)
    client = FormClient(port=site.layout.ports["https"], root=site.root, project=str(project.pk))
    client.sign_in(f"{project.name.replace(' ', '-').lower()}@bench.example", password)
    return {FORM: Way(lambda count: list(islice(csrs, count)), client.add)}


def _stored(projects: Sequence[Project]) -> list[tuple[str, str, str]]:
    """Serial number, alias and key of every certificate; the sample by which the work by hand was learnt has none."""
    from bench.issuance import SAMPLE
    from portal.models import Credential

    rows = Credential.objects.filter(project__in=projects).exclude(alias__startswith=SAMPLE)
    return list(rows.values_list("certificate__serial", "alias", "certificate__public_key_fingerprint"))


def _plots(loads: Mapping[str, Sequence[tuple[float, Load]]]) -> Iterator[Plot]:
    yield Plot(
        name="issuing-rate",
        title="Certificates issued",
        x_label="Clients at once",
        y_label="Certificates a second",
        series={way: [(clients, load.rate) for clients, load in points] for way, points in loads.items()},
        log_x=True,
        log_y=True,
    )
    yield Plot(
        name="issuing-p99",
        title="The slowest hundredth of issues",
        x_label="Clients at once",
        y_label="Milliseconds (p99)",
        series={way: [(clients, load.p99) for clients, load in points] for way, points in loads.items()},
        log_x=True,
        log_y=True,
    )
