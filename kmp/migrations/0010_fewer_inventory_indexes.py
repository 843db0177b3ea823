"""Other indexes begin with the company and with the line, and nobody looks for the beginning of a reference.

Whatever moves an entry on to its next notice writes each index anew.
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from audit.index_operations import DropFieldIndexAside


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL drops an index CONCURRENTLY outside of transactions only.

    dependencies = [
        ("connect", "0008_count_notices"),
        ("kmp", "0009_snooze_of_run"),
    ]

    operations = [
        DropFieldIndexAside(
            "inventoryentry",
            "company",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="inventory",
                to="connect.company",
            ),
        ),
        DropFieldIndexAside("inventoryentry", "line", models.UUIDField(default=uuid.uuid4)),
        DropFieldIndexAside(
            "inventoryentry",
            "reference",
            models.CharField(help_text="KM- and at least six digits", max_length=16, unique=True),
            for_patterns=True,
        ),
    ]
