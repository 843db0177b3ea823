"""An index that a search of the inventory needs nothing beside, in place of one by the same order without the text."""

from django.db import migrations, models

from audit.index_operations import AddIndexAside, RemoveIndexAside


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes an index CONCURRENTLY outside of transactions only.

    dependencies = [("kmp", "0010_fewer_inventory_indexes")]

    operations = [
        AddIndexAside(
            model_name="inventoryentry",
            index=models.Index(
                fields=["company", "state", "expires_at", "id", "search_text"], name="inventory_by_state_and_text"
            ),
        ),
        RemoveIndexAside(model_name="inventoryentry", name="inventory_by_state"),
    ]
