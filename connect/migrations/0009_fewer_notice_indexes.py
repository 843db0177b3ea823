"""Nothing is found by these keys alone: a bell's notices have indexes by recipient, and people and companies stay.

The scan for ends stores thousands of notices at once, each in every index.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from audit.index_operations import DropFieldIndexAside


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL drops an index CONCURRENTLY outside of transactions only.

    dependencies = [("connect", "0008_count_notices")]

    operations = [
        DropFieldIndexAside(
            "notice",
            "recipient",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notices",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        DropFieldIndexAside(
            "notice",
            "company",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="notices",
                to="connect.company",
            ),
        ),
    ]
