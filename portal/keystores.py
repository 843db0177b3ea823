"""What is kept of keystores that browsers make: that somebody said theirs is safe. The site never sees one."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from audit.events import Actor, record
from portal.errors import NotAllowed
from portal.models import Credential, CredentialMethod, Environment, Project
from portal.records import audited

# Browsers keep an encrypted key for 7 days; one more for those that were stamped late.
_KEPT = timedelta(days=8)
_MOST_ENDED = 500


@transaction.atomic
def mark_saved(credential: Credential, *, actor: Actor, now: datetime) -> bool:
    """Note that the keystore is safe. The first time counts; False is returned for every other.

    Raises:
        NotAllowed: no browser made this credential's key.
    """
    row = Credential.objects.select_for_update(of=("self",)).select_related("project__company").get(pk=credential.pk)
    if not row.has_generated_key:
        raise NotAllowed(f"The key of {row.alias} was not made in a browser, so there is no keystore to speak of.")
    if row.keystore_saved_at is not None:
        return False
    row.keystore_saved_at = now
    row.save(update_fields=["keystore_saved_at"])
    record("credential.keystore-saved", actor=actor, on=audited(row), now=now, after={"keystore_saved": True})
    return True


def is_awaited(credential: Credential) -> bool:
    """Whether nobody has said yet that the keystore of this live credential is safe."""
    return credential.has_generated_key and credential.ended_at is None and credential.keystore_saved_at is None


def in_milliseconds(moment: datetime) -> int:
    """As browsers count the time by which they keep copies: milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def ended_lately(project: Project, environment: Environment, *, now: datetime) -> list[Credential]:
    """What has ended of those whose keys a browser may still keep; the newest first."""
    made = Credential.objects.filter(project=project, environment=environment, method=CredentialMethod.GENERATED_KEY)
    return list(made.filter(ended_at__isnull=False, created_at__gte=now - _KEPT).order_by("-created_at")[:_MOST_ENDED])
