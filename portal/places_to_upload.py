"""The projects to which a person may upload a certificate that was made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.urls import reverse

from connect.models import User
from connect.places_to_upload import Place
from portal.access import memberships_of
from portal.models import Credential, Environment, Role


def places_to_upload(user: User, environment_code: str, before: UUID | None) -> Iterator[Place]:
    """`Upload mTLS certificate` of each project whose admin this person is, by name.

    Where the certificate ``before`` is live on one of them, the page there rotates it.
    """
    live = Credential.objects.filter(certificate=before, ended_at=None) if before is not None else ()
    rotated = {(credential.project_id, credential.environment): credential for credential in live}
    for environment in Environment:
        if environment.code != environment_code:
            continue
        for membership in memberships_of(user).filter(role=Role.ADMIN):
            project = membership.project
            url = reverse("portal:upload_certificate", args=[project.pk, environment])
            old = rotated.get((project.pk, environment.value))
            if old is not None:
                url = f"{url}?rotate={old.pk}"
            yield Place(project.name, str(environment.label), url, replaces=old.alias if old is not None else "")
