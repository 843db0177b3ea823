"""Where mail goes in demo mode: into the database, to be read on the page `Mailbox`."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import QuerySet
from django.utils import timezone

from connect.models import DemoMail, User


class MailboxBackend(BaseEmailBackend):
    """Django's e-mail backend for demo mode. Like a mail server it drops a message that it has had before."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Store each message once for each address. Returns how many were taken."""
        for message in email_messages:
            for address in message.recipients():
                self._store(message, address)
        return len(email_messages)

    def _store(self, message: EmailMessage, address: str) -> None:
        html = ""
        if isinstance(message, EmailMultiAlternatives):
            html = next((str(content) for content, mimetype in message.alternatives if mimetype == "text/html"), "")
        DemoMail.objects.get_or_create(
            message_id=str(message.message()["Message-ID"]),
            address=address.lower(),
            defaults={
                "sender": message.from_email,
                "subject": str(message.subject),
                "text": str(message.body),
                "html": html,
                "received_at": timezone.now(),
            },
        )


def mails_for(user: User) -> QuerySet[DemoMail]:
    """What somebody of the demo may read: their own mail and their company's group mailbox, staff everything."""
    mails = DemoMail.objects.order_by("-received_at", "-id")
    if user.is_staff:
        return mails
    addresses = [user.email]
    if user.company is not None and user.company.group_email:
        addresses.append(user.company.group_email.lower())
    return mails.filter(address__in=addresses)
