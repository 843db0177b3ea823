from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def keep_lists_plain(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Keep what is stored from now on as it is: compressing a large list takes long, and then no part can be read."""
    _store(editor, "EXTERNAL")


def keep_lists_as_before(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    _store(editor, "EXTENDED")


def _store(editor: BaseDatabaseSchemaEditor, how: str) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(f"ALTER TABLE certauthority_revocationlist ALTER COLUMN der SET STORAGE {how}")


class Migration(migrations.Migration):
    dependencies = [
        ("certauthority", "0006_crl_number_above"),
    ]

    operations = [
        migrations.AddField(
            model_name="certificate",
            name="crl_shard",
            field=models.PositiveSmallIntegerField(
                help_text="Which of its CA’s CRLs it names, from 1 on; none where it names the full one", null=True
            ),
        ),
        migrations.AlterField(
            model_name="certificate",
            name="on_crl_at",
            field=models.DateTimeField(help_text="When the CRL that it names first listed it", null=True),
        ),
        migrations.AddField(
            model_name="revocationlist",
            name="shard",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                help_text="Which certificates it is for: those that name this list; 0 is the full one, of all",
            ),
        ),
        migrations.AddField(
            model_name="revocationlist",
            name="addresses",
            field=models.TextField(
                blank=True,
                db_default="",
                help_text="Where the list of a shard is, as it says itself, each on a line of its own",
            ),
        ),
        migrations.RunPython(keep_lists_plain, keep_lists_as_before),
    ]
