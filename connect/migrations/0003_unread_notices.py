from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connect", "0002_access_notices_verification"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("read_at", None)), fields=["recipient", "channel"], name="notice_unread"
            ),
        ),
    ]
