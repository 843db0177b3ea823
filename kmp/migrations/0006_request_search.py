from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q
from django.db.models.functions import Concat, Lower

BATCH = 2_000


def write_words(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """What ``CertificateRequest.save`` writes, for the requests that there are."""
    requests = apps.get_model("kmp", "CertificateRequest").objects
    named = requests.exclude(expiring=None, entry=None).select_related("expiring", "entry").defer("csr")
    changed = []
    for request in named.order_by("pk").iterator(chunk_size=BATCH):
        entries = [entry for entry in (request.expiring, request.entry) if entry is not None]
        request.certificate_words = " ".join(
            f"{entry.reference} {entry.common_name} {entry.serial}" for entry in entries
        )
        changed.append(request)
    requests.bulk_update(changed, ["certificate_words"], batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [
        ("kmp", "0005_whole_requests"),
    ]

    operations = [
        migrations.AddField(
            model_name="certificaterequest",
            name="certificate_words",
            field=models.CharField(
                blank=True,
                help_text="For the search: of what it renews and what was signed; they never change",
                max_length=255,
            ),
        ),
        migrations.RunPython(write_words, migrations.RunPython.noop),
        migrations.AddField(
            model_name="certificaterequest",
            name="search_text",
            field=models.GeneratedField(
                db_persist=True,
                expression=Lower(
                    Concat(
                        "number",
                        models.Value(" "),
                        "common_name",
                        models.Value(" "),
                        "contact",
                        models.Value(" "),
                        "certificate_words",
                        output_field=models.TextField(),
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.RemoveIndex(
            model_name="certificaterequest",
            name="request_by_end",
        ),
        migrations.AddIndex(
            model_name="certificaterequest",
            index=models.Index(
                condition=Q(("state__in", ["submitted", "in-review"])),
                fields=["submitted_at", "id"],
                name="request_by_age",
            ),
        ),
        migrations.AddIndex(
            model_name="certificaterequest",
            index=models.Index(
                condition=Q(("submitted_at__isnull", False)),
                fields=["state", "-ended_at", "-id"],
                name="request_by_end",
            ),
        ),
    ]
