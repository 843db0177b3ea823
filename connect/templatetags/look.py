"""Template tags and filters of the look. A builtin library: templates need no ``{% load %}`` for it.

Whatever comes in is untrusted: every tag escapes its arguments before it adds markup of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from django.contrib.messages.storage.base import Message
from django.forms import BoundField
from django.template import Library
from django.templatetags.static import static
from django.utils.formats import date_format
from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import SafeData, SafeString

from connect.badges import BADGES

register = Library()

_HEX = re.compile(r"\A[0-9A-Fa-f]+\Z")
# Where a long common name, address or DN may be broken: after these characters.
_BREAK_AFTER = re.compile(r"(?<=[-./@_=,:])(?=[^-./@_=,:])")
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z])")
# Characters that cannot be seen or that change the order of what is seen: control and format characters (among them
# NUL, C0, C1 and the bidirectional controls), line and paragraph separators, lone surrogates, private use, unassigned.
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})


_MESSAGE_LOOK = {
    "success": ("ok", "check-circle"),
    "warning": ("warn", "alert"),
    "error": ("bad", "cross-circle"),
    "debug": ("info", "info"),
    "info": ("info", "info"),
}


class _Judgement(Protocol):
    """What the rule card reads of a verdict."""

    @property
    def ok(self) -> bool: ...
    @property
    def kind(self) -> str: ...


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str) -> SafeString:
    """An icon of the sprite, without a name of its own: a word must stand beside it.

    Made once per process: a page of certificates has some hundred and fifty.
    """
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name)


@register.simple_tag
def badge(status: str, label: str = "") -> SafeString:
    """A state as icon, word and colour. ``status`` is a member of a TextChoices or its value; see ``connect.badges``.

    Raises:
        KeyError: for a state that has no badge yet; add it there.
    """
    return _badge(str(status), label)


# By type, too: what is markup already and the same text that is none are one key otherwise.
@lru_cache(maxsize=512, typed=True)
def _badge(status: str, label: str) -> SafeString:
    look = BADGES[status.replace("_", "-")]
    return format_html(
        '<span class="badge{}">{}{}</span>',
        f" {look.meaning}" if look.meaning else "",
        icon(look.icon),
        label or look.label,
    )


@register.simple_tag
def copy_button(text: object = "", label: str = "the text", *, source: str = "") -> SafeString:
    """A button that copies ``text``, or the content of the element with the id ``source``.

    ``label`` completes "Copy …": ``{% copy_button serial "the serial number" %}``. Without script it is not shown.
    """
    what = format_html('data-copy-from="{}"', source) if source else format_html('data-copy="{}"', text)
    return format_html(
        '<button class="copy" type="button" {} data-copy-name="{}" aria-label="Copy {}">{}{}</button>',
        what,
        label,
        label,
        icon("copy"),
        icon("check"),
    )


@register.filter
def colon_hex(value: object) -> str:
    """Bytes, a whole number or hex text as upper-case pairs with colons between: ``0a1b`` becomes ``0A:1B``.

    What is not hex comes back as it was.
    """
    if isinstance(value, (bytes, memoryview)):
        digits = bytes(value).hex()
    elif isinstance(value, int):
        digits = f"{value:x}"
    else:
        digits = str(value)
    if not _HEX.match(digits):
        return str(value)
    digits = digits.upper().zfill(len(digits) + len(digits) % 2)
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


@register.simple_tag
def serial(value: object) -> SafeString:
    """A serial number, readable and breakable. Alias and common name must stand beside it."""
    return SafeString(f'<span class="mono">{breakable(colon_hex(value))}</span>')  # Escaped by ``breakable``.


@register.simple_tag
def fingerprint(value: object) -> SafeString:
    """A fingerprint, readable and breakable. Say beside it of what: certificate SHA-256 or public key SHA-256."""
    return serial(value)


@register.filter
def breakable(value: object) -> SafeString:
    """Like ``visible``, and may break after a hyphen, dot, slash, at, underscore, equals sign, comma or colon."""
    text = str(value)
    if text.isprintable():
        # No character after which a text may break stands in what escaping writes, such as ``&lt;``.
        return SafeString(_BREAK_AFTER.sub("<wbr>", escape(text)))
    return format_html_join(SafeString("<wbr>"), "{}", ((visible(piece),) for piece in _BREAK_AFTER.split(text)))


@register.filter
def visible(value: object) -> SafeString:
    """Escaped text in which each character that cannot be seen is shown as its code point: ``<mark>U+202E</mark>``."""

    def shown(character: str) -> SafeString:
        if unicodedata.category(character) in _INVISIBLE:
            return format_html('<mark class="code-point">U+{}</mark>', f"{ord(character):04X}")
        return escape(character)

    text = str(value)
    if text.isprintable():
        return escape(text)
    return SafeString("".join(shown(character) for character in text))  # Each piece is escaped above.


@register.simple_tag
def marked(text: object, part: object = "") -> SafeString:
    """Escaped text with every occurrence of ``part`` in ``<mark>``; an empty part marks nothing."""
    if not part:
        return escape(text)
    between = format_html("<mark>{}</mark>", part)
    return format_html_join(between, "{}", ((piece,) for piece in str(text).split(str(part))))


@register.simple_tag
def widget(field: BoundField, hint: str = "") -> SafeString:
    """The input of a field, described by its errors and its hint (``_field.html`` gives them these ids)."""
    described = _described_by(field, hint)
    return field.as_widget(attrs={"aria-describedby": described} if described else {})


@register.simple_tag
def described_by(field: BoundField, hint: str = "") -> SafeString:
    """The attribute ``aria-describedby`` for a group of radio buttons, or nothing."""
    described = _described_by(field, hint)
    return format_html(' aria-describedby="{}"', described) if described else SafeString()


def _described_by(field: BoundField, hint: str) -> str:
    ids = []
    if field.errors:
        ids.append(f"{field.auto_id}_error")
    if hint or field.help_text:
        ids.append(f"{field.auto_id}_helptext")
    return " ".join(ids)


@register.simple_tag
def when(moment: datetime | None, style: str = "date", none: str = "Never") -> SafeString:
    """A moment in UTC as ``<time>``; ``none`` stands for no moment.

    ``style``: date (4 Jan 2027), long (4 January 2027), time (4 Jan 2027, 09:41 UTC) or second (…, 09:41:07 UTC).
    """
    if moment is None:
        return conditional_escape(none)
    return _when(moment.astimezone(UTC).replace(microsecond=0), style)


# A page has fifty moments, and shows the same ones again when it is asked for again.
@lru_cache(maxsize=4096)
def _when(moment: datetime, style: str) -> SafeString:
    pattern = {"date": "j M Y", "long": "j F Y", "time": "j M Y, H:i", "second": "j M Y, H:i:s"}[style]
    return format_html(
        '<time datetime="{}">{}{}</time>',
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        date_format(moment, pattern, use_l10n=False),
        " UTC" if style in ("time", "second") else "",
    )


@register.filter
def age(since: datetime, now: datetime) -> str:
    """How long something has waited, in its largest unit: ``2 days``, ``1 hour``, ``5 minutes``."""
    minutes = max(0, int((now - since).total_seconds()) // 60)
    for unit, length in (("day", 24 * 60), ("hour", 60), ("minute", 1)):
        count = minutes // length
        if count:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


@register.filter
def days_left(days: int) -> str:
    """A number of days as words: ``12 days left``, ``1 day left``, ``today``, ``3 days ago``."""
    if days == 0:
        return "today"
    unit = "day" if abs(days) == 1 else "days"
    return f"{days} {unit} left" if days > 0 else f"{-days} {unit} ago"


@register.inclusion_tag("_breadcrumbs.html")
def breadcrumbs(*labels_and_addresses: object) -> dict[str, list[tuple[object, object]]]:
    """The way to this page: label and address by turns, and last the label of the page itself.

    ``{% breadcrumbs "My Projects" projects_url project.name project_url "Team" %}``
    """
    labels = labels_and_addresses[0::2]
    addresses: list[object] = [*labels_and_addresses[1::2], ""]
    return {"crumbs": list(zip(labels, addresses, strict=True))}


@register.filter
def message_meaning(message: Message) -> str:
    """The class that gives a Django message its colours."""
    return _MESSAGE_LOOK[message.level_tag][0]


@register.filter
def message_icon(message: Message) -> str:
    """The icon of a Django message."""
    return _MESSAGE_LOOK[message.level_tag][1]


@register.filter
def message_parts(message: Message) -> Sequence[str]:
    """What is set in bold, then the rest: split at line breaks, else after the first sentence.

    A message that is markup already is split at line breaks only.
    """
    text = message.message
    if isinstance(text, SafeData):
        return [SafeString(line) for line in str(text).split("\n")]  # It was safe before it was split.
    lines = str(text).split("\n")
    return lines if len(lines) > 1 else _SENTENCE_END.split(lines[0], maxsplit=1)


@register.filter
def broken(verdicts: Iterable[_Judgement] | None) -> list[_Judgement]:
    """The verdicts of rules that are broken."""
    return [verdict for verdict in verdicts or () if not verdict.ok]


@register.filter
def kept(verdicts: Iterable[_Judgement] | None) -> list[_Judgement]:
    """The verdicts of rules that are kept."""
    return [verdict for verdict in verdicts or () if verdict.ok and verdict.kind == "rule"]


@register.filter
def notes(verdicts: Iterable[_Judgement] | None) -> list[_Judgement]:
    """The verdicts that only inform."""
    return [verdict for verdict in verdicts or () if verdict.ok and verdict.kind == "note"]
