from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connect", "0004_time"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("clock_run__isnull", False)),
                fields=["clock_run", "company_at"],
                name="notice_of_run",
            ),
        ),
    ]
