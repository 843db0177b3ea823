from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0004_watched"),
    ]

    operations = [
        migrations.AddField(
            model_name="credential",
            name="news_since",
            field=models.DateTimeField(
                help_text="While the project's admins have not been told of it: when it was added", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="credential",
            index=models.Index(
                condition=models.Q(("news_since__isnull", False)), fields=["news_since", "id"], name="credential_news"
            ),
        ),
    ]
