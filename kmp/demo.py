"""The demo data of KMP: an inventory and requests in every state, by the use-cases that users call, with ``now`` given.

Private keys are made, used once and thrown away: nobody can use the demo certificates, only look at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F

from audit.events import Actor
from certauthority.models import ReasonCode, RevocationReason
from certauthority.use_records import SeenCall
from certauthority.x509.ready_commands import unique_part
from certauthority.x509.requests import build_request, new_private_key
from connect.demo_dates import issued_for_days_left
from connect.demo_use import Habit, calls, record_demo_calls
from connect.models import Channel, Notice, NoticeState, User
from kmp import automatic_review, drafts, entries, key_management, requests
from kmp.applications import create_applications
from kmp.judgement import wanted_of
from kmp.models import Application, CertificateRequest, Environment, InventoryEntry, Profile

OLGA: Final = "officer1@acme.example"
OWEN: Final = "officer2@acme.example"
GRETA: Final = "officer@globex.example"
KIM: Final = "keymanagement@rehearsal.example"

XBS: Final = "xbs-api-mtls"
PORTAL_CLIENT: Final = "developers-portal-client"
A2A: Final = "a2a-commerce-client"
IDENTITY: Final = "identity-insights-client"
TRANSACTIONS: Final = "transaction-api-client"

MTF, PRODUCTION = Environment.MTF, Environment.PRODUCTION
EXPIRES_IN_DAYS: Final = 20
# What is older was read long ago, and its mails were delivered then.
_READ_AFTER = timedelta(days=7)
_REASON: Final = (
    "A2A Commerce has not been opened to your company in Production yet. Ask your account manager for the contract, "
    "and submit the request again once it is signed."
)


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """A request as an officer made it. ``renews`` is the key of an earlier one, whose certificate it renews."""

    key: str
    officer: str
    application: str
    environment: Environment
    renews: str = ""
    names: tuple[str, ...] = ()
    rsa_bits: int | None = None


# A dozen certificates over four applications: the request, and how many days ago it was made.
_SIGNED: Final = (
    (DemoRequest("xbs-1", OLGA, XBS, MTF, rsa_bits=2048), 410),
    (DemoRequest("transactions-mtf", OWEN, TRANSACTIONS, MTF, rsa_bits=2048), 405),
    (DemoRequest("identity-mtf", OWEN, IDENTITY, MTF), 300),
    (DemoRequest("identity-lost", OWEN, IDENTITY, PRODUCTION), 260),
    (DemoRequest("xbs-2", OWEN, XBS, MTF, renews="xbs-1", rsa_bits=2048), 215),
    (DemoRequest("identity", OLGA, IDENTITY, PRODUCTION, names=("identity.acme.example",)), 199),
    (DemoRequest("xbs-production", OLGA, XBS, PRODUCTION, rsa_bits=3072), 180),
    (DemoRequest("portal-mtf", OLGA, PORTAL_CLIENT, MTF), 150),
    (DemoRequest("transactions", OWEN, TRANSACTIONS, PRODUCTION), 120),
    (
        DemoRequest("portal-pair", OLGA, PORTAL_CLIENT, MTF, names=("a.pay.acme.example", "b.pay.acme.example")),
        60,
    ),
    (DemoRequest("xbs-3", OLGA, XBS, MTF, renews="xbs-2", rsa_bits=2048), 25),
)
_EXPIRING: Final = DemoRequest("portal", OLGA, PORTAL_CLIENT, PRODUCTION, rsa_bits=2048)


@transaction.atomic
def create_demo_inventory(people: Mapping[str, User], *, now: datetime) -> None:
    """Fill the inventories of the demo companies, and leave one request in every state.

    ``people`` are the demo accounts by e-mail address; their access must have been granted before. Globex has one
    officer and no certificate.
    """
    create_applications()
    story = Story(people, now=now)
    story.tell()
    record_demo_calls(_refused_calls(story.certificate_id("portal-mtf"), now=now), now=now)
    _deliver_what_is_old(now=now)


class Story:
    """What happened, in the order of time, as numbers, audit log and histories show it."""

    def __init__(self, people: Mapping[str, User], *, now: datetime) -> None:
        self._people = people
        self._now = now
        self._applications = {application.code: application for application in Application.objects.all()}
        self._entries: dict[str, InventoryEntry] = {}
        self._open: dict[str, CertificateRequest] = {}
        self._steps: list[tuple[datetime, Callable[[datetime], object]]] = []

    def certificate_id(self, key: str) -> UUID:
        """The certificate that was signed for a request."""
        return self._entries[key].certificate_id

    def tell(self) -> None:
        """Do everything, the oldest first."""
        for made, days in _SIGNED:
            self._sign(made, at=self._ago(days))
        self._sign(_EXPIRING, at=issued_for_days_left(EXPIRES_IN_DAYS, now=self._now))
        self._at(self._ago(200), lambda at: self._revoke("identity-lost", by=OWEN, at=at))
        self._decide_by_hand()
        self._leave_open()
        for at, step in sorted(self._steps, key=lambda planned: planned[0]):
            step(at)

    def _decide_by_hand(self) -> None:
        rejected = DemoRequest("rejected", OWEN, A2A, PRODUCTION)
        self._at(self._ago(45), lambda at: self._submit(rejected, at=at))
        self._at(self._ago(44.2), lambda at: self._begin("rejected", at=at))
        self._at(self._ago(44), lambda at: self._reject("rejected", at=at))
        cancelled = DemoRequest("cancelled", OLGA, A2A, MTF)
        self._at(self._ago(30), lambda at: self._submit(cancelled, at=at))
        self._at(self._ago(29.9), lambda at: self._cancel("cancelled", at=at))

    def _leave_open(self) -> None:
        self._at(self._ago(2.2), lambda at: self._submit(DemoRequest("reviewed", OWEN, A2A, MTF), at=at))
        self._at(self._ago(1.1), lambda at: self._begin("reviewed", at=at))
        draft = DemoRequest("draft", OWEN, IDENTITY, MTF, names=("insights.acme.example",))
        self._at(self._ago(0.9), lambda at: self._draft(draft, at=at))
        self._at(self._ago(0.15), lambda at: self._submit(DemoRequest("waiting", OLGA, A2A, PRODUCTION), at=at))
        # Globex lacks an officer: its draft cannot be submitted.
        self._at(self._ago(5), lambda at: self._draft(DemoRequest("globex", GRETA, PORTAL_CLIENT, MTF), at=at))

    def _ago(self, days: float) -> datetime:
        return self._now - timedelta(days=days)

    def _at(self, moment: datetime, step: Callable[[datetime], object]) -> None:
        self._steps.append((moment, step))

    def _sign(self, made: DemoRequest, *, at: datetime) -> None:
        """Plan a request so that the automatic review signs it at this moment."""
        begin = at - automatic_review.delay()
        self._at(begin, lambda moment: self._submit(made, at=moment))
        self._at(at, lambda moment: self._process(made.key, at=moment))

    def _draft(self, made: DemoRequest, *, at: datetime) -> CertificateRequest:
        officer = self._people[made.officer]
        actor = Actor(officer.email)
        request = self._started(made, at=at)
        wanted = wanted_of(request)
        subject = wanted.subject_rules.example_subject(unique_part(at))
        csr = build_request(subject, new_private_key(rsa_bits=made.rsa_bits))
        name = f"{made.application}-{made.environment}.csr"
        request = drafts.save_csr(request, csr, name=name, by=officer, actor=actor, now=at)
        return drafts.save_names(request, made.names, contact=officer.email, by=officer, actor=actor, now=at)

    def _started(self, made: DemoRequest, *, at: datetime) -> CertificateRequest:
        officer = self._people[made.officer]
        actor = Actor(officer.email)
        if made.renews:
            return drafts.start_renewal(self._entries[made.renews], by=officer, actor=actor, now=at)
        return drafts.start_new(
            officer,
            key=uuid4(),
            application=self._applications[made.application],
            environment=made.environment,
            profile=Profile.CLIENT,
            contact=officer.email,
            actor=actor,
            now=at,
        )

    def _submit(self, made: DemoRequest, *, at: datetime) -> None:
        officer = self._people[made.officer]
        draft = self._draft(made, at=at)
        self._open[made.key] = requests.submit(draft, by=officer, actor=Actor(officer.email), now=at)

    def _process(self, key: str, *, at: datetime) -> None:
        """What the worker does when the time of a request has come."""
        request = self._open.pop(key)
        automatic_review.process(request.pk, now=at)
        request.refresh_from_db()
        if request.entry is None:
            raise RuntimeError(f"The demo request {key} was not signed: {request.reason or request.state}")
        self._entries[key] = request.entry

    def _begin(self, key: str, *, at: datetime) -> None:
        kim = self._people[KIM]
        key_management.begin_review(self._open[key], by=kim, actor=Actor(kim.email), now=at)

    def _reject(self, key: str, *, at: datetime) -> None:
        kim = self._people[KIM]
        key_management.reject(self._open[key], reason=_REASON, by=kim, actor=Actor(kim.email), now=at)

    def _cancel(self, key: str, *, at: datetime) -> None:
        request = self._open[key]
        requests.cancel(request, by=request.officer, actor=Actor(request.officer.email), now=at)

    def _revoke(self, key: str, *, by: str, at: datetime) -> None:
        reason = RevocationReason.SUPERSEDED
        entries.revoke(self._entries[key], reason=reason, actor=Actor(self._people[by].email), now=at)


def _refused_calls(certificate_id: UUID, *, now: datetime) -> Iterator[SeenCall]:
    """Somebody tried it before it was uploaded to a project: it is known, and refused."""
    habit = Habit((1,) * 24, ("10.20.9.5",), "sandbox", ReasonCode.NOT_ON_PROJECT)
    yield from calls(certificate_id, habit, since=now - timedelta(hours=30), until=now - timedelta(hours=27))


def _deliver_what_is_old(*, now: datetime) -> None:
    """Mails of a year are not delivered today, nor does the bell count what was read long ago."""
    old = Notice.objects.filter(created_at__lt=now - _READ_AFTER)
    old.filter(channel=Channel.MAIL, state=NoticeState.DUE).update(state=NoticeState.SENT, sent_at=F("created_at"))
    old.filter(channel=Channel.BELL, read_at=None).update(read_at=F("created_at"))
