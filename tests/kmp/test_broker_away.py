"""Submit while the broker is really away: the page says what the request waits for, and the sweep finds it later."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.utils import timezone
from pytest_django import Settings

from certauthority.models import Authority
from connect.models import Channel, Notice, NoticeState
from kmp import tasks
from kmp.models import Application, CertificateRequest, RequestState
from tests.broker import Broker
from tests.kmp.decisions import assert_signed_once, state_of
from tests.kmp.wizard import browser, make_draft, make_two_officers, review_form, url
from tests.page_text import text_of
from tests.processes import celery_worker

PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def _site(transactional_db: None, authorities: dict[str, Authority], applications: dict[str, Application]) -> None:
    """Data that other processes see: the CA, and the applications of every site."""


def test_a_request_submitted_while_redis_is_away_is_signed_once_it_is_back(
    own_broker: Broker, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CACHES = {"default": {**site_settings.CACHES["default"], "LOCATION": own_broker.url}}
    olga = make_two_officers()[0]
    draft = make_draft(olga)
    response = browser(olga).post(url("request_submit", draft.number), review_form(draft), follow=True)
    assert response.status_code == 200
    assert "Submitted. It waits for the background work" in text_of(response)
    assert state_of(draft) == RequestState.SUBMITTED
    assert caplog.text.count("The broker is away") == 1, "it is asked once for the mails and the request together"
    mails = Notice.objects.filter(event=f"kmp.request-submitted:{draft.number}", channel=Channel.MAIL)
    assert set(mails.values_list("state", flat=True)) == {NoticeState.DUE}

    # The time that its automatic review takes is over when the broker is back.
    CertificateRequest.objects.filter(pk=draft.pk).update(decide_at=timezone.now() - timedelta(seconds=1))
    with own_broker.running() as client, celery_worker(tmp_path / "worker.log", REDIS_URL=own_broker.url):
        assert client.llen("celery") == 0, "no message tells of it"
        assert state_of(draft) == RequestState.SUBMITTED
        tasks.sweep_requests.delay()
        last_moment = time.monotonic() + PATIENCE_SECONDS
        while state_of(draft) != RequestState.SIGNED:
            assert time.monotonic() < last_moment, "the sweep did not find it"
            time.sleep(0.2)
    assert_signed_once(draft)
