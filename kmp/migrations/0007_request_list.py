from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("kmp", "0006_request_search"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="certificaterequest",
            name="request_newest_first",
        ),
        migrations.RemoveIndex(
            model_name="certificaterequest",
            name="request_by_age",
        ),
        migrations.RemoveIndex(
            model_name="certificaterequest",
            name="request_by_end",
        ),
        migrations.AddIndex(
            model_name="certificaterequest",
            index=models.Index(
                fields=["company", "number", "state", "kind", "application", "officer", "search_text"],
                name="request_newest_first",
            ),
        ),
        migrations.AddIndex(
            model_name="certificaterequest",
            index=models.Index(
                fields=["submitted_at", "id", "application", "number"],
                name="request_by_age",
                condition=Q(state__in=["submitted", "in-review"]),
            ),
        ),
        migrations.AddIndex(
            model_name="certificaterequest",
            index=models.Index(
                fields=["state", "-ended_at", "-id", "application", "company", "officer", "number", "search_text"],
                name="request_by_end",
                condition=Q(submitted_at__isnull=False),
            ),
        ),
    ]
