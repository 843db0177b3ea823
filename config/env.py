"""Every environment variable that the site reads, and what it is without one.

Each may also be given as a file: ``SECRET_KEY_FILE=/run/secrets/key`` is read where ``SECRET_KEY`` is not set. In
demo mode (the default) everything has a value; in production a missing secret stops the start with a sentence.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Literal

from django.core.exceptions import ImproperlyConfigured
from environs import FileAwareEnv

BASE_DIR = Path(__file__).resolve().parent.parent

env = FileAwareEnv(eager=True)


def _required(name: str, why: str) -> str:
    value = env.str(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {why} Set {name}, or {name}_FILE to a file that holds it.")
    return value


def _mode() -> Literal["demo", "production"]:
    mode = env.str("MODE", "demo")
    if mode == "demo":
        return "demo"
    if mode == "production":
        return "production"
    raise ImproperlyConfigured(f"MODE is {mode!r}. It must be demo or production.")


def _kept_secret(name: str) -> str:
    """A secret of demo mode: made once, kept in the state directory, readable by its owner only."""
    path = STATE_DIR / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f"{name}.{os.getpid()}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)  # The first process wins; a second one started at once reads what the first wrote.
        except FileExistsError:
            path.stat()
        finally:
            fresh.unlink()
    return path.read_text(encoding="ascii").strip()


def socket_directory() -> Path:
    """Where Unix sockets go: short enough for their limit of 107 bytes, and the same for every process of a site."""
    digest = hashlib.sha256(str(STATE_DIR).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"mtls-rehearsal-{os.getuid()}-{digest}"


MODE = _mode()
DEMO = MODE == "demo"
STATE_DIR = Path(env.str("STATE_DIR", str(BASE_DIR / "var"))).expanduser().absolute()
PORT = env.int("PORT", 8000)

if DEMO:
    SECRET_KEY = env.str("SECRET_KEY", "") or _kept_secret("secret_key")
    CA_KEY_PASSPHRASE = env.str("CA_KEY_PASSPHRASE", "") or _kept_secret("ca_key_passphrase")
    SITE_URL = env.str("SITE_URL", f"http://localhost:{PORT}").rstrip("/")
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
    DATABASE_URL = env.str("DATABASE_URL", "")
    REDIS_URL = env.str("REDIS_URL", f"unix://{socket_directory() / 'redis.sock'}?db=0")
else:
    SECRET_KEY = _required("SECRET_KEY", "Sessions and signed links need a secret of their own.")
    CA_KEY_PASSPHRASE = env.str("CA_KEY_PASSPHRASE", "")
    SITE_URL = _required("SITE_URL", "Certificates name this address for their CRL.").rstrip("/")
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [SITE_URL.split("://", 1)[-1].split("/", 1)[0].split(":", 1)[0]])
    DATABASE_URL = _required("DATABASE_URL", "Production keeps its data in PostgreSQL.")
    REDIS_URL = _required("REDIS_URL", "Sign-in limits and background work need Redis.")

DEBUG = env.bool("DEBUG", False)
CA_KEY_ALGORITHM = env.str("CA_KEY_ALGORITHM", "EC P-256")
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
