"""Where a stack keeps what, which ports it has, its secrets, and the environment of each of its processes.

Everything lies in one directory. Ports and secrets are drawn once and kept there, so that a stack that is started again
has the same addresses, which stand in certificates.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PORTAL, SANDBOX, PRODUCTION = "rehearsal.localhost", "sandbox.mtls.localhost", "production.mtls.localhost"
PORTS = ("https", "http", "web1", "web2", "gateway", "database", "redis", "mail")
SECRETS = ("secret_key", "ca_key_passphrase", "front_secret", "redis_password", "database_password", "staff_password")
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Layout:
    """One stack: its directory and its ports. ``between`` are the ports at which the site reaches a server instead."""

    directory: Path
    ports: Mapping[str, int]
    between: Mapping[str, int] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The site's STATE_DIR: CA keys, the endpoint's server certificate, static files."""
        return self.directory / "state"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def mails(self) -> Path:
        """A maildir with every mail that the site sent."""
        return self.directory / "mails"

    @property
    def control(self) -> Path:
        """The socket by which the stack's processes are started and ended: short enough for its limit of 107 bytes."""
        digest = hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"mtls-stack-{os.getuid()}-{digest}" / "supervisor.sock"

    @property
    def site_url(self) -> str:
        return f"https://{PORTAL}:{self.ports['https']}"

    @property
    def gateway_url(self) -> str:
        return f"https://{SANDBOX}:{self.ports['https']}"

    @property
    def gateway_production_url(self) -> str:
        return f"https://{PRODUCTION}:{self.ports['https']}"

    @property
    def database_url(self) -> str:
        """The site's database by the shortest way, whatever is between the site and its server."""
        return self._database_at(self.ports["database"])

    @property
    def redis_url(self) -> str:
        """Redis in the same way."""
        return self._redis_at(self.ports["redis"])

    def reached(self, server: str) -> int:
        """The port at which the site reaches a server."""
        return self.between.get(server, self.ports[server])

    def secret(self, name: str) -> Path:
        """The file that holds a secret."""
        return self.directory / "secrets" / name

    def secret_text(self, name: str) -> str:
        """The secret itself."""
        return self.secret(name).read_text(encoding="ascii")

    def keep_addresses(self) -> None:
        """Write where the site finds its servers, with their passwords."""
        keep(self.secret("database_url"), self._database_at(self.reached("database")))
        keep(self.secret("redis_url"), self._redis_at(self.reached("redis")))

    def _database_at(self, port: int) -> str:
        return f"postgresql://site:{self.secret_text('database_password')}@{LOOPBACK}:{port}/site"

    def _redis_at(self, port: int) -> str:
        return f"redis://:{self.secret_text('redis_password')}@{LOOPBACK}:{port}/0"


def layout_in(directory: Path) -> Layout:
    """The stack that lives in a directory; a new one gets ports that are free now, and secrets of its own."""
    for name in ("", "state", "logs", "mails", "secrets", "redis", "nginx"):
        (directory / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = directory / "ports.json"
    if not kept.exists():
        keep(kept, json.dumps(dict(zip(PORTS, _free_ports(len(PORTS)), strict=True))))
    found = Layout(directory, json.loads(kept.read_text(encoding="ascii")))
    for name in SECRETS:
        if not found.secret(name).exists():
            keep(found.secret(name), secrets.token_urlsafe(48))
    found.keep_addresses()
    return found


def keep(path: Path, text: str) -> None:
    """Write a whole file that only its owner may read."""
    fresh = path.with_name(f"{path.name}.fresh")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def site_environment(layout: Layout, *, signs: bool) -> dict[str, str]:
    """What every process of the site gets. Secrets are named by their files; only who signs is told the passphrase."""
    environment = {
        "MODE": "production",
        "STATE_DIR": str(layout.state),
        "SITE_URL": layout.site_url,
        "GATEWAY_URL": layout.gateway_url,
        "GATEWAY_PROD_URL": layout.gateway_production_url,
        "CERTIFIED_HOSTS": PORTAL,
        "SECRET_KEY_FILE": str(layout.secret("secret_key")),
        "DATABASE_URL_FILE": str(layout.secret("database_url")),
        "REDIS_URL_FILE": str(layout.secret("redis_url")),
        "EMAIL_URL": f"smtp://{LOOPBACK}:{layout.reached('mail')}",
        "BEHIND_PROXY": "true",
        "SIGNS": str(signs).lower(),
        "PYTHONUNBUFFERED": "1",
    }
    if signs:
        environment["CA_KEY_PASSPHRASE_FILE"] = str(layout.secret("ca_key_passphrase"))
    return environment


def gateway_environment(layout: Layout) -> dict[str, str]:
    """What the endpoint gets: the front's secret, and no passphrase."""
    return site_environment(layout, signs=False) | {
        "GATEWAY_FRONT_SECRET_FILE": str(layout.secret("front_secret")),
        "GATEWAY_FRONT_ADDRESSES": LOOPBACK,
    }


def nginx_values(layout: Layout) -> dict[str, str]:
    """The variables of nginx's configuration (`config.run.nginx`).

    A web server that failed is left alone for a second, and not for nginx's ten: when the other one failed in that time
    nobody was left to ask. Here a dead one refuses at once, so that asking it again costs nothing.
    """
    ports = layout.ports
    endpoint = layout.state / "gateway"
    return {
        "NGINX_STATE_DIR": str(layout.directory / "nginx"),
        "NGINX_HTTP_LISTEN": f"{LOOPBACK}:{ports['http']}",
        "NGINX_HTTPS_LISTEN": f"{LOOPBACK}:{ports['https']}",
        "NGINX_SITE_URL": layout.site_url,
        "NGINX_PORTAL_HOST": PORTAL,
        "NGINX_SANDBOX_HOST": SANDBOX,
        "NGINX_PRODUCTION_HOST": PRODUCTION,
        "NGINX_PORTAL_CERTIFICATE": str(endpoint / "endpoint.pem"),
        "NGINX_PORTAL_KEY": str(endpoint / "endpoint.key.pem"),
        "NGINX_ENDPOINT_CERTIFICATE": str(endpoint / "endpoint.pem"),
        "NGINX_ENDPOINT_KEY": str(endpoint / "endpoint.key.pem"),
        "NGINX_TLS_PROTOCOLS": "TLSv1.2 TLSv1.3",
        "NGINX_WEB_SERVERS": " ".join(f"server {LOOPBACK}:{ports[web]} fail_timeout=1s;" for web in ("web1", "web2")),
        "NGINX_GATEWAY_SERVERS": f"server {LOOPBACK}:{ports['gateway']};",
        "NGINX_STATIC_ROOT": str(layout.state / "static"),
        "NGINX_FRONT_SECRET": layout.secret_text("front_secret"),
        "NGINX_CONNECTIONS_PER_ADDRESS": "1000",
        "NGINX_ACCESS_LOG": str(layout.logs / "access.log"),
        "NGINX_ERROR_LOG": "stderr",
    }


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    try:
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
