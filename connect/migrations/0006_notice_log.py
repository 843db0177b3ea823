"""Find the notices of a scope that are in one state."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("connect", "0005_notice_of_run")]

    operations = [
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                fields=["scope", "state", "-created_at"], name="notice_of_scope_in_state", condition=~Q(scope="")
            ),
        ),
    ]
