"""Serve the live mTLS endpoint: both hosts, each at its port. It reads the database and needs no key of any CA."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from OpenSSL import SSL

from certauthority import server_certificates
from gateway import usage
from gateway.application import application
from gateway.limits import Limits
from gateway.server import CannotServe, Doors, serve
from gateway.tls import EndpointTls
from portal.models import Environment


class Command(BaseCommand):
    help = "Serve the live mTLS endpoint until it is told to end."

    def handle(self, *args: Any, **options: Any) -> None:
        ports = {Environment(name): port for name, port in settings.GATEWAY_PORTS.items()}
        usage.start()
        try:
            serve(
                application,
                doors=Doors(settings.GATEWAY_BIND, ports),
                tls=_tls(),
                limits=Limits(connections_per_address=settings.GATEWAY_CONNECTIONS_PER_ADDRESS),
                started=self._say,
            )
        except CannotServe as error:
            raise CommandError(str(error)) from error
        finally:
            usage.stop()

    def _say(self) -> None:
        self.stdout.write("Serving the mTLS endpoint.")


def _tls() -> EndpointTls:
    try:
        return EndpointTls(
            chain=server_certificates.chain_path(),
            key=server_certificates.key_path(),
            tls12=settings.GATEWAY_TLS12,
        )
    except (OSError, SSL.Error):
        # Without `from`: OpenSSL's own text may quote the file.
        raise CommandError(
            f"The mTLS endpoint has no server certificate in {settings.GATEWAY_DIRECTORY} that can be used. "
            "Run manage.py certify_endpoint."
        ) from None
