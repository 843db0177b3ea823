"""Background work of the Developers portal. Each task may run twice, late, or after its message was lost."""

from __future__ import annotations

from celery import shared_task

from portal import news


@shared_task
def tell_of_new_credentials() -> None:
    """Tell projects' admins of certificates that were added."""
    news.tell()
