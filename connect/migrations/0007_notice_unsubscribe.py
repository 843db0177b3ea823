from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connect", "0006_notice_log"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="unsubscribe",
            field=models.CharField(
                blank=True, help_text="Path that ends mails of this kind, by one click (RFC 8058)", max_length=300
            ),
        ),
    ]
