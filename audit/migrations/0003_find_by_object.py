"""An index for histories of single objects. It is made beside the table, so that the triggers stay as they are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["object_type", "object_id", "-id"], name="audit_object"),
        ),
    ]
