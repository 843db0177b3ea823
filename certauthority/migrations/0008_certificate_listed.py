from django.db import migrations, models

from audit.index_operations import AddIndexAside, RemoveIndexAside


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes an index CONCURRENTLY outside of transactions only.

    dependencies = [
        ("certauthority", "0007_crl_shards"),
    ]

    operations = [
        AddIndexAside(
            model_name="certificate",
            index=models.Index(
                fields=["authority", "crl_shard", "not_after"],
                name="certificate_listed",
                include=["on_crl_at", "crl_entry"],
                condition=models.Q(revoked_at__isnull=False),
            ),
        ),
        RemoveIndexAside(model_name="certificate", name="certificate_on_crl"),
    ]
