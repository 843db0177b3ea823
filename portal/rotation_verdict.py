"""Whether the old certificate of a rotation may be revoked: the rule, without a database.

``docs/decisions/0010-rotation-verdict.md`` says why it is so. Uses are accepted calls, in real time. Whether a
certificate has expired is a matter of its company's clock, and was decided by whoever made the ``Side``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from connect.recent_use import HOUR, Seen, lasting

NOT_SAFE: Final = "It is not safe to revoke yet."


class VerdictCode(StrEnum):
    """What a change ticket reads. The names stay as they are."""

    SAFE = "SAFE"
    OLD_EXPIRED = "OLD_EXPIRED"
    OLD_ENDED = "OLD_ENDED"
    NEW_ENDED = "NEW_ENDED"
    NEW_EXPIRED = "NEW_EXPIRED"
    NEW_NOT_YET_VALID = "NEW_NOT_YET_VALID"
    NEITHER_USED = "NEITHER_USED"
    NEW_UNUSED = "NEW_UNUSED"
    OLD_IN_USE = "OLD_IN_USE"
    OLD_SILENT_BRIEFLY = "OLD_SILENT_BRIEFLY"
    OLD_USED_LAST = "OLD_USED_LAST"
    OLD_MAY_COME_BACK = "OLD_MAY_COME_BACK"
    NO_SUCCESSOR = "NO_SUCCESSOR"


@dataclass(frozen=True, slots=True)
class Side:
    """One certificate of a rotation at one moment.

    ``longest_pause`` is the longest time between two hours in which it was used, of the last 30 days.
    """

    alias: str
    seen: Seen
    is_expired: bool = False
    is_not_yet_valid: bool = False
    ended_at: datetime | None = None
    ended_label: str = ""
    longest_pause: timedelta = timedelta()

    @property
    def silence_wanted(self) -> timedelta:
        """For how long it must have been silent: an hour, and an hour more than it has paused before."""
        return self.longest_pause + HOUR

    @property
    def quiet_from(self) -> datetime | None:
        """From when on its silence is long enough; None for one that was never used."""
        return self.seen.last_at + self.silence_wanted if self.seen.last_at is not None else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A bold sentence, and what it rests on.

    ``safe_at`` is when silence alone will have made it safe, where that is all that is missing.
    """

    code: VerdictCode
    meaning: Literal["ok", "warn", "info"]
    title: str
    text: str
    safe_at: datetime | None = None

    @property
    def is_safe(self) -> bool:
        """Whether the old certificate can be revoked without a call being refused for it."""
        return self.code in (VerdictCode.SAFE, VerdictCode.OLD_EXPIRED)

    @property
    def icon(self) -> str:
        return {"ok": "check-circle", "warn": "alert", "info": "info"}[self.meaning]


def verdict_of(old: Side, new: Side) -> Verdict:
    """What is so of the old certificate, the first that applies: what has ended, then use, then silence."""
    if old.ended_at is not None:
        return _ended(old, new, ended_at=old.ended_at)
    if old.is_expired:
        return _expired(new)
    if new.ended_at is not None:
        text = f"{NOT_SAFE} No live certificate is noted as the successor of {old.alias}. Choose Rotate first."
        return Verdict(VerdictCode.NEW_ENDED, "warn", f"{new.alias}, which replaces it, has ended", text)
    if new.is_expired:
        text = "Whatever uses it is refused. Add a new certificate first."
        return Verdict(VerdictCode.NEW_EXPIRED, "warn", f"{new.alias}, which replaces it, has expired", text)
    if new.is_not_yet_valid:
        text = f"{NOT_SAFE} Whatever uses it is refused until then."
        return Verdict(VerdictCode.NEW_NOT_YET_VALID, "warn", f"{new.alias}, which replaces it, is not yet valid", text)
    if new.seen.first_at is None or new.seen.last_at is None:
        return _new_unused(old, new)
    if old.seen.last_at is None:
        text = (
            f"{new.alias} is live and has been in use since {moment(new.seen.first_at)}; {old.alias} has never been "
            "used at this site’s endpoint."
        )
        return Verdict(VerdictCode.SAFE, "ok", "Safe to revoke the old certificate", text)
    return _by_silence(old, new, last_at=old.seen.last_at, new_first_at=new.seen.first_at, new_last_at=new.seen.last_at)


def without_successor(old: Side) -> Verdict:
    """The same for a certificate that no live one is noted to replace: its own use is all there is."""
    if old.is_expired:
        text = "It has expired, so whatever still uses it is refused already."
        return Verdict(VerdictCode.OLD_EXPIRED, "ok", "It is safe to revoke", text)
    advice = "Whatever still uses it will be refused. To replace it first, choose Rotate."
    if old.seen.is_recent:
        title, text = still_in_use(old.seen), f"No live certificate is noted as its successor. {advice}"
        return Verdict(VerdictCode.NO_SUCCESSOR, "warn", title, text)
    last = "It has never been used at this site’s endpoint."
    if old.seen.last_at is not None and old.seen.silent_for is not None:
        last = f"It was last used on {moment(old.seen.last_at)}, {lasting(old.seen.silent_for)} ago."
    title = "No live certificate is noted as its successor"
    return Verdict(VerdictCode.NO_SUCCESSOR, "warn", title, f"{last} {advice}")


