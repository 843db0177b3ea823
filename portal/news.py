"""Tell projects' admins of new certificates, a moment after they were added.

Telling takes longer than issuing does. So a new credential only says that it is news, and a worker tells of it: all
that came within a second are brought forward by one message, and the sweep finds those whose message was lost.
"""

from __future__ import annotations

from django.db import connection, transaction

from certauthority.background import Pause, enqueue
from portal.announcements import tell_credential_added
from portal.models import Credential

_PAGE = 100
_GATHERING_SECONDS = 1

# A message is on its way to a worker, who will see whatever is committed before it arrives.
gathering = Pause(seconds=_GATHERING_SECONDS)


def bring_forward() -> None:
    """Tell a worker of the news; once in a second, and a second later. Call it after the commit."""
    from portal.tasks import tell_of_new_credentials  # noqa: PLC0415  tasks tell what this module finds

    if not gathering.lasts:
        gathering.begin()
        enqueue(tell_of_new_credentials, seconds=_GATHERING_SECONDS)


def tell() -> int:
    """Tell of all new certificates, the oldest first. Returns how many there were."""
    told = page = _tell_page()
    while page == _PAGE:
        page = _tell_page()
        told += page
    return told


@transaction.atomic
def _tell_page() -> int:
    """Tell of some. They are held, so that two workers do not write the same mails."""
    rows = Credential.objects.filter(news_since__isnull=False).order_by("news_since", "pk")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(of=("self",), skip_locked=True)
    # Who can still open the project is told; also of a certificate that has ended since.
    loaded = rows.select_related("project__company", "certificate__authority", "predecessor__certificate")
    unread = ("certificate__der", "certificate__uploaded_chain")
    found = list(loaded.defer(*unread, *(f"predecessor__{column}" for column in unread))[:_PAGE])
    for credential in found:
        if credential.project.deleted_at is None:
            tell_credential_added(credential)
    Credential.objects.filter(pk__in=[credential.pk for credential in found]).update(news_since=None)
    return len(found)
