"""Hand a due mail to the mail server, and remember what came of it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from enum import Enum, auto
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from urllib.parse import urlsplit
from uuid import UUID

from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.db.models import QuerySet

from certauthority.background import Pause
from connect.models import Channel, Notice, NoticeState
from connect.notices import absolute
from connect.writers import Silenced, written

logger = logging.getLogger(__name__)

# Minutes to wait after the first failure, the second, and so on; the last goes on for the attempts that are left.
_WAIT_MINUTES = (1, 2, 5, 10, 20, 30, 60)
_ERROR_LENGTH = 300
_PERMANENT = 500  # SMTP replies from here on mean: do not try again (RFC 5321, 4.2.1)
# What a mail server says of one mail. Every other error of the network is about the server itself.
_ABOUT_ONE_MAIL = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)

# A mail server that hangs holds a worker for its timeout once in so many seconds, not once for each event.
server_pause = Pause(seconds=30)


class Outcome(Enum):
    """What came of a mail."""

    SENT = auto()
    NOT_DUE = auto()
    NOT_SENT = auto()
    SKIPPED = auto()
    SERVER_AWAY = auto()


def due(*, now: datetime) -> QuerySet[Notice]:
    """Mails whose time has come, oldest first."""
    return Notice.objects.filter(state=NoticeState.DUE, channel=Channel.MAIL, due_at__lte=now).order_by("due_at")


def deliver_all(notices: QuerySet[Notice], *, now: datetime) -> None:
    """Send these mails one after the other. The first that finds the mail server away ends it: the others stay due."""
    for key in list(notices.values_list("pk", flat=True)):
        if deliver(key, now=now) is Outcome.SERVER_AWAY:
            server_pause.begin()
            return


def deliver(notice_id: UUID, *, now: datetime) -> Outcome:
    """Send one mail if it is due and nobody else is sending it.

    The row is held while the mail server is talked to, so that two workers never send the same mail. One that is
    killed between sending and storing sends it again; its Message-ID is the same, and mail systems drop the second.
    """
    with transaction.atomic():
        notice = _claimed(notice_id, now=now)
        if notice is None:
            return Outcome.NOT_DUE
        try:
            with transaction.atomic():  # What a backend in the database leaves half done is undone.
                text = written(notice, now=now)
                if isinstance(text, Silenced):
                    return _skip(notice, text)
                notice.subject, notice.text, notice.html = text.subject, text.text, text.html
                _mail(notice).send()
        except (OSError, SoftTimeLimitExceeded) as error:  # smtplib's errors are OSErrors.
            _remember_failure(notice, f"{type(error).__name__}: {error}", _is_permanent(error), now=now)
            return Outcome.NOT_SENT if isinstance(error, _ABOUT_ONE_MAIL) else Outcome.SERVER_AWAY
        except Exception as error:  # noqa: BLE001  whatever is wrong with one mail keeps no other from being sent
            # The text of such an error may hold the mail's: only its class is told.
            _remember_failure(notice, type(error).__name__, False, now=now)
            return Outcome.NOT_SENT
        notice.state, notice.sent_at, notice.error = NoticeState.SENT, now, ""
        notice.attempts += 1
        notice.save(update_fields=["state", "sent_at", "error", "attempts", "subject", "text", "html"])
    return Outcome.SENT


def _skip(notice: Notice, silenced: Silenced) -> Outcome:
    notice.state, notice.reason, notice.error = NoticeState.SKIPPED, silenced.reason, ""
    notice.save(update_fields=["state", "reason", "error"])
    return Outcome.SKIPPED


def _claimed(notice_id: UUID, *, now: datetime) -> Notice | None:
    rows = due(now=now).filter(pk=notice_id)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    return rows.first()


def _mail(notice: Notice) -> EmailMultiAlternatives:
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        subject=notice.subject,
        body=notice.text,
        to=[notice.address],
        headers={
            "Message-ID": f"<{notice.pk}@{host}>",
            "Auto-Submitted": "auto-generated",
            **_unsubscribing(notice),
        },
    )
    if notice.html:
        mail.attach_alternative(notice.html, "text/html")
    return mail


def _unsubscribing(notice: Notice) -> dict[str, str]:
    """How a mail program ends mails of this kind (RFC 2369, 3.2); with one click over https only (RFC 8058, 3.1)."""
    if not notice.unsubscribe:
        return {}
    address = absolute(notice.unsubscribe)
    headers = {"List-Unsubscribe": f"<{address}>"}
    if address.startswith("https://"):
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _remember_failure(notice: Notice, error: str, is_permanent: bool, *, now: datetime) -> None:
    notice.attempts += 1
    notice.error = error.replace("\x00", "")[:_ERROR_LENGTH]  # PostgreSQL cannot store it.
    wait = _WAIT_MINUTES[min(notice.attempts, len(_WAIT_MINUTES)) - 1]
    notice.due_at = now + timedelta(minutes=wait)
    if notice.attempts >= settings.NOTICE_MAX_ATTEMPTS or is_permanent:
        notice.state = NoticeState.FAILED
    notice.save(update_fields=["attempts", "error", "due_at", "state"])
    logger.warning("Notice %s to %s was not sent: %s", notice.event, notice.address, notice.error)


def _is_permanent(error: Exception) -> bool:
    """Whether the mail server said that this address will never work."""
    if not isinstance(error, SMTPRecipientsRefused):
        return False
    return all(code >= _PERMANENT for code, _ in error.recipients.values())
