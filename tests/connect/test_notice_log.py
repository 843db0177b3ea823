"""The log of a scope's mails is found by indexes that hold mails alone."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from connect import notice_log
from connect.models import Channel, Notice, NoticeState
from tests.factories import make_user


@pytest.mark.postgresql
@pytest.mark.django_db
def test_the_newest_and_the_few_that_failed_are_found_by_an_index() -> None:
    user, now, scopes = make_user(), timezone.now(), [str(uuid4()) for _ in range(3)]
    Notice.objects.bulk_create(
        Notice(
            event=f"test:{number}",
            channel=channel,
            address=user.email,
            recipient=user,
            state=NoticeState.SENT if number else NoticeState.FAILED,
            created_at=now - timedelta(seconds=number),
            due_at=now,
            sent_at=now if number else None,
            scope=scopes[number % 3],
        )
        for number in range(3000)
        for channel in Channel
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE connect_notice")
    failed = notice_log._mails(scopes[0], NoticeState.FAILED)
    assert [mail.event for mail in failed] == ["test:0"]
    assert "notice_mail_in_state" in failed.explain()
    newest = notice_log._events(notice_log._mails(scopes[1], None))[:2]
    assert [event for _, event in newest] == ["test:1", "test:4"]
    assert "notice_mail_of_scope" in newest.explain()
