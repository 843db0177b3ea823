from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("certauthority", "0002_counted_from"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="certificate",
            index=models.Index(fields=["not_after"], name="certificate_by_end"),
        ),
    ]
