from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kmp", "0003_request_common_name"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="certificaterequest",
            index=models.Index(fields=["-ended_at", "id"], name="request_by_end"),
        ),
        migrations.AddConstraint(
            model_name="certificaterequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("entry", None), ("entry", models.F("id")), _connector="OR"),
                name="request_certificate_is_its_own",
            ),
        ),
    ]
