"""How each state is shown: its colour, its icon and its word."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Badge:
    """``meaning`` is the class that gives the colour, empty for none; ``icon`` is one of the sprite."""

    meaning: str
    icon: str
    label: str


BADGES = {
    "active": Badge("ok", "check-circle", "Active"),
    "expiring-soon": Badge("warn", "clock", "Expiring soon"),
    "renewed": Badge("", "arrow", "Renewed"),
    "expired": Badge("bad", "cross-circle", "Expired"),
    "revoked": Badge("ink", "ban", "Revoked"),
    "use-ended": Badge("ink", "ban", "Use ended"),
    "project-deleted": Badge("ink", "ban", "Project deleted"),
    "not-yet-valid": Badge("info", "hourglass", "Not yet valid"),
    "rotating": Badge("mine", "rotate", "In rotation"),
    "admin": Badge("mine", "key", "Admin"),
    "unread": Badge("mine", "bell", "New"),
    "read-only": Badge("", "eye", "Read-only"),
    "enabled": Badge("ok", "check", "Enabled"),
    "disabled": Badge("", "minus", "Disabled"),
    "broken": Badge("bad", "cross", "Broken"),
    "kept": Badge("ok", "check", "Kept"),
    "snoozed": Badge("info", "snooze", "Snoozed"),
    "note": Badge("info", "info", "Note"),
    "pending": Badge("warn", "hourglass", "Access pending"),
    "granted": Badge("ok", "check-circle", "Granted"),
    "approved": Badge("ok", "check-circle", "Approved"),
    "to-do": Badge("warn", "alert", "To do"),
    "waiting": Badge("info", "hourglass", "Waiting for staff"),
    "done": Badge("ok", "check", "Done"),
    "refused": Badge("bad", "cross-circle", "Refused"),
    "withdrawn": Badge("ink", "ban", "Withdrawn"),
    "cancelled": Badge("", "minus", "Cancelled"),
    "confirmed": Badge("ok", "check-circle", "Confirmed"),
    "verified": Badge("ok", "check-circle", "Verified"),
    "not-verified": Badge("warn", "alert", "Not verified"),
    "draft": Badge("open", "pencil", "Draft"),
    "submitted": Badge("info", "send", "Submitted"),
    "in-review": Badge("info", "eye", "In review"),
    "signed": Badge("ok", "check", "Signed"),
    "rejected": Badge("bad", "cross", "Rejected"),
    "match": Badge("ok", "check", "Match"),
    "may-differ": Badge("info", "info", "May differ"),
    "change": Badge("bad", "cross", "Change this"),
    "due": Badge("info", "hourglass", "Due"),
    "sent": Badge("ok", "mail", "Sent"),
    "failed": Badge("bad", "cross-circle", "Failed"),
    "skipped": Badge("", "minus", "Skipped"),
}
