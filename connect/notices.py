"""Tell people what happened: by mail, and in the bell menu. One row for each message, recipient and channel.

A use-case calls ``announce`` inside the transaction that makes the change. Rows are the truth; ``connect.tasks``
delivers the mails after the commit, and its sweep finds those whose message was lost.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL
from django.template import Context, engines
from django.template.backends.django import DjangoTemplates

from audit.statements import ask
from certauthority.background import enqueue
from connect.clock import company_time
from connect.models import Channel, Company, Notice, NoticeState, User
from connect.text import one_line, printable
from connect.webhooks import announcing

SUBJECT_LENGTH = 200
_SAMPLE = "This is a sample that you asked for. The names, numbers and dates in it are invented."


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom to tell. A group mailbox belongs to no user, and gets mail only."""

    address: str
    user: User | None = None


# Who reads the message of a webhook.
_ANOTHER_SYSTEM = Recipient("")


def people(users: Iterable[User]) -> list[Recipient]:
    """Users as recipients; those who may not sign in any more are left out."""
    return [Recipient(user.email, user) for user in users if user.is_active]


def people_by_key(keys: Collection[UUID]) -> dict[UUID, Recipient]:
    """The same by the keys of users, in one query, however many roles each of them has."""
    users = User.objects.filter(pk__any_of=keys).order_by()
    return {user.pk: Recipient(user.email, user) for user in users if user.is_active}


def announce(
    kind: str,
    *,
    event: str,
    to: Iterable[Recipient],
    company: Company | None,
    link: str,
    now: datetime,
    context: Mapping[str, object],
    scope: str = "",
    watched: str = "",
) -> None:
    """Store a message for each recipient and deliver it after the commit.

    ``kind`` names the templates ``notices/<kind>.txt`` (the first line is the subject) and ``.html``; ``event`` names
    what happened, and the same event reaches the same address once, however often it is announced. ``link`` is the
    path of the one next step. ``scope`` is whose page ``Notices`` it is on: the public id of a project, or of the
    company for KMP; ``watched`` which certificate it is about (``connect.expiry.sources.Lifetime.watched``).
    The webhooks of the scope are told as well.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A notice belongs to the change it tells of: announce inside transaction.atomic()")
    message = _Message(kind, event, company, scope, watched, link, now, context)
    rows = [row for recipient in each_once(to) for row in message.rows_for(recipient)]
    Notice.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    if rows:
        transaction.on_commit(partial(_bring_forward, event))
    if scope and company is not None:
        write_it = partial(write, kind, recipient=_ANOTHER_SYSTEM, link=link, context=context)
        announcing.tell(
            kind, event=event, company=company, scope=scope, watched=watched, link=link, write=write_it, now=now
        )


@dataclass(frozen=True, slots=True)
class _Message:
    """What ``announce`` was given, but for whom."""

    kind: str
    event: str
    company: Company | None
    scope: str
    watched: str
    link: str
    now: datetime
    context: Mapping[str, object]

    def rows_for(self, recipient: Recipient) -> Iterator[Notice]:
        """One mail, and one for the bell where the recipient can sign in."""
        written = write(self.kind, recipient=recipient, link=self.link, context=self.context)
        for channel in Channel:
            is_bell = channel is Channel.BELL
            if is_bell and recipient.user is None:
                continue
            yield Notice(
                id=uuid.uuid4(),
                event=self.event,
                kind=self.kind,
                channel=channel,
                address=recipient.address.lower(),
                recipient=recipient.user,
                company=self.company,
                scope=self.scope,
                watched=self.watched,
                subject=written.subject,
                text=written.text,
                html="" if is_bell else written.html,
                link=self.link,
                state=NoticeState.SENT if is_bell else NoticeState.DUE,
                created_at=self.now,
                company_at=company_time(self.company, self.now),
                due_at=self.now,
                sent_at=self.now if is_bell else None,
            )


@dataclass(frozen=True, slots=True)
class Written:
    """A message as it goes out."""

    subject: str
    text: str
    html: str


def write(kind: str, *, recipient: Recipient, link: str, context: Mapping[str, object]) -> Written:
    """The message of a kind to one recipient, by its templates. With ``is_sample`` in the context it says so."""
    values = {**context, "recipient": recipient, "site_url": settings.SITE_URL, "link_url": absolute(link)}
    first, _, text = _rendered(f"notices/{kind}.txt", values, is_html=False).strip().partition("\n")
    if context.get("is_sample"):
        first, text = f"[Sample] {first}", f"{_SAMPLE}\n\n{text.strip()}"
    subject = one_line(first, at_most=SUBJECT_LENGTH)
    html = _rendered(f"notices/{kind}.html", {**values, "subject": subject}, is_html=True)
    return Written(subject, printable(text).strip(), html)


def absolute(path: str) -> str:
    """A path of this site as an address."""
    return f"{settings.SITE_URL}{path}"


# The same as ``_unread``. Every page asks it, and Django would take longer to write it than the database to answer.
_UNREAD = """
SELECT count(*) FROM (
  SELECT 1 FROM connect_notice WHERE recipient_id = %s AND channel = 'bell' AND read_at IS NULL LIMIT %s) unread"""
# Spelt out for the indexes by recipient, which hold these alone: the generic plan of a prepared statement does not know
# what a parameter is.
_OF_BELL = RawSQL("connect_notice.channel = 'bell'", (), output_field=BooleanField())


def unread_count(user: User, *, at_most: int) -> int:
    """How many bell notices somebody has not read, counted no further than ``at_most``."""
    return int(ask(_UNREAD, [user.pk.hex, at_most])[0][0])


def mark_read(user: User, *, now: datetime, only: Notice | None = None) -> None:
    """Remember that somebody has seen one notice of theirs, or all."""
    unread = _unread(user)
    (unread.filter(pk=only.pk) if only is not None else unread).update(read_at=now)


def bell_of(user: User) -> QuerySet[Notice]:
    """Somebody's bell notices, newest first."""
    return Notice.objects.filter(_OF_BELL, recipient=user).order_by("-created_at", "-id")


def _unread(user: User) -> QuerySet[Notice]:
    return Notice.objects.filter(_OF_BELL, recipient=user, read_at=None)


def each_once(to: Iterable[Recipient]) -> Iterator[Recipient]:
    """Each address once; a user goes before a mailbox with the same address."""
    found: dict[str, Recipient] = {}
    for recipient in to:
        key = recipient.address.lower()
        if key not in found or found[key].user is None:
            found[key] = recipient
    yield from found.values()


def _rendered(name: str, values: Mapping[str, object], *, is_html: bool) -> str:
    engine = engines["django"]
    if not isinstance(engine, DjangoTemplates):
        raise TypeError("mails are written in Django's template language")
    text = engine.engine.get_template(name).render(Context(dict(values), autoescape=is_html))
    return text.replace("\x00", "")  # PostgreSQL cannot store it.


def _bring_forward(event: str) -> None:
    """Tell a worker of the mails of an event: one message, however many there are."""
    from connect.tasks import deliver_event  # noqa: PLC0415  tasks deliver what this module stores

    enqueue(deliver_event, event)
