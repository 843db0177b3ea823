"""The pages Notices show mails alone, so that the bell's notices need not be in their indexes."""

from django.db import migrations, models

from audit.index_operations import AddIndexAside, RemoveIndexAside


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes and drops an index CONCURRENTLY outside of transactions only.

    dependencies = [("connect", "0010_unread_bell_alone")]

    operations = [
        AddIndexAside(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("channel", "mail"), models.Q(("scope", ""), _negated=True)),
                fields=["scope", "-created_at"],
                name="notice_mail_of_scope",
            ),
        ),
        AddIndexAside(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("channel", "mail"), models.Q(("scope", ""), _negated=True)),
                fields=["scope", "state", "-created_at"],
                name="notice_mail_in_state",
            ),
        ),
        RemoveIndexAside(model_name="notice", name="notice_of_scope"),
        RemoveIndexAside(model_name="notice", name="notice_of_scope_in_state"),
    ]
