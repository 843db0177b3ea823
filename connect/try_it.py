"""The panel `Try it`: the endpoint of an environment, what its certificate leads to, and the commands that call it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from certauthority.authorities import newest_authority
from certauthority.models.authority import AuthorityPurpose
from connect.client_commands import Command, Server


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One host of the live endpoint. ``bundle_url`` is where the CAs that its certificate leads to are downloaded."""

    server: Server
    bundle_url: str


@dataclass(frozen=True, slots=True)
class TryIt:
    """Every way to call the endpoint with one certificate.

    ``file_name`` is what its files are called, without an ending; ``key_file`` is the person's own private key, and
    empty where a browser made a keystore. ``chain_url`` downloads the certificate with its issuers.
    """

    endpoint: Endpoint
    commands: tuple[Command, ...]
    file_name: str
    key_file: str
    chain_url: str


def endpoint_of(environment: str) -> Endpoint:
    """The host for ``sandbox`` or ``production``.

    Raises:
        CAError: no Services CA has been created yet.
    """
    authority = newest_authority(AuthorityPurpose.SERVICES)
    return Endpoint(
        Server(settings.GATEWAY_URLS[environment], bundle=f"rehearsal-{authority.name}.pem"),
        reverse("certauthority:bundle", args=[authority.name]),
    )
