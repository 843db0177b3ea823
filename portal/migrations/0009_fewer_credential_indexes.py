"""Other indexes begin with the project, and most credentials replace nothing.

Whatever moves a credential on to its next notice writes each index anew.
"""

import django.db.models.deletion
from django.db import migrations, models

from audit.index_operations import AddIndexAside, DropFieldIndexAside


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes and drops an index CONCURRENTLY outside of transactions only.

    dependencies = [("portal", "0008_credential_lists")]

    operations = [
        AddIndexAside(
            model_name="credential",
            index=models.Index(
                fields=["predecessor"],
                name="credential_successors",
                condition=models.Q(predecessor__isnull=False),
            ),
        ),
        DropFieldIndexAside(
            "credential",
            "predecessor",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="successors",
                to="portal.credential",
            ),
        ),
        DropFieldIndexAside(
            "credential",
            "project",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credentials",
                to="portal.project",
            ),
        ),
    ]
