"""Every environment variable that the site reads, and what it is without one.

Each may also be given as a file: ``SECRET_KEY_FILE=/run/secrets/key`` takes the place of ``SECRET_KEY``. In demo
mode (the default) everything has a value; in production a missing or a demo secret stops the start with a sentence.
A value that cannot be read is never replaced by a default: it raises ``ImproperlyConfigured``, whose message says
what to set.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from certauthority.chosen_secrets import PASSPHRASE_CHARACTERS, is_easily_guessed
from config.variables import addresses as _addresses
from config.variables import choice as _choice
from config.variables import flag as _flag
from config.variables import ip as _ip_address
from config.variables import names as _names
from config.variables import number as _number
from config.variables import port as _port
from config.variables import required as _required
from config.variables import see_that_it_can_be_written
from config.variables import text as _text

BASE_DIR = Path(__file__).resolve().parent.parent
CA_KEY_ALGORITHMS = ("EC P-256", "EC P-384", "RSA 2048", "RSA 3072", "RSA 4096")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# What no log line may hold.
SECRET_NAMES = ("SECRET_KEY", "CA_KEY_PASSPHRASE", "PKCS11_PIN", "GATEWAY_FRONT_SECRET", "METRICS_TOKEN")
SIGNERS = ("file", "pkcs11")
# Django asks for 50 characters in its signing key. A token locks itself after a few wrong PINs, so that 8 are enough.
SECRET_KEY_CHARACTERS = 50
PIN_CHARACTERS = 8
FRONT_SECRET_CHARACTERS = 32
METRICS_TOKEN_CHARACTERS = 16

_MAIL_PORTS = {"smtp": 25, "submission": 587, "smtps": 465}


def _mode() -> Literal["demo", "production"]:
    return "production" if _choice("MODE", ("demo", "production"), "demo") == "production" else "demo"


def _site_url(default: str) -> str:
    """The address that users and relying parties see: scheme and host, and a port where it is not the usual one."""
    url = (_text("SITE_URL", default) or _required("SITE_URL", "Certificates name this address for their CRL.")).rstrip(
        "/"
    )
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(
            f"SITE_URL is {url!r}. It must look like https://portal.example.com, without a path."
        )
    if not DEMO and parts.scheme != "https":
        raise ImproperlyConfigured(f"SITE_URL is {url!r}. Production is only reached by https: begin it with https://.")
    return url


def _gateway_url(name: str, port: int) -> str:
    """The address of one host of the mTLS endpoint, as clients call it."""
    url = (_text(name) or f"https://{urlsplit(SITE_URL).hostname}:{port}").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(f"{name} is {url!r}. It must look like https://mtls.example.com, without a path.")
    return url


def _front_secret() -> str:
    """What a front of the endpoint sends along to be believed; without one, no front is."""
    secret = _text("GATEWAY_FRONT_SECRET")
    if secret and len(secret) < FRONT_SECRET_CHARACTERS:
        raise ImproperlyConfigured(
            f"GATEWAY_FRONT_SECRET is too short: whoever guesses it can claim any certificate. Set at least "
            f"{FRONT_SECRET_CHARACTERS} random characters."
        )
    return secret


def _metrics_token() -> str:
    token = _text("METRICS_TOKEN")
    if token and len(token) < METRICS_TOKEN_CHARACTERS:
        raise ImproperlyConfigured(
            f"METRICS_TOKEN is too short, and could be guessed. Set at least {METRICS_TOKEN_CHARACTERS} random "
            "characters."
        )
    return token


def _kept_secret(name: str) -> str:
    """A secret of demo mode: made once, kept in the state directory, readable by its owner only."""
    path = STATE_DIR / "secrets" / name
    try:
        if not path.exists():
            _keep_fresh_secret(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"The state directory {STATE_DIR} cannot be written ({error.strerror}). "
            "Make it writable, or name another one: STATE_DIR=/path/to/directory."
        ) from error


def _keep_fresh_secret(path: Path) -> None:
    STATE_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)  # It will hold the database, too.
    path.parent.mkdir(exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(fresh, path)  # The first process wins; a second one started at once reads what the first wrote.
    except FileExistsError:
        path.stat()
    finally:
        fresh.unlink()


def _production_secret(name: str, characters: int, why: str) -> str:
    """A secret that somebody chose for production: long enough, and none that an example or the demo made."""
    value = _required(name, why)
    if is_easily_guessed(value, characters=characters):
        raise ImproperlyConfigured(
            f"{name} is too short or was copied from an example. Production needs at least {characters} random "
            f"characters: python3 -c 'import secrets; print(secrets.token_urlsafe({characters}))' makes some."
        )
    kept = STATE_DIR / "secrets" / name.lower()
    if kept.exists() and secrets.compare_digest(kept.read_bytes().strip(), value.encode()):
        raise ImproperlyConfigured(f"{name} is the secret of the demo in {STATE_DIR}. Production needs one of its own.")
    return value


def _of_the_token(name: str, why: str) -> str:
    """A variable that says how the keys in a PKCS#11 token are reached."""
    value = _text(name)
    if value and SIGNER != "pkcs11":
        raise ImproperlyConfigured(
            f"{name} is set, but SIGNER is {SIGNER}, and so the keys would be looked for in files. "
            f"Set SIGNER=pkcs11, or take {name} away."
        )
    return _required(name, why) if SIGNER == "pkcs11" and SIGNS else value


