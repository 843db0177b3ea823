"""The audit log in words. Each portal brings the words for its own actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import models

from audit.models import AuditEvent


@dataclass(frozen=True, slots=True)
class Change:
    """One value that an event set. ``before`` is empty where there was none. ``kind``: text, time or hex."""

    name: str
    before: object
    after: object
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as a page shows it."""

    event: AuditEvent
    sentence: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Wording:
    """How a portal's events read.

    ``sentences`` say what an action did: {label} is the object's own name, other names are values after the change, or
    before it where nothing is left. ``names`` are those of values whose key does not read well by itself, ``said`` the
    values of each action that its sentence says, or a page of its own. ``choices`` give values their labels.
    """

    sentences: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, set[str]] = field(default_factory=dict)
    choices: Mapping[str, type[models.TextChoices]] = field(default_factory=dict)

    def entry(self, event: AuditEvent) -> Entry:
        """An event in words. An action without words of its own is shown by its name."""
        values = {"label": event.object_label, **self._in_words(event.before), **self._in_words(event.after)}
        pattern = self.sentences.get(event.action, "")
        try:
            sentence = pattern.format_map(values)
        except KeyError:
            sentence = ""
        return Entry(
            event=event,
            sentence=sentence or f"{event.action} {event.object_label}",
            changes=tuple(self._changes(event, said=self.said.get(event.action, set()) if sentence else set())),
        )

    def _changes(self, event: AuditEvent, *, said: set[str]) -> list[Change]:
        changes = []
        for name in dict.fromkeys([*event.before, *event.after]):
            before, after = self._in_words(event.before).get(name, ""), self._in_words(event.after).get(name, "")
            if name in said or before == after == "":
                continue
            label = self.names.get(name, name.replace("_", " ").capitalize())
            if name == "not_after":
                changes.append(Change(label, _moment(before), _moment(after), kind="time"))
                continue
            kind = "hex" if name in ("serial", "fingerprint") else "text"
            changes.append(Change(label, before, after, kind=kind))
        return changes

    def _in_words(self, values: Mapping[str, object]) -> dict[str, str]:
        return {name: self._word(name, value) for name, value in values.items()}

    def _word(self, name: str, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        text = str(value)
        choices = self.choices.get(name)
        return str(choices(text).label) if choices is not None and text in choices.values else text


def _moment(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text
