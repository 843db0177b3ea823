"""Beat with the site's schedule, each entry every two seconds: ``python -m tests.config.short_schedule …``.

What follows are the arguments of ``celery beat``.
"""

from __future__ import annotations

import sys

from django.conf import settings

from config.celery import app

SECONDS = 2.0

if __name__ == "__main__":
    app.conf.beat_schedule = {
        name: {**entry, "schedule": SECONDS} for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
    }
    app.start(["beat", *sys.argv[1:]])
