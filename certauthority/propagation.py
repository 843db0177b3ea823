"""How what was done with a certificate spreads: to the endpoint, to OCSP, to the CRL. Rules over ``Facts``, no queries.

All times are real time, as at the endpoint, in OCSP and in CRLs. ``certauthority.propagation_facts`` reads the facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from certauthority.ocsp.answers import LIFETIME

# A call that was judged a moment before the revocation was committed may be noted as one after it.
GRACE = timedelta(seconds=1)
# For so long after a change a page goes on asking whether a call, or a response made ahead, has shown it.
WATCHED = timedelta(minutes=15)


class State(StrEnum):
    """How far a step is. The value is the class of its line."""

    DONE = "ok"
    WAITING = "mine"
    WRONG = "bad"
    ELSEWHERE = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One line. ``at`` is when it was so, ``later`` how long after the first step. ``until_text`` leads to ``until``.

    ``is_moving`` is whether it may soon say more than it does.
    """

    title: str
    state: State
    text: str = ""
    at: datetime | None = None
    later: str = ""
    until_text: str = ""
    until: datetime | None = None
    link: str = ""
    link_text: str = ""
    is_moving: bool = False


@dataclass(frozen=True, slots=True)
class SeenOnce:
    """A call at the endpoint."""

    at: datetime
    accepted: bool
    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one certificate at ``now``; ``judged_at`` is the time by which it has expired or not.

    ``issuer`` is its CA's name, ``is_ours`` whether that CA is one of the site's. ``calls`` are the last ones, newest
    first; ``calls_are_all`` is whether none was dropped. ``response_at`` is when the OCSP response that was made ahead
    says to be made, ``is_settled`` whether no older one can be given out. ``crl_number`` is a CRL of the second in
    which it was first listed, if that is still kept; it and ``crl_url`` are of the list that the certificate names,
    which is that of ``crl_shard`` or else the full one.
    """

    now: datetime
    judged_at: datetime
    issuer: str
    is_ours: bool
    recorded_at: datetime
    not_after: datetime
    first_used_at: datetime | None
    calls: Sequence[SeenOnce]
    calls_are_all: bool
    has_responder: bool
    response_at: datetime | None
    is_settled: bool
    revoked_at: datetime | None
    reason: str
    on_crl_at: datetime | None
    crl_number: int | None
    crl_url: str
    next_crl_at: datetime
    crl_shard: int | None = None


@dataclass(frozen=True, slots=True)
class Propagation:
    """The steps of one certificate, in their order."""

    steps: tuple[Step, ...]

    @property
    def is_moving(self) -> bool:
        """Whether a page is to ask again."""
        return any(step.is_moving or step.state == State.WAITING for step in self.steps)


def propagation_of(facts: Facts) -> Propagation:
    """From its beginning to OCSP, or from its revocation to the CRL."""
    if facts.revoked_at is not None:
        since = facts.revoked_at
        return Propagation(
            (
                Step("Revoked", State.DONE, f"With the reason “{facts.reason}”.", since),
                refused_at_endpoint(facts, since=since),
                _ocsp_revoked(facts, since=since),
                _on_crl(facts, since=since),
            )
        )
    first = "Issued" if facts.is_ours else "Added"
    steps = [Step(first, State.DONE, f"By {facts.issuer}.", facts.recorded_at), _accepted(facts), _good(facts)]
    if facts.judged_at > facts.not_after:
        text = "By the company’s clock, and the endpoint refuses it from then on."
        steps.append(Step("Expired", State.WRONG, text, facts.not_after))
    return Propagation(tuple(steps))


def refused_at_endpoint(facts: Facts, *, since: datetime) -> Step:
    """What the endpoint says once a certificate has ended: nothing is kept there, so it is refused from then on."""
    title = "Refused at the endpoint"
    accepted = [call for call in facts.calls if call.accepted and call.at > since + GRACE]
    if accepted:
        text = f"It was still accepted, from {accepted[0].address}. Tell the site’s staff."
        return Step("Accepted at the endpoint", State.WRONG, text, accepted[0].at, later(since, accepted[0].at))
    refused = [call for call in facts.calls if not call.accepted and call.at >= since]
    if not refused:
        text = "Each call is judged by what the database says then, so from that moment on. No call has come since."
        return Step(title, State.DONE, text, since, "at once", is_moving=facts.now < since + WATCHED)
    first = refused[-1]
    which = "First" if facts.calls_are_all else "Oldest kept"
    text = f"From that moment on. {which} refused call: from {first.address}, “{first.label}”."
    return Step(title, State.DONE, text, first.at, later(since, first.at))


def later(since: datetime, at: datetime) -> str:
    """How long after ``since``, in one unit: ``at once``, ``0.4 s later``, ``3 min later``, ``2 hours later``."""
    seconds = (at - since).total_seconds()
    if seconds < 0.05:
        return "at once"
    if seconds < 60:
        return f"{seconds:.1f} s later" if seconds < 10 else f"{seconds:.0f} s later"
    for unit, length, limit in (("min", 60, 120), ("hours", 3600, 48)):
        if seconds < limit * length:
            return f"{seconds // length:.0f} {unit} later"
    return f"{seconds // 86400:.0f} days later"


def next_hourly(minute: int, *, now: datetime) -> datetime:
    """The next moment at this minute of an hour, after ``now``."""
    at = now.astimezone(UTC).replace(minute=minute, second=0, microsecond=0)
    return at if at > now else at + timedelta(hours=1)


def _accepted(facts: Facts) -> Step:
    title = "Endpoint accepts it"
    last = facts.calls[0] if facts.calls else None
    if facts.first_used_at is not None:
        text = "Its first accepted call."
        if last is not None and not last.accepted:
            text += f" The last one was refused: “{last.label}”, from {last.address}."
        return Step(title, State.DONE, text, facts.first_used_at, later(facts.recorded_at, facts.first_used_at))
    if last is not None:
        text = f"The last call, from {last.address}, was answered “{last.label}”. The list of calls says more."
        return Step(
            "Endpoint refuses it", State.WRONG, text, last.at, link="#try-it", link_text="Try it", is_moving=True
        )
    return Step(title, State.WAITING, "No call has come yet.", link="#try-it", link_text="Try it")


def _good(facts: Facts) -> Step:
    title = "OCSP answers “good”"
    if not facts.is_ours:
        text = f"{facts.issuer} runs OCSP and CRLs for it, if it does. This site asks neither."
        return Step("OCSP and CRL", State.ELSEWHERE, text)
    if not facts.has_responder:
        text = "Its CA has no OCSP responder yet: worker and beat make one within a minute."
        return Step(title, State.WAITING, text)
    if facts.now >= facts.not_after:
        return Step(title, State.DONE, "It has ended: no response is made ahead any more.")
    if facts.response_at is None:
        text = "Signed for each who asks; a response made ahead follows within a minute."
        return Step(title, State.DONE, text, is_moving=facts.now < facts.recorded_at + WATCHED)
    return Step(title, State.DONE, "With a response made ahead.", facts.response_at)


def _ocsp_revoked(facts: Facts, *, since: datetime) -> Step:
    title = "OCSP says “revoked”"
    if not facts.is_settled:
        text = (
            "Redis did not answer, so it may hold an older response. None of this CA is taken from there meanwhile: "
            "each is signed anew and says “revoked”. Tried again every minute."
        )
        return Step(title, State.WAITING, text)
    text = "The response made ahead was taken away with the revocation"
    is_awaited = False
    if facts.response_at is not None and facts.response_at >= since.replace(microsecond=0):
        text += "; one that says “revoked” stands in its place."
    else:
        text += "; each is signed anew."
        is_awaited = since + WATCHED > facts.now < facts.not_after
    step = Step(title, State.DONE, text, since, "at once", is_moving=is_awaited)
    if facts.now >= since + LIFETIME:
        return step
    return replace(step, until_text="A client that keeps an older one may rely on it until", until=since + LIFETIME)


def _on_crl(facts: Facts, *, since: datetime) -> Step:
    if facts.on_crl_at is None:
        text = "A worker publishes it, as a rule within a second, and whatever is lost is looked for every minute."
        return Step("On the CRL", State.WAITING, text, until_text="At the latest", until=facts.next_crl_at)
    text = f"With number {facts.crl_number} of {facts.issuer}." if facts.crl_number else f"Of {facts.issuer}."
    if facts.crl_shard is not None:
        text += f" It is list {facts.crl_shard}, the one that the certificate names."
    step = Step(
        "On the CRL",
        State.DONE,
        text,
        facts.on_crl_at,
        later(since, facts.on_crl_at),
        link=facts.crl_url,
        link_text="Newest CRL",
    )
    on_full_at = next_hourly(facts.next_crl_at.minute, now=facts.on_crl_at)
    if facts.crl_shard is None or facts.now >= on_full_at:
        return step
    return replace(step, until_text="The full list of all has it from", until=on_full_at)
