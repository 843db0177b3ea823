from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kmp", "0004_one_certificate"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="certificaterequest",
            name="request_submitted_whole",
        ),
        migrations.RemoveConstraint(
            model_name="certificaterequest",
            name="request_renewal_names_expiring",
        ),
        migrations.AddConstraint(
            model_name="certificaterequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["draft", "cancelled"]),
                    models.Q(
                        ("application__isnull", False),
                        ("submitted_at__isnull", False),
                        models.Q(("environment", ""), _negated=True),
                        models.Q(("csr", b""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="request_submitted_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="certificaterequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expiring", None), ("kind", "new")),
                    models.Q(("expiring__isnull", False), ("kind", "renewal")),
                    _connector="OR",
                ),
                name="request_renewal_names_expiring",
            ),
        ),
        migrations.AddConstraint(
            model_name="inventoryentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", 0)), fields=("line",), name="inventory_one_live_version"
            ),
        ),
    ]
