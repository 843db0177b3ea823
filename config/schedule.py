"""What beat sends, and when.

``expires``, in seconds: what waited longer, because no worker was there, is done by one of its successors.
"""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

# New CRLs are published at this minute of each hour.
CRL_MINUTE = 7
# A second beat sends the same at about the same time: what was published in the last ten minutes is not made again.
CRL_PAUSE_SECONDS = 600

SCHEDULE: dict[str, dict[str, Any]] = {
    "renew OCSP responders and settle their responses": {
        "task": "certauthority.tasks.tend_ocsp",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "make OCSP responses ahead": {
        "task": "certauthority.tasks.make_ocsp_responses",
        "schedule": 300.0,
        "options": {"expires": 600},
    },
    "publish revocation lists": {
        "task": "certauthority.tasks.publish_revocation_lists",
        "kwargs": {"older_than_seconds": CRL_PAUSE_SECONDS},
        "schedule": crontab(minute=CRL_MINUTE),
        "options": {"expires": 3600},
    },
    "find revocations whose message was lost": {
        "task": "certauthority.tasks.sweep_revocations",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "process requests whose message was lost": {
        "task": "kmp.tasks.sweep_requests",
        "schedule": 15.0,
        "options": {"expires": 60},
    },
    "deliver notices that failed or whose message was lost": {
        "task": "connect.tasks.deliver_due_notices",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "tell of new certificates whose message was lost": {
        "task": "portal.tasks.tell_of_new_credentials",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "find certificates whose end people must be told of": {
        "task": "connect.tasks.scan_expiries",
        "schedule": 600.0,
        "options": {"expires": 1200},
    },
    "send weekly digests": {
        "task": "connect.tasks.send_digests",
        "schedule": crontab(minute=5),
        "options": {"expires": 3600},
    },
    "deliver messages to webhooks that failed or whose task was lost": {
        "task": "connect.tasks.deliver_due_webhooks",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "lint what was issued": {
        "task": "certauthority.tasks.lint_issued_certificates",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 600},
    },
    "renew the endpoint's server certificate": {
        "task": "certauthority.tasks.certify_endpoint",
        "schedule": crontab(hour=3, minute=17),
        "options": {"expires": 3600},
    },
    "remove use that is older than 90 days": {
        "task": "certauthority.tasks.purge_use",
        "schedule": crontab(hour=3, minute=40),
        "options": {"expires": 3600},
    },
    "remove the minutes of use that are over": {
        "task": "certauthority.tasks.purge_use_minutes",
        "schedule": crontab(minute=25),
        "options": {"expires": 3600},
    },
    "remove ended sessions, old notices and old messages to webhooks": {
        "task": "connect.tasks.purge",
        "schedule": crontab(hour=4, minute=10),
        "options": {"expires": 3600},
    },
}
