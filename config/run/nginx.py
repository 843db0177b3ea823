"""nginx's configuration from `deploy/nginx/templates`, for a stack without containers and for the tests.

The official image of nginx does the same with the same files: each `${NGINX_…}` becomes what the variable of this name
says. `python -m config.run.nginx DIRECTORY` writes them with what the environment says, and names the file to start.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent.parent

TEMPLATES = BASE_DIR / "deploy" / "nginx" / "templates"
SUFFIX = ".template"
# Every variable of the templates, and what it is for.
VARIABLES = {
    "NGINX_STATE_DIR": "where nginx may write: its pid, what it buffers, and the cache",
    "NGINX_HTTP_LISTEN": "port, or address and port, for plain http",
    "NGINX_HTTPS_LISTEN": "port, or address and port, for all three hosts by https",
    "NGINX_SITE_URL": "SITE_URL: where plain http leads to",
    "NGINX_PORTAL_HOST": "the host of SITE_URL",
    "NGINX_SANDBOX_HOST": "the host of GATEWAY_URL",
    "NGINX_PRODUCTION_HOST": "the host of GATEWAY_PROD_URL",
    "NGINX_PORTAL_CERTIFICATE": "PEM of the portal's server certificate and its chain",
    "NGINX_PORTAL_KEY": "PEM of its key",
    "NGINX_ENDPOINT_CERTIFICATE": "PEM of the endpoint's server certificate and its chain, in STATE_DIR/gateway",
    "NGINX_ENDPOINT_KEY": "PEM of its key",
    "NGINX_TLS_PROTOCOLS": "`TLSv1.2 TLSv1.3`, or `TLSv1.3` alone where GATEWAY_TLS12 is false; for all hosts",
    "NGINX_WEB_SERVERS": "the web servers, as `server 127.0.0.1:8000;` and so on",
    "NGINX_GATEWAY_SERVERS": "the servers of config.gateway_wsgi, in the same way",
    "NGINX_STATIC_ROOT": "the collected static files, STATE_DIR/static",
    "NGINX_FRONT_SECRET": "GATEWAY_FRONT_SECRET",
    "NGINX_CONNECTIONS_PER_ADDRESS": "how many requests of one client address may be under way",
    "NGINX_ACCESS_LOG": "a file, or /dev/stdout",
    "NGINX_ERROR_LOG": "a file, or stderr",
}
_NAME = re.compile(r"\$\{(NGINX_[A-Z_]+)\}")
# Nothing in a value may end its directive, open a block, or be read as nginx's own variable; `;` ends a server's line.
_HARMLESS = re.compile(r"[A-Za-z0-9 ._~:/@%+,=\[\]-]+")
_SERVERS = re.compile(r"(?:server [A-Za-z0-9._:\[\]-]+(?: [a-z_]+(?:=[0-9a-z]+)?)*; ?)+")
_LISTS_OF_SERVERS = ("NGINX_WEB_SERVERS", "NGINX_GATEWAY_SERVERS")


def write(values: Mapping[str, str], into: Path) -> Path:
    """Write the configuration into a directory that only its owner may enter; the file to start nginx with.

    Raises:
        ImproperlyConfigured: a variable is missing or has characters that would change the configuration's meaning.
    """
    for name, meaning in VARIABLES.items():
        form = _SERVERS if name in _LISTS_OF_SERVERS else _HARMLESS
        if not form.fullmatch(values.get(name, "")):
            raise ImproperlyConfigured(f"{name} is not set, or cannot stand in nginx’s configuration. It is {meaning}.")
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    Path(values["NGINX_STATE_DIR"]).mkdir(mode=0o700, parents=True, exist_ok=True)
    for template in sorted(TEMPLATES.glob(f"*{SUFFIX}")):
        text = _NAME.sub(lambda found: values[found[1]], template.read_text(encoding="utf-8"))
        target = into / template.name.removesuffix(SUFFIX)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    return into / "nginx.conf"


def command(configuration: Path, program: str = "") -> list[str]:
    """How nginx is started with it: in the foreground, its first words to stderr.

    Started by root it would make its workers somebody who may not read the keys; so they stay who started it.
    """
    # Debian keeps it where only root looks for programs.
    program = program or shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin") or "nginx"
    as_root = ["-g", "user root;"] if os.geteuid() == 0 else []
    return [program, "-e", "stderr", "-c", str(configuration), *as_root]


def main(arguments: list[str]) -> int:
    """Write what the environment says into the named directory."""
    if len(arguments) != 1:
        print("Name the directory: python -m config.run.nginx DIRECTORY", file=sys.stderr)
        return 2
    try:
        print(write(os.environ, Path(arguments[0]).absolute()))
    except ImproperlyConfigured as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
