"""Second factors of sign-in: an authenticator app (TOTP, RFC 6238), passkeys, and recovery codes beside them.

django-allauth keeps the rows and knows the algorithms; what changes rows is here, each in one transaction with its
audit event and its notice. The first factor that is added and the last that is removed end the other sessions.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from audit.events import Actor, JsonScalar, record
from certauthority.sealing import Unreadable
from connect import second_factor_notices as notices
from connect.actors import audited_account
from connect.errors import LastFactor, NoFactor, NotAllowed, WrongCode
from connect.models import User
from connect.sessions import end_sessions
from connect.totp import matching_step
from connect.two_factor_rule import why_needed

log = logging.getLogger(__name__)

# In a session: its person has a second factor.
SESSION_KEY = "second_factor"
APP = "authenticator app"
_MAIN = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey or security key, by the name that its owner gave it."""

    id: int
    name: str
    added_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person has beside the password. ``app`` is the authenticator app, ``codes_left`` unused recovery codes."""

    app: Authenticator | None
    passkeys: tuple[Passkey, ...]
    codes_left: int | None

    @property
    def is_on(self) -> bool:
        """Whether sign-in asks for a second step."""
        return self.app is not None or bool(self.passkeys)


def factors_of(user: User) -> Factors:
    """Everything, by one query."""
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))
    apps = [row for row in rows if row.type == Authenticator.Type.TOTP]
    codes = [row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES]
    return Factors(
        app=apps[0] if apps else None,
        passkeys=tuple(_passkey(row) for row in rows if row.type == Authenticator.Type.WEBAUTHN),
        codes_left=_codes_left(codes[0]) if codes else None,
    )


def has_second_factor(user: User) -> bool:
    """Whether sign-in asks this person for a second step."""
    return bool(_main(user).exists())


@transaction.atomic
def add_app(user: User, *, secret: str, code: str, keep: str | None, actor: Actor, now: datetime) -> bool:
    """Add the authenticator app that shows ``code`` for ``secret``. Whether it is the person's first factor.

    ``keep`` is the session that stays when others end.

    Raises:
        WrongCode: the app shows another code now.
        NotAllowed: there is an app already.
    """
    _hold(user)
    if Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
        raise NotAllowed("An authenticator app is set up already. Remove it before you set up another one.")
    step = matching_step(secret, code, after=0, now=now)
    if step is None:
        raise WrongCode("This is not the code that the app shows now. Wait for the next one, and check your clock.")
    data = {"secret": encrypt(secret), "last_step": step}
    row = Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=data, created_at=now)
    return _added(user, row, APP, keep=keep, actor=actor, now=now)


@transaction.atomic
def add_passkey(
    user: User, *, name: str, credential: dict[str, object], keep: str | None, actor: Actor, now: datetime
) -> bool:
    """Add a passkey that ``connect.passkeys`` has checked. Whether it is the person's first factor."""
    _hold(user)
    data = {"name": name, "credential": credential}
    row = Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data, created_at=now)
    return _added(user, row, _in_words(row), keep=keep, actor=actor, now=now)


@transaction.atomic
def rename_passkey(row: Authenticator, *, name: str, actor: Actor, now: datetime) -> None:
    """Give a passkey another name."""
    held = Authenticator.objects.select_for_update().get(pk=row.pk)
    before = held.data["name"]
    if name == before:
        return
    held.data["name"] = name
    held.save(update_fields=["data"])
    values: dict[str, JsonScalar] = {"name": name}
    on = audited_account(held.user)
    record("account.passkey_renamed", actor=actor, on=on, now=now, before={"name": before}, after=values)


@transaction.atomic
def remove(user: User, row: Authenticator, *, keep: str | None, actor: Actor, now: datetime) -> bool:
    """Remove a factor of one's own. Whether it was the last.

    Raises:
        LastFactor: somebody who needs a second factor has no other.
        NoFactor: it was removed a moment ago.
    """
    _hold(user)
    if not _main(user).filter(pk=row.pk).exists():
        raise NoFactor("This was removed already.")
    is_last = not _main(user).exclude(pk=row.pk).exists()
    if is_last and (why := why_needed(user)):
        raise LastFactor(
            f"{why} So two-factor sign-in stays on. Add another app or passkey first, then remove this one."
        )
    key, name = row.pk, _in_words(row)
    Authenticator.objects.filter(pk=row.pk).delete()
    if is_last:
        Authenticator.objects.filter(user=user).delete()
        end_sessions(user, keep=keep)
    after: dict[str, JsonScalar] = {"factor": name, "is_last": is_last}
    record("account.two_factor_removed", actor=actor, on=audited_account(user), now=now, after=after)
    notices.tell_removed(user, name, event=str(key), is_last=is_last, by_staff=False, now=now)
    return is_last


