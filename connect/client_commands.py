"""Commands that call the live endpoint with one certificate, with the names of the files as they are downloaded."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

from connect.client_programs import DOTNET, JAVA, NODE, OPENSSL, PYTHON

_HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class Command:
    """One way to call. ``mark`` is the part of ``text`` that is the person's own."""

    label: str
    text: str
    mark: str


@dataclass(frozen=True, slots=True)
class Server:
    """Who is called: ``url`` without a path, and the file with the CAs that its certificate leads to."""

    url: str
    bundle: str


def commands_for_key(server: Server, *, name: str, alias: str, key: str) -> tuple[Command, ...]:
    """For a private key in the file ``key`` and the downloads called ``name``; ``alias`` is its name in a keystore."""
    chain, quoted = f"{name}-chain.pem", shlex.quote(alias)
    return (
        Command("curl", _curl(server, f"--cert {chain} \\\n  --key {key}"), key),
        Command("Python", _python(server, f'"{chain}", "{key}"'), key),
        Command("Java", _filled(JAVA, server, name=name), f"{name}.p12"),
        Command("Node", _node(server, f'  cert: fs.readFileSync("{chain}"),\n  key: fs.readFileSync("{key}"),'), key),
        Command("openssl", _openssl(server, f"-cert {chain} -cert_chain {chain} -key {key}"), key),
        Command(
            "Keystore by openssl",
            f"openssl pkcs12 -export -name {quoted} -inkey {key} \\\n"
            f"  -in {chain} -out {name}.p12 -passout env:KEYSTORE_PASSWORD",
            key,
        ),
        Command(
            "Keystore by keytool",
            f"keytool -importcert -alias {quoted} \\\n  -file {name}.p7b -keystore {name}.p12",
            f"{name}.p12",
        ),
    )


def commands_for_keystore(server: Server, *, name: str) -> tuple[Command, ...]:
    """For the keystore and the two PEM files that a browser makes; the password stands in KEYSTORE_PASSWORD."""
    p12, chain, key = f"{name}.p12", f"{name}-signing.crt", f"{name}-private-key.key"
    encrypted = f'"{chain}", "{key}", os.environ["KEYSTORE_PASSWORD"]'
    shown = f"-cert {chain} -cert_chain {chain} \\\n  -key {key} -pass env:KEYSTORE_PASSWORD"
    return (
        Command("curl", _curl(server, f'--cert-type P12 \\\n  --cert {p12}:"$KEYSTORE_PASSWORD"'), p12),
        Command("Python", _python(server, f"\n    {encrypted}\n", imports="import os\n"), key),
        Command("Java", _filled(JAVA, server, name=name), p12),
        Command("Node", _node(server, f'  pfx: fs.readFileSync("{p12}"),'), p12),
        Command("openssl", _openssl(server, shown), key),
        Command(".NET", _filled(DOTNET, server, name=name), p12),
        Command(
            "PEM files by openssl",  # The key stays encrypted, with the same password.
            f"openssl pkcs12 -in {p12} -passin env:KEYSTORE_PASSWORD \\\n  -nokeys -out {chain}\n"
            f"openssl pkcs12 -in {p12} -passin env:KEYSTORE_PASSWORD \\\n"
            f"  -nocerts -passout env:KEYSTORE_PASSWORD -out {key}",
            p12,
        ),
    )


def _curl(server: Server, identity: str) -> str:
    return f"curl {server.url}/whoami \\\n  --cacert {server.bundle} \\\n  {identity}"


def _python(server: Server, identity: str, *, imports: str = "") -> str:
    return _filled(PYTHON, server, **{"import os": imports, "identity": identity})


def _node(server: Server, identity: str) -> str:
    return _filled(NODE, server, identity=identity)


def _openssl(server: Server, identity: str) -> str:
    parts = urlsplit(server.url)
    name = parts.hostname or ""
    address = f"[{name}]" if ":" in name else name
    return _filled(
        OPENSSL,
        server,
        host_and_port=f"{address}:{parts.port or _HTTPS_PORT}",
        server_name=name,
        identity=identity,
    )


def _filled(text: str, server: Server, **values: str) -> str:
    """Braces stand in the programs themselves, so each name is put in by itself."""
    known = {"url": server.url, "host": urlsplit(server.url).netloc, "bundle": server.bundle, **values}
    for key, value in known.items():
        text = text.replace("{" + key + "}", value)
    return text
