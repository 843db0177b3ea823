"""The bell's unread notices in an index of their own. Mails are never read, and were in it for ever."""

from django.db import migrations, models

from audit.index_operations import AddIndexAside, RemoveIndexAside


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes and drops an index CONCURRENTLY outside of transactions only.

    dependencies = [("connect", "0009_fewer_notice_indexes")]

    operations = [
        AddIndexAside(
            model_name="notice",
            index=models.Index(
                fields=["recipient"],
                name="notice_unread_bell",
                condition=models.Q(channel="bell", read_at=None),
            ),
        ),
        RemoveIndexAside(model_name="notice", name="notice_unread"),
    ]
