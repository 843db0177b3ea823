"""The end of a certificate beside its credential. Triggers keep the copy true, whoever writes.

A release that does not know the column inserts without it: then the database takes the end from the certificate. So it
does where somebody changes that, which certificates themselves never do.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

POSTGRESQL = (
    """
    CREATE FUNCTION portal_credential_takes_expiry() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
      NEW.expires_at := (SELECT not_after FROM certauthority_certificate WHERE id = NEW.certificate_id);
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER portal_credential_expiry BEFORE INSERT ON portal_credential
    FOR EACH ROW WHEN (NEW.expires_at IS NULL) EXECUTE FUNCTION portal_credential_takes_expiry()
    """,
    """
    CREATE FUNCTION portal_credential_follows_expiry() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
      UPDATE portal_credential SET expires_at = NEW.not_after WHERE certificate_id = NEW.id;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER portal_credential_expiry AFTER UPDATE OF not_after ON certauthority_certificate
    FOR EACH ROW WHEN (NEW.not_after <> OLD.not_after) EXECUTE FUNCTION portal_credential_follows_expiry()
    """,
)
SQLITE = (
    """
    CREATE TRIGGER portal_credential_expiry AFTER INSERT ON portal_credential WHEN NEW.expires_at IS NULL
    BEGIN
      UPDATE portal_credential SET expires_at =
        (SELECT not_after FROM certauthority_certificate WHERE id = NEW.certificate_id) WHERE id = NEW.id;
    END
    """,
    """
    CREATE TRIGGER portal_credential_follows_expiry AFTER UPDATE OF not_after ON certauthority_certificate
    WHEN NEW.not_after <> OLD.not_after
    BEGIN UPDATE portal_credential SET expires_at = NEW.not_after WHERE certificate_id = NEW.id; END
    """,
)
POSTGRESQL_BACK = (
    "DROP TRIGGER portal_credential_expiry ON certauthority_certificate",
    "DROP FUNCTION portal_credential_follows_expiry()",
    "DROP TRIGGER portal_credential_expiry ON portal_credential",
    "DROP FUNCTION portal_credential_takes_expiry()",
)
SQLITE_BACK = ("DROP TRIGGER portal_credential_expiry", "DROP TRIGGER portal_credential_follows_expiry")


def _run(editor: BaseDatabaseSchemaEditor, *, postgresql: tuple[str, ...], sqlite: tuple[str, ...]) -> None:
    statements = {"postgresql": postgresql, "sqlite": sqlite}[editor.connection.vendor]
    for statement in statements:
        editor.execute(statement)


def add_triggers(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    _run(editor, postgresql=POSTGRESQL, sqlite=SQLITE)


def drop_triggers(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    _run(editor, postgresql=POSTGRESQL_BACK, sqlite=SQLITE_BACK)


class Migration(migrations.Migration):
    dependencies = [
        ("certauthority", "0006_crl_number_above"),
        ("portal", "0006_snooze_of_run"),
    ]

    operations = [
        migrations.AddField(
            model_name="credential",
            name="expires_at",
            field=models.DateTimeField(
                editable=False,
                help_text="The end of its certificate, by which lists are sorted: no index reaches over two tables",
                null=True,
            ),
        ),
        migrations.RunPython(add_triggers, drop_triggers),
    ]
