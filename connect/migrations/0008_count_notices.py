from django.db import migrations, models

from audit.index_operations import AddIndexAside


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes an index CONCURRENTLY outside of transactions only.

    dependencies = [
        ("connect", "0007_notice_unsubscribe"),
    ]

    operations = [
        AddIndexAside(
            model_name="notice",
            index=models.Index(fields=["channel", "state"], name="notice_counted"),
        ),
    ]
