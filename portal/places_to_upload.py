"""The projects to which a person may upload a certificate that was made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse

from connect.models import User
from connect.places_to_upload import Place
from portal.access import memberships_of
from portal.models import Environment, Role


def places_to_upload(user: User, environment_code: str) -> Iterator[Place]:
    """`Upload mTLS certificate` of each project whose admin this person is, by name."""
    for environment in Environment:
        if environment.code != environment_code:
            continue
        for membership in memberships_of(user).filter(role=Role.ADMIN):
            project = membership.project
            url = reverse("portal:upload_certificate", args=[project.pk, environment])
            yield Place(name=project.name, environment=str(environment.label), url=url)