def still_in_use(seen: Seen) -> str:
    """``Still in use: 3 calls in the last hour from 10.0.0.5 and 2 more``."""
    where = f" from {seen.sources}" if seen.sources else ""
    return f"Still in use: {seen.calls_in_words} in the last hour{where}"


def moment(at: datetime) -> str:
    """A real moment in a sentence: ``4 January 2027 at 14:05 UTC``."""
    return f"{at.astimezone(UTC):%-d %B %Y at %H:%M} UTC"


def _ended(old: Side, new: Side, *, ended_at: datetime) -> Verdict:
    label = old.ended_label or "Ended"
    title, when = f"The old certificate has ended: {label.lower()}", f"{label} on {moment(ended_at)}."
    if new.ended_at is not None or new.is_expired:
        text = f"{when} {new.alias} cannot be used any more either: every call with one of them is refused."
        return Verdict(VerdictCode.OLD_ENDED, "warn", title, text)
    if new.seen.first_at is None:
        text = f"{when} {new.alias} is live, but has not been used yet: nothing shows that your code has moved."
        return Verdict(VerdictCode.OLD_ENDED, "warn", title, text)
    text = f"{when} {new.alias} is live and has been in use since {moment(new.seen.first_at)}. The rotation is done."
    return Verdict(VerdictCode.OLD_ENDED, "ok", title, text)


def _expired(new: Side) -> Verdict:
    text = "The old certificate has expired, so whatever still uses it is refused already."
    if new.ended_at is not None or new.is_expired:
        text += f" {new.alias}, which replaces it, cannot be used any more either: add a new certificate."
    elif new.seen.first_at is None:
        text += f" {new.alias} has not been used yet: move your code over to it."
    return Verdict(VerdictCode.OLD_EXPIRED, "ok", "Safe to revoke the old certificate", text)


def _new_unused(old: Side, new: Side) -> Verdict:
    refused = ""
    if new.seen.refused:
        calls = f"{new.seen.refused:,} call{'' if new.seen.refused == 1 else 's'}"
        refused = f" {calls} with it were refused in the last hour: its page says why."
    if old.seen.last_at is None:
        text = (
            f"{new.alias} is live and can take over, but this site has seen neither of them in use, so it cannot say "
            "whether every system has moved. Look into the logs of the server that you call before you revoke."
            f"{refused}"
        )
        return Verdict(VerdictCode.NEITHER_USED, "info", "Neither certificate has been used yet", text)
    used = f"{old.alias} was last used on {moment(old.seen.last_at)}"
    if old.seen.is_recent:
        used = f"{old.alias} was used {old.seen.recently}"
    text = f"{NOT_SAFE} {used}. Move your code over to {new.alias}, and wait for its first use.{refused}"
    return Verdict(VerdictCode.NEW_UNUSED, "warn", "The new certificate has not been used yet", text)


def _by_silence(old: Side, new: Side, *, last_at: datetime, new_first_at: datetime, new_last_at: datetime) -> Verdict:
    """Both were used: whether the old one has been silent for long enough while the new one was called."""
    now, silent_for, quiet_from = old.seen.now, old.seen.now - last_at, last_at + old.silence_wanted
    silence = f"The old certificate has been silent for {lasting(max(silent_for, timedelta()))}"
    if old.seen.is_recent and last_at >= new_first_at:
        text = (
            f"{NOT_SAFE} {old.alias} was last used on {moment(last_at)}, though {new.alias} has been in use since "
            f"{moment(new_first_at)}. Find the system that still uses it."
        )
        return Verdict(VerdictCode.OLD_IN_USE, "warn", still_in_use(old.seen), text)
    if new_last_at <= last_at:
        text = (
            f"{NOT_SAFE} {old.alias} was used on {moment(last_at)}, and {new.alias} has not been used since: nothing "
            "shows that your code has moved for good. Make a call with the new certificate."
        )
        return Verdict(VerdictCode.OLD_USED_LAST, "warn", "The last call came with the old certificate", text)
    if old.seen.is_recent:
        text = (
            f"{NOT_SAFE} Every call since {moment(new_first_at)} came with {new.alias}. {_how_long(old)}: "
            f"{moment(quiet_from)}."
        )
        return Verdict(VerdictCode.OLD_SILENT_BRIEFLY, "warn", f"{silence} only", text, quiet_from)
    if now < quiet_from:
        text = (
            f"{NOT_SAFE} In the last 30 days it paused for up to {lasting(old.longest_pause)} and came back: a job "
            f"that runs seldom may still have it. If it stays silent, it is safe from {moment(quiet_from)} on."
        )
        return Verdict(VerdictCode.OLD_MAY_COME_BACK, "warn", f"{silence}, but has paused for longer", text, quiet_from)
    text = (
        f"{new.alias} is live and has been in use since {moment(new_first_at)}, last on {moment(new_last_at)}; "
        f"{old.alias} has not been used for {lasting(silent_for)}."
    )
    return Verdict(VerdictCode.SAFE, "ok", "Safe to revoke the old certificate", text)


def _how_long(old: Side) -> str:
    """What has to pass before its silence is long enough."""
    if not old.longest_pause:
        return "Wait until a whole hour has passed without the old one"
    return (
        f"Wait until the old one has been silent for {lasting(old.silence_wanted)}, an hour longer than the "
        f"{lasting(old.longest_pause)} that may lie between two of its calls"
    )
