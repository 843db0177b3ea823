"""The endpoint for a server of WSGI that stands behind a front: granian’s `config.gateway_wsgi:application`."""

import atexit
import os
from multiprocessing import util

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from config import heartbeats  # noqa: E402  the apps are loaded only now
from gateway import usage  # noqa: E402  the apps are loaded only now
from gateway.application import application as endpoint  # noqa: E402
from gateway.fronts import behind_front  # noqa: E402

application = behind_front(endpoint)

usage.start()
heartbeats.keep_beating(heartbeats.GATEWAY)
# Counted calls are written when the process ends. granian's workers are children of multiprocessing, which end without
# `atexit` but with these; other servers end the usual way. Stopping twice is harmless.
util.Finalize(None, usage.stop, exitpriority=100)
atexit.register(usage.stop)
