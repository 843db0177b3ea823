"""Hand a due mail to the mail server, and remember what came of it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPRecipientsRefused
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.db.models import QuerySet

from connect.models import Channel, Notice, NoticeState

logger = logging.getLogger(__name__)

# Minutes to wait after the first failure, the second, and so on; the last goes on for the attempts that are left.
_WAIT_MINUTES = (1, 2, 5, 10, 20, 30, 60)
_ERROR_LENGTH = 300
_PERMANENT = 500  # SMTP replies from here on mean: do not try again (RFC 5321, 4.2.1)


def due(*, now: datetime) -> QuerySet[Notice]:
    """Mails whose time has come, oldest first."""
    return Notice.objects.filter(state=NoticeState.DUE, channel=Channel.MAIL, due_at__lte=now).order_by("due_at")


def deliver(notice_id: UUID, *, now: datetime) -> bool:
    """Send one mail if it is due and nobody else is sending it. Returns whether it was sent.

    The row is held while the mail server is talked to, so that two workers never send the same mail. One that is
    killed between sending and storing sends it again; its Message-ID is the same, and mail systems drop the second.
    """
    with transaction.atomic():
        notice = _claimed(notice_id, now=now)
        if notice is None:
            return False
        try:
            _mail(notice).send()
        except (OSError, SMTPException) as error:
            _remember_failure(notice, error, now=now)
            return False
        notice.state, notice.sent_at, notice.error = NoticeState.SENT, now, ""
        notice.attempts += 1
        notice.save(update_fields=["state", "sent_at", "error", "attempts"])
    return True


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
        headers={"Message-ID": f"<{notice.pk}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    if notice.html:
        mail.attach_alternative(notice.html, "text/html")
    return mail


def _remember_failure(notice: Notice, error: Exception, *, now: datetime) -> None:
    notice.attempts += 1
    notice.error = f"{type(error).__name__}: {error}"[:_ERROR_LENGTH]
    wait = _WAIT_MINUTES[min(notice.attempts, len(_WAIT_MINUTES)) - 1]
    notice.due_at = now + timedelta(minutes=wait)
    if notice.attempts >= settings.NOTICE_MAX_ATTEMPTS or _is_permanent(error):
        notice.state = NoticeState.FAILED
    notice.save(update_fields=["attempts", "error", "due_at", "state"])
    logger.warning("Notice %s to %s was not sent: %s", notice.event, notice.address, notice.error)


def _is_permanent(error: Exception) -> bool:
    """Whether the mail server said that this address will never work."""
    if not isinstance(error, SMTPRecipientsRefused):
        return False
    return all(code >= _PERMANENT for code, _ in error.recipients.values())