def _pin() -> str:
    pin = _of_the_token("PKCS11_PIN", "It opens the token that holds the keys of the CAs.")
    if not SIGNS or not pin:
        return ""
    return pin if DEMO else _production_secret("PKCS11_PIN", PIN_CHARACTERS, "It opens the token.")


def _production_database() -> str:
    url = _required("DATABASE_URL", "Production keeps its data in PostgreSQL.")
    if urlsplit(url).scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(
            "DATABASE_URL does not begin with postgresql://. Production keeps its data in PostgreSQL."
        )
    return url


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in: ``submission`` with STARTTLS, ``smtps`` with TLS from the start, ``smtp`` without."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)


def _mail_server(url: str) -> MailServer | None:
    """The server that EMAIL_URL names; its user and password are percent-encoded (RFC 3986, 2.1)."""
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in _MAIL_PORTS or not parts.hostname:
        raise ImproperlyConfigured(
            "EMAIL_URL does not name a mail server. It must look like submission://user:password@mail.example.com:587 "
            "(or smtps://… or smtp://…)."
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(parts.scheme, parts.hostname, parts.port or _MAIL_PORTS[parts.scheme], user, password)


def socket_directory() -> Path:
    """Where Unix sockets go: short enough for their limit of 107 bytes, and the same for every process of a site."""
    digest = hashlib.sha256(str(STATE_DIR).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"mtls-rehearsal-{os.getuid()}-{digest}"


MODE = _mode()
DEMO = MODE == "demo"
DEBUG = _flag("DEBUG", False)
STATE_DIR = Path(_text("STATE_DIR", str(BASE_DIR / "var"))).expanduser().absolute()
PORT = _port("PORT", 8000)
SITE_URL = _site_url(f"http://localhost:{PORT}" if DEMO else "")
# The live mTLS endpoint: its ports here, and the addresses that clients call.
GATEWAY_PORT = _port("GATEWAY_PORT", 8443)
GATEWAY_PROD_PORT = _port("GATEWAY_PROD_PORT", min(GATEWAY_PORT + 1, 65535))
# The address of this machine at which it listens: one that only programs here reach, unless it is in a container.
GATEWAY_BIND = _ip_address("GATEWAY_BIND", "127.0.0.1")
GATEWAY_URLS = {
    "sandbox": _gateway_url("GATEWAY_URL", GATEWAY_PORT),
    "production": _gateway_url("GATEWAY_PROD_URL", GATEWAY_PROD_PORT),
}
# Other names that its server certificate is for, such as the portal’s where both stand behind one front.
CERTIFIED_HOSTS = _names("CERTIFIED_HOSTS", [])
# Whether the endpoint still speaks TLS 1.2; TLS 1.3 it always does.
GATEWAY_TLS12 = _flag("GATEWAY_TLS12", True)
# A front such as nginx that ends TLS for the endpoint: what it proves itself with, and the addresses it comes from.
GATEWAY_FRONT_SECRET = _front_secret()
GATEWAY_FRONT_ADDRESSES = _addresses("GATEWAY_FRONT_ADDRESSES", ["127.0.0.1", "::1"])
CA_KEY_ALGORITHM = _choice("CA_KEY_ALGORITHM", CA_KEY_ALGORITHMS, "EC P-256")
# Over how many CRLs an issuing CA spreads the certificates that it issues from now on; 1 is one list for all.
CRL_SHARDS = _number("CRL_SHARDS", 1, least=1, most=128)
LOG_LEVEL = _choice("LOG_LEVEL", LOG_LEVELS, "INFO")
LOG_FORMAT = _choice("LOG_FORMAT", ("line", "json"), "line" if DEMO else "json")
# Where errors are reported to (Sentry or what speaks as it does); nowhere unless it is set.
SENTRY_DSN = _text("SENTRY_DSN")
# Who may read /metrics: programs at these addresses, and whoever sends this token.
METRICS_ADDRESSES = _addresses("METRICS_ADDRESSES", ["127.0.0.1", "::1"])
METRICS_TOKEN = _metrics_token()
# A file that a worker or beat touches while it is at work, for health checks of a container; none unless it is set.
HEARTBEAT_FILE = _text("HEARTBEAT_FILE")
# A proxy that ends TLS and sets X-Forwarded-Proto itself, whatever the client sent.
BEHIND_PROXY = _flag("BEHIND_PROXY", False)
# Whether those who decide and sign for others need a second factor to sign in.
TWO_FACTOR_REQUIRED = _flag("TWO_FACTOR_REQUIRED", not DEMO)
# After how many minutes in which nobody does anything a session ends.
SESSION_IDLE_MINUTES = _number("SESSION_IDLE_MINUTES", 60, least=1, most=12 * 60)
# Whether webhooks may lead to private addresses, and may do without TLS: for a site inside a company's network.
WEBHOOK_ALLOW_PRIVATE = _flag("WEBHOOK_ALLOW_PRIVATE", False)
# A process that never signs (the endpoint, or a worker that only sends mail) has neither passphrase nor PIN.
SIGNS = _flag("SIGNS", True)
# Where the keys of the CAs are: in files, or in a token that never gives them away.
SIGNER = _choice("SIGNER", SIGNERS, "file")
PKCS11_MODULE = _of_the_token("PKCS11_MODULE", "It is the path of the library that speaks to the token.")
PKCS11_TOKEN = _of_the_token("PKCS11_TOKEN", "It is the label of the token that holds the keys of the CAs.")
PKCS11_PIN = _pin()

if DEMO:
    SECRET_KEY = _text("SECRET_KEY") or _kept_secret("secret_key")
    CA_KEY_PASSPHRASE = (_text("CA_KEY_PASSPHRASE") or _kept_secret("ca_key_passphrase")) if SIGNS else ""
    ALLOWED_HOSTS = _names("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
    DATABASE_URL = _text("DATABASE_URL")
    REDIS_URL = _text("REDIS_URL")
    MAIL_SERVER = _mail_server(_text("EMAIL_URL"))
else:
    if DEBUG:
        raise ImproperlyConfigured("DEBUG is on, and it shows secrets in error pages. Take DEBUG away in production.")
    SECRET_KEY = _production_secret("SECRET_KEY", SECRET_KEY_CHARACTERS, "Sessions and signed links need it.")
    CA_KEY_PASSPHRASE = (
        _production_secret("CA_KEY_PASSPHRASE", PASSPHRASE_CHARACTERS, "It opens the keys of the CAs.") if SIGNS else ""
    )
    if SIGNS:
        see_that_it_can_be_written(STATE_DIR / "ca", holds="the keys of the CAs")
    ALLOWED_HOSTS = _names("ALLOWED_HOSTS", [urlsplit(SITE_URL).hostname or ""])
    if "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS is '*', and lets anybody choose the site's name. List the names.")
    DATABASE_URL = _production_database()
    REDIS_URL = _required("REDIS_URL", "Sign-in limits and background work need Redis.")
    MAIL_SERVER = _mail_server(_required("EMAIL_URL", "Notices go out by mail."))

# Whose mail it is that the site sends.
MAIL_FROM = _text("MAIL_FROM", f"mTLS Rehearsal <notices@{urlsplit(SITE_URL).hostname}>")

# Without an address of its own, demo mode starts a Redis on a socket.
EMBEDDED_REDIS = not REDIS_URL
REDIS_SOCKET = socket_directory() / "redis.sock"
REDIS_URL = REDIS_URL or f"unix://{REDIS_SOCKET}?db=0"
