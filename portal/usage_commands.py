"""Lines that use a downloaded certificate, with the names of the files as they are downloaded."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from certauthority.x509.request_commands import file_name
from portal.models import Credential

# Nobody's server (RFC 2606, 3): it stands for the one that people call.
HOST = "api.example.com"


@dataclass(frozen=True, slots=True)
class UsageCommand:
    """One way to use a certificate. ``mark`` is the part of ``text`` that is the person's own."""

    label: str
    text: str
    mark: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Every way to use one certificate. ``file_name`` is what its files are called, without an ending."""

    commands: tuple[UsageCommand, ...]
    has_keystore: bool
    file_name: str
    host: str = HOST


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


def usage_of(credential: Credential) -> Usage:
    """The lines for what the person has: a keystore that a browser made, or a key of their own."""
    alias = credential.alias
    if credential.has_generated_key:
        return Usage(keystore_usage(alias), has_keystore=True, file_name=file_name(alias))
    return Usage(usage_commands(alias), has_keystore=False, file_name=file_name(alias))


def keystore_usage(alias: str) -> tuple[UsageCommand, ...]:
    """For the keystore and the two PEM files that a browser makes; the password stands in KEYSTORE_PASSWORD."""
    name = file_name(alias)
    p12, key = f"{name}.p12", f"{name}-private-key.key"
    lines = (
        ("curl", _CURL, p12),
        ("Java", _JAVA, p12),
        ("Python", _PYTHON, key),
        ("Node", _NODE, p12),
        (".NET", _DOTNET, p12),
        ("PEM files by openssl", _OPENSSL, p12),
    )
    return tuple(
        UsageCommand(label, text.replace("{name}", name).replace("{host}", HOST), mark) for label, text, mark in lines
    )


_CURL = """curl https://{host}/ \\
  --cert-type P12 \\
  --cert {name}.p12:"$KEYSTORE_PASSWORD\""""

_JAVA = """// Client.java, run by: java Client.java
import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

class Client {
  public static void main(String[] arguments) throws Exception {
    char[] password = System.getenv("KEYSTORE_PASSWORD").toCharArray();
    KeyStore keystore = KeyStore.getInstance(new File("{name}.p12"), password);
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(keystore, password);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    HttpClient client = HttpClient.newBuilder().sslContext(context).build();
    HttpRequest request = HttpRequest.newBuilder(URI.create("https://{host}/")).build();
    System.out.println(client.send(request, BodyHandlers.ofString()).body());
  }
}"""

_PYTHON = """import os
import ssl
import urllib.request

context = ssl.create_default_context()
context.load_cert_chain(
    "{name}-signing.crt", "{name}-private-key.key", os.environ["KEYSTORE_PASSWORD"]
)
with urllib.request.urlopen("https://{host}/", context=context) as answer:
    print(answer.read().decode())"""

_NODE = """const fs = require("node:fs");
const https = require("node:https");

const options = {
  pfx: fs.readFileSync("{name}.p12"),
  passphrase: process.env.KEYSTORE_PASSWORD,
};
https.get("https://{host}/", options, (answer) => answer.pipe(process.stdout));"""

_DOTNET = """// .NET 9 or later
using System.Security.Cryptography.X509Certificates;

var password = Environment.GetEnvironmentVariable("KEYSTORE_PASSWORD");
var handler = new HttpClientHandler();
handler.ClientCertificates.Add(X509CertificateLoader.LoadPkcs12FromFile("{name}.p12", password));
using var client = new HttpClient(handler);
Console.WriteLine(await client.GetStringAsync("https://{host}/"));"""

# The key stays encrypted, with the same password.
_OPENSSL = """openssl pkcs12 -in {name}.p12 -passin env:KEYSTORE_PASSWORD \\
  -nokeys -out {name}-signing.crt
openssl pkcs12 -in {name}.p12 -passin env:KEYSTORE_PASSWORD \\
  -nocerts -passout env:KEYSTORE_PASSWORD -out {name}-private-key.key"""
