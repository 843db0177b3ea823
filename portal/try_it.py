"""How to call the endpoint with a credential: with a key of one's own, or with the keystore that a browser made."""

from __future__ import annotations

from django.urls import reverse

from certauthority.x509.request_commands import file_name
from connect.client_commands import Command, commands_for_key, commands_for_keystore
from connect.try_it import TryIt, endpoint_of
from portal.downloads import Format
from portal.models import Credential


def try_it(credential: Credential) -> TryIt:
    """The panel of one credential. Raises CAError as ``endpoint_of`` does."""
    alias, endpoint = credential.alias, endpoint_of(credential.environment)
    name = file_name(alias)
    key = "" if credential.has_generated_key else key_file(alias)
    place = [credential.project_id, credential.environment, credential.pk]
    return TryIt(
        endpoint=endpoint,
        commands=commands_for_key(endpoint.server, name=name, alias=alias, key=key)
        if key
        else commands_for_keystore(endpoint.server, name=name),
        file_name=name,
        key_file=key,
        chain_url=reverse("portal:credential_download", args=[*place, Format.CHAIN]),
    )


def keystore_commands(credential: Credential) -> tuple[Command, ...]:
    """For the browser that has just made the keystore."""
    return commands_for_keystore(endpoint_of(credential.environment).server, name=file_name(credential.alias))


def key_file(alias: str) -> str:
    """The file that holds the private key, if it was made with the command that our pages show."""
    return f"{file_name(alias)}.key"
