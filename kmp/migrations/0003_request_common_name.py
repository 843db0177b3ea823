from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kmp", "0002_inventory_search"),
    ]

    operations = [
        migrations.AddField(
            model_name="certificaterequest",
            name="common_name",
            field=models.CharField(blank=True, help_text="Of the CSR; what cannot be seen as U+…", max_length=64),
        ),
    ]
