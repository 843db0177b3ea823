"""What the web server serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_application = get_wsgi_application()

from certauthority.ocsp.short_way import ShortWay  # noqa: E402  the apps are loaded only now
from certauthority.readiness import prove_keys_at_start  # noqa: E402
from config.collecting import collect_less  # noqa: E402

application = ShortWay(django_application)

prove_keys_at_start()
collect_less()
