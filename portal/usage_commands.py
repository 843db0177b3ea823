"""Lines that use a downloaded certificate, with the names of the files as they are downloaded."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from certauthority.x509.request_commands import file_name

# Nobody's server (RFC 2606, 3): it stands for the one that people call.
HOST = "api.example.com"


@dataclass(frozen=True, slots=True)
class UsageCommand:
    """One way to use a certificate. ``mark`` is the part of ``text`` that is the person's own."""

    label: str
    text: str
    mark: str


def key_file(alias: str) -> str:
    """The file that holds the private key, if it was made with the command that our pages show."""
    return f"{file_name(alias)}.key"


def usage_commands(alias: str) -> tuple[UsageCommand, ...]:
    """For curl, and for Java with a key that openssl or keytool made."""
    name, key, quoted = file_name(alias), key_file(alias), shlex.quote(alias)
    java = (
        f"java -Djavax.net.ssl.keyStore={name}.p12 -Djavax.net.ssl.keyStoreType=PKCS12 \\\n"
        '  -Djavax.net.ssl.keyStorePassword="$KEYSTORE_PASSWORD" -jar your-client.jar'
    )
    return (
        UsageCommand("curl", f"curl https://{HOST}/ \\\n  --cert {name}-chain.pem \\\n  --key {key}", key),
        UsageCommand(
            "Java",
            f"openssl pkcs12 -export -name {quoted} -inkey {key} \\\n  -in {name}-chain.pem -out {name}.p12\n{java}",
            key,
        ),
        UsageCommand(
            "Java, key made by keytool",
            f"keytool -importcert -alias {quoted} \\\n  -file {name}.p7b -keystore {name}.p12\n{java}",
            f"{name}.p12",
        ),
    )
