"""When something of the demo data happened, so that it stands as it should on the day of the demo."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from certauthority.x509.profile import add_months


def issued_for_days_left(days: int, *, now: datetime) -> datetime:
    """When a certificate was issued that has so many days left now.

    Months differ in length, so the day is looked for near by. A few ends (29 to 31 March after a February) no day of
    issue leads to: then it ends on the last day before.
    """
    end = now + timedelta(days=days)
    near = add_months(end, -settings.CLIENT_CERTIFICATE_MONTHS)
    for offset in range(4):
        issued_at = near + timedelta(days=offset)
        if add_months(issued_at, settings.CLIENT_CERTIFICATE_MONTHS).date() == end.date():
            return issued_at
    return near
