"""What stands twenty times on `Project summary`, each written in one go.

All text is escaped before markup is added to it; addresses, badges, icons and moments come as markup.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.template import Library
from django.utils.html import escape
from django.utils.safestring import SafeString

from connect.addresses import address_of
from connect.lifecycle import Status
from connect.templatetags.look import badge, breakable, days_left, icon, visible, when
from portal.credentials import Row
from portal.guided_rotation import Guide, Step
from portal.models import Environment, Project

register = Library()


@register.simple_tag
def certificates_in_words(rows: Iterable[Row], project: Project, works_in_production: bool) -> SafeString:
    """A row of the table for each certificate of the project."""
    return SafeString("".join(_row(row, project, works_in_production) for row in rows))


@register.simple_tag
def steps_of(guide: Guide, may_rotate: bool) -> SafeString:
    """The four steps of a rotation; ``may_rotate`` shows the buttons that change something."""
    following = guide.next
    return SafeString(
        "".join(
            _step(step, number, guide, is_next=step is following, may_rotate=may_rotate)
            for number, step in enumerate(guide.steps, 1)
        )
    )


def _row(row: Row, project: Project, works_in_production: bool) -> str:
    credential, certificate = row.credential, row.certificate
    page = escape(address_of("portal:credential", project.pk, credential.environment, credential.pk))
    notes = "<small>in rotation</small>" if row.replaced_by or row.replaces else ""
    left = f"<small>{days_left(row.days_left)}</small>"
    is_there = credential.environment == Environment.PRODUCTION and row.status != Status.EXPIRED
    if is_there and not works_in_production:
        notes += "<small>does not work yet</small>"
    cells = (
        f'<th scope="row"><a href="{page}">{breakable(credential.alias)}</a>'
        f'<small class="mono">{breakable(certificate.common_name)}</small></th>',
        f'<td data-label="Environment">{escape(credential.get_environment_display())}</td>',
        f'<td data-label="Status"><span>{badge(row.status)}{notes}</span></td>',
        f'<td data-label="Live from">{when(certificate.not_before)}</td>',
        f'<td data-label="Until"><span>{when(certificate.not_after)}{left}</span></td>',
        f'<td data-label="Then">{_then(row)}</td>',
    )
    past = ' class="past"' if row.status == Status.EXPIRED else ""
    lines = "\n        ".join(cells)
    return f"\n      <tr{past}>\n        {lines}\n      </tr>\n      "


def _then(row: Row) -> str:
    if row.replaced_by:
        return f"<span>{breakable(row.replaced_by.alias)} takes over</span>"
    if row.status == Status.EXPIRED:
        return '<strong class="text-bad">No successor</strong>'
    gap = f"Gap from {when(row.certificate.not_after)}"
    return f'<strong class="text-bad">{gap}</strong>' if row.status == Status.EXPIRING_SOON else f"<span>{gap}</span>"


def _step(step: Step, number: int, guide: Guide, *, is_next: bool, may_rotate: bool) -> str:
    state = "ok" if step.done else "mine" if is_next else ""
    current = ' aria-current="step"' if is_next else ""
    done = '<span class="hidden">, done</span>' if step.done else ""
    at = f"{when(step.at, 'time')}. " if step.at else ""
    return (
        f'\n    <li class="{state}"{current}>\n      {icon(_icon(step, guide, is_next=is_next))}\n'
        f'      <div><strong><span class="muted">{number}. {step.name}:</span> {visible(step.title)}{done}</strong>'
        f"<small>{at}{visible(step.text)}</small></div>\n"
        f"      {_button(step, guide, may_rotate=may_rotate) if is_next else ''}\n    </li>\n    "
    )


def _icon(step: Step, guide: Guide, *, is_next: bool) -> str:
    if step.done:
        return "check"
    if guide.is_done:
        return "alert"
    return "hourglass" if is_next else "minus"


def _button(step: Step, guide: Guide, *, may_rotate: bool) -> str:
    action, old = step.action, guide.old.credential
    if action is None or (action.is_change and not may_rotate):
        return ""
    return (
        f'<a class="btn small" id="guide-{step.name.lower()}-{old.pk}" href="{escape(action.url)}">{icon(action.icon)}'
        f'{escape(action.label)}<span class="hidden"> {escape(old.alias)}</span></a>'
    )
