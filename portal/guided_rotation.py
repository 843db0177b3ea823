"""The guided rotation: add, switch, prove, revoke, as a list that ticks itself from what portal and endpoint see.

A pure rule over rows and uses, and one reader for all rotations of a project. Step by step:

1. *Add* is done once a successor is noted.
2. *Switch* is done by the first accepted call with the new certificate.
3. *Prove* is done while the verdict says that the old one is safe to revoke; a call with the old one opens it again.
   Once the old one has ended, it tells whether that had been proven by then.
4. *Revoke* is done once the old one has ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from connect.addresses import address_of
from connect.lifecycle import Status
from connect.recent_use import lasting
from portal.credentials import Row, loaded, row, rows_of
from portal.models import Credential, Project
from portal.rotation import Pair, Rotation, pair_of, pairs_in, rotations_of
from portal.rotation_verdict import Side, Verdict, moment
from portal.summary_keys import MOST_ROTATIONS, SHOWN_WHEN_DONE, rotation_keys


@dataclass(frozen=True, slots=True)
class Action:
    """The button of a step. ``is_change`` is for the project's admins alone."""

    label: str
    url: str
    icon: str
    is_change: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of four. ``at`` is when it was done."""

    name: Literal["Add", "Switch", "Prove", "Revoke"]
    done: bool
    title: str
    text: str
    at: datetime | None = None
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class Guide:
    """A rotation with its four steps. ``new`` and ``verdict`` are None before the first is done."""

    old: Row
    new: Row | None
    verdict: Verdict | None
    steps: tuple[Step, Step, Step, Step]

    @property
    def is_done(self) -> bool:
        return self.steps[-1].done

    @property
    def next(self) -> Step | None:
        """The step whose turn it is."""
        return None if self.is_done else next((step for step in self.steps if not step.done), None)

    @property
    def is_well(self) -> bool:
        """Whether nothing is left but to revoke, or nothing at all. The old one may end before the new one is used."""
        return self.verdict is not None and (self.verdict.is_safe or (self.is_done and self.verdict.meaning == "ok"))

    @property
    def is_awaited(self) -> bool:
        """Whether calls at the endpoint can change it: from the first step on until the new one is used alone."""
        return self.new is not None and not (self.is_done and self.steps[1].done)

    @property
    def report_url(self) -> str:
        return _url("rotation_report", self.old.credential) if self.new is not None else ""

    @property
    def headline(self) -> str:
        """How it stands, in a few words."""
        if self.verdict is None:
            return "No successor yet"
        if not self.is_done:
            return self.verdict.title
        if self.is_well:
            return "The rotation is done"
        return "The new one has not been used yet" if not self.steps[1].done else "The new one has expired"


def to_begin(old: Row) -> Guide:
    """The guide of a certificate that nothing replaces yet."""
    page = address_of("portal:add_certificate", old.credential.project_id, old.credential.environment)
    add = Action("Add certificate", f"{page}?rotate={old.credential.pk}", "plus", is_change=True)
    return Guide(
        old=old,
        new=None,
        verdict=None,
        steps=(
            Step("Add", False, "Add the new certificate", "The old one stays live beside it.", action=add),
            Step("Switch", False, "Switch your code over", "Ticked by the first call with the new one."),
            Step("Prove", False, "Prove that nothing uses the old one", "Ticked once it is safe to revoke."),
            Step("Revoke", False, "Revoke the old certificate", "The last step."),
        ),
    )


def guide_of(rotation: Rotation) -> Guide:
    """The guide of a certificate and its successor."""
    old, new = rotation.pair.old, rotation.pair.new
    added = Step(
        "Add", True, "New certificate added", f"{new.credential.alias} replaces {old.credential.alias}.",
        at=new.credential.created_at,
    )  # fmt: skip
    return Guide(
        old=old,
        new=new,
        verdict=rotation.verdict,
        steps=(added, _switch(rotation), _prove(rotation), _revoke(rotation)),
    )


def guides_of(
    project: Project,
    *,
    ending: Sequence[Row],
    now: datetime,
    company_now: datetime,
    pairs: Sequence[Pair] | None = None,
) -> list[Guide]:
    """The rotations that a project's page shows: those under way, those just done, and those to begin.

    ``ending`` are the certificates that expire soon and have no live successor. ``pairs`` are those of the project,
    where they were read already. ``now`` is real time. The number of queries does not grow with certificates.
    """
    if pairs is None:
        keys = rotation_keys(project, real_now=now)
        pairs = pairs_in(rows_of({key for pair in keys for key in pair}, now=company_now), keys)
    found = [guide_of(one) for one in rotations_of(pairs, now=now, company_now=company_now)]
    under_way, done = (
        [one for one in found if not one.is_done],
        [one for one in found if one.is_done],
    )
    shown = {one.old.credential.pk for one in found}
    to_do = [to_begin(old) for old in ending if old.credential.pk not in shown]
    return [*under_way, *to_do, *done][:MOST_ROTATIONS]


def guide_for(credential: Credential, *, now: datetime, company_now: datetime) -> Guide | None:
    """The guide on a certificate's own page, for the old and for the new one: while it is under way and for a day.

    One that expires soon or has expired, and has no live successor, is asked to begin.
    """
    pair = pair_of(credential, now=company_now)
    if pair is not None and pair.new.is_live:
        ended_at = pair.old.credential.ended_at
        if ended_at is not None and now - ended_at > SHOWN_WHEN_DONE:
            pair = None
        else:
            return guide_of(rotations_of([pair], now=now, company_now=company_now)[0])
    (shown,) = (row(one, now=company_now) for one in loaded([credential.pk]))
    is_ending = shown.is_live and shown.replaced_by is None and shown.status in (Status.EXPIRING_SOON, Status.EXPIRED)
    return to_begin(shown) if is_ending else None


def state_of(guides: Sequence[Guide]) -> str:
    """Two short texts with a dot between: the first changes with the ticks, the second with whatever the cards say.

    Polling is answered by nothing while both are as they were, and read out only where the first has changed.
    """
    ticks = [(guide.verdict and guide.verdict.code, [step.done for step in guide.steps]) for guide in guides]
    shown = [(guide.headline, guide.steps) for guide in guides]
    return ".".join(hashlib.sha256(repr(part).encode()).hexdigest()[:12] for part in (ticks, shown))


def _switch(rotation: Rotation) -> Step:
    old, new = rotation.old, rotation.new
    if new.seen.first_at is not None:
        text = f"{new.alias} was first accepted by the endpoint."
        return Step("Switch", True, "First call with the new one", text, at=new.seen.first_at)
    page = _url("credential", rotation.pair.new.credential)
    text = f"Waiting for the first call with {new.alias}. {old.alias} stays live meanwhile."
    if new.seen.refused:
        text = f"{new.seen.refused:,} of its calls refused in the last hour: its page says why."
    return Step("Switch", False, "Switch your code over", text, action=Action("Try it", f"{page}#try-it", "terminal"))


def _prove(rotation: Rotation) -> Step:
    verdict, old, new = rotation.verdict, rotation.old, rotation.new
    report = Action("Rotation report", _url("rotation_report", rotation.pair.old.credential), "chart")
    if old.ended_at is not None:
        if _was_proven(old, new, ended_at=old.ended_at):
            silence = "never been used"
            if old.seen.last_at is not None:
                silence = f"been silent for {lasting(old.ended_at - old.seen.last_at)}"
            text = f"{new.alias} was in use, and {old.alias} had {silence}."
            return Step("Prove", True, "Nothing used the old one any more", text, action=report)
        text = f"{old.alias} ended before this was proven: look for refused calls."
        return Step("Prove", False, "Not proven", text, action=report)
    if new.seen.first_at is None:
        return Step("Prove", False, "Prove that nothing uses the old one", verdict.text)
    if verdict.is_safe:
        quiet = [at for at in (old.quiet_from, new.seen.first_at) if at is not None]
        since = new.seen.last_at if old.is_expired else max(quiet)
        return Step("Prove", True, verdict.title, verdict.text, at=since, action=report)
    return Step("Prove", False, verdict.title, verdict.text, action=report)


def _was_proven(old: Side, new: Side, *, ended_at: datetime) -> bool:
    if new.seen.first_at is None or new.seen.first_at > ended_at:
        return False
    return old.quiet_from is None or old.quiet_from <= ended_at


def _revoke(rotation: Rotation) -> Step:
    old = rotation.old
    if old.ended_at is not None:
        text = f"{old.alias} is refused since {moment(old.ended_at)}."
        return Step("Revoke", True, "Old certificate ended", text, at=old.ended_at)
    action = Action(
        "Revoke the old one", _url("credential_revoke", rotation.pair.old.credential), "ban", is_change=True
    )
    text = "It cannot be undone." if rotation.verdict.is_safe else "Only once it is proven that nothing uses it."
    return Step("Revoke", False, "Revoke the old certificate", text, action=action)


def _url(name: str, credential: Credential) -> str:
    return address_of(f"portal:{name}", credential.project_id, credential.environment, credential.pk)