@transaction.atomic
def remove_all(user: User, *, by: User, actor: Actor, now: datetime) -> None:
    """Let staff help who lost a phone or key: every factor goes, and every session ends.

    Raises:
        NotAllowed: staff use the page for their own.
        NoFactor: there is none.
    """
    if by.pk == user.pk:
        raise NotAllowed("Your own factors are removed on the page Sign-in and security.")
    _hold(user)
    names = [_in_words(row) for row in _main(user).order_by("created_at", "pk")]
    if not names:
        raise NoFactor(f"The account {user.email} has no second factor.")
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    after: dict[str, JsonScalar] = {"factor": ", ".join(names), "is_last": True}
    record("account.two_factor_removed", actor=actor, on=audited_account(user), now=now, after=after)
    notices.tell_removed(user, ", ".join(names), event=str(uuid.uuid4()), is_last=True, by_staff=True, now=now)


@transaction.atomic
def make_recovery_codes(user: User, *, actor: Actor, now: datetime) -> None:
    """Make new recovery codes; the earlier ones stop working.

    Raises:
        NoFactor: recovery codes replace a factor, and there is none.
    """
    _hold(user)
    if not has_second_factor(user):
        raise NoFactor("Recovery codes stand in for an authenticator app or a passkey. Set up one of them first.")
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    _make_codes(user, actor=actor, now=now)


def recovery_codes_of(user: User) -> list[str]:
    """The unused recovery codes in the clear; nothing where there are none that can be read."""
    row = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    try:
        return list(RecoveryCodes(row).get_unused_codes()) if row else []
    except Unreadable as error:
        log.error("recovery codes of an account cannot be used: %s", error)
        return []


@transaction.atomic
def use_code(user: User, code: str, *, actor: Actor, now: datetime) -> Authenticator | None:
    """The factor that this code belongs to, else None. No code works twice (RFC 6238, 5.2)."""
    rows = Authenticator.objects.select_for_update().filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN)
    for row in rows:
        try:
            found = _is_app_code(row, code, now=now) if row.type == Authenticator.Type.TOTP else _is_spare(row, code)
        except Unreadable as error:
            log.error("a second factor of an account cannot be used: %s", error)
            continue
        if found and row.type == Authenticator.Type.RECOVERY_CODES:
            row.refresh_from_db()
            left = _codes_left(row)
            after: dict[str, JsonScalar] = {"left": left}
            record("account.recovery_code_used", actor=actor, on=audited_account(user), now=now, after=after)
            notices.tell_code_used(user, event=f"{row.pk}:{left}", left=left, now=now)
        if found:
            return row
    return None


def passkey_of(user: User, key: int) -> Authenticator | None:
    """One's own passkey, else None."""
    row: Authenticator | None = Authenticator.objects.filter(
        user=user, pk=key, type=Authenticator.Type.WEBAUTHN
    ).first()
    return row


def _added(user: User, row: Authenticator, name: str, *, keep: str | None, actor: Actor, now: datetime) -> bool:
    is_first = not _main(user).exclude(pk=row.pk).exists()
    after: dict[str, JsonScalar] = {"factor": name, "is_first": is_first}
    record("account.two_factor_added", actor=actor, on=audited_account(user), now=now, after=after)
    notices.tell_added(user, name, event=str(row.pk), is_first=is_first, now=now)
    if is_first:
        end_sessions(user, keep=keep)
        Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
        _make_codes(user, actor=actor, now=now, tell=False)
    return is_first


def _make_codes(user: User, *, actor: Actor, now: datetime, tell: bool = True) -> None:
    row = RecoveryCodes.activate(user).instance
    record("account.recovery_codes_made", actor=actor, on=audited_account(user), now=now)
    if tell:
        notices.tell_codes_made(user, event=str(row.pk), now=now)


def _is_app_code(row: Authenticator, code: str, *, now: datetime) -> bool:
    step = matching_step(decrypt(row.data["secret"]), code, after=row.data.get("last_step", 0), now=now)
    if step is None:
        return False
    row.data["last_step"] = step
    row.save(update_fields=["data"])
    return True


def _is_spare(row: Authenticator, code: str) -> bool:
    return bool(RecoveryCodes(row).validate_code(code))


def _codes_left(row: Authenticator) -> int:
    return int(settings.MFA_RECOVERY_CODE_COUNT) - int(row.data["used_mask"]).bit_count()


def _main(user: User) -> QuerySet[Authenticator]:
    rows: QuerySet[Authenticator] = Authenticator.objects.filter(user=user, type__in=_MAIN)
    return rows


def _hold(user: User) -> None:
    """One change of a person's factors after the other, so that two at once cannot remove each other's reserve."""
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)


def _in_words(row: Authenticator) -> str:
    return APP if row.type == Authenticator.Type.TOTP else f"passkey “{row.data['name']}”"


def _passkey(row: Authenticator) -> Passkey:
    return Passkey(id=row.pk, name=row.data["name"], added_at=row.created_at, last_used_at=row.last_used_at)
