"""The end of every certificate that was there before, some rows at a time, and the indexes for lists."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import OuterRef, Subquery

from audit.index_operations import AddIndexAside, RemoveIndexAside

BATCH = 2_000


def take_ends(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    credentials = apps.get_model("portal", "Credential")._default_manager
    certificates = apps.get_model("certauthority", "Certificate")._default_manager
    end = certificates.filter(pk=OuterRef("certificate_id")).values("not_after")[:1]
    keys = list(credentials.filter(expires_at=None).order_by("pk").values_list("pk", flat=True))
    for place in range(0, len(keys), BATCH):
        credentials.filter(pk__in=keys[place : place + BATCH]).update(expires_at=Subquery(end))


def leave_ends(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """What was taken does no harm."""


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes an index CONCURRENTLY outside of transactions only.

    dependencies = [("portal", "0007_credential_expiry")]

    operations = [
        migrations.RunPython(take_ends, leave_ends),
        AddIndexAside(
            model_name="credential",
            index=models.Index(
                fields=["project", "environment", "-created_at", "-id", "ended_at", "expires_at"],
                name="credential_listed",
            ),
        ),
        AddIndexAside(
            model_name="credential",
            index=models.Index(
                fields=["project", "expires_at", "id", "environment"],
                name="credential_by_end",
                condition=models.Q(ended_at=None),
            ),
        ),
        RemoveIndexAside(model_name="credential", name="credential_newest_first"),
    ]
