"""Open a keystore with the programs that our users open it with. Each reader fails where its program refuses the file.

`friendly_name`, `chain` (DER, in the program's own order, the leaf first) and `key_matches` are what the program itself
found; Java lower-cases names. `details` is what else it said.
"""

from __future__ import annotations

import base64
import datetime
import functools
import ipaddress
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

HERE = Path(__file__).resolve().parent
NODE = Path(sys.executable).with_name("node")
HANG_SECONDS = 120


@dataclass(frozen=True)
class Contents:
    """What one program found in a keystore."""

    friendly_name: str
    chain: list[bytes]
    key_matches: bool
    details: str = ""

    @property
    def subjects(self) -> list[str]:
        """RFC 4514 names of the chain, the leaf's first."""
        return [x509.load_der_x509_certificate(der).subject.rfc4514_string() for der in self.chain]


class Refused(Exception):
    """A program refused the keystore; the text is what it said."""


def read_with_openssl(path: Path, password: str) -> Contents:
    """`openssl pkcs12` without -legacy. `details` names the algorithms of the file."""
    command = ["openssl", "pkcs12", "-in", str(path), "-passin", "stdin", "-nodes", "-info"]
    done = _run(command, stdin=f"{password}\n".encode())
    text = done.stdout.decode()
    chain = [x509.load_pem_x509_certificate(pem.encode()) for pem in _pem_blocks(text, "CERTIFICATE")]
    key = serialization.load_pem_private_key(_pem_blocks(text, "PRIVATE KEY")[0].encode(), None)
    names = set(re.findall(r"^\s*friendlyName: (.*)$", text, re.MULTILINE))
    if len(names) != 1:
        raise Refused(f"openssl found {len(names)} friendly names, where leaf and key share one.")
    return Contents(
        friendly_name=names.pop(),
        chain=[_der(certificate) for certificate in chain],
        key_matches=_spki(key.public_key()) == _spki(chain[0].public_key()),
        details=done.stderr.decode(),
    )


def read_with_keytool(path: Path, password: str) -> Contents:
    """`keytool -list`; and `keytool -certreq`, whose request the key signs for the certificate's public key."""
    keystore = ["-keystore", str(path), "-storetype", "PKCS12", "-storepass:env", "KEYSTORE_PASSWORD"]
    environment = os.environ | {"KEYSTORE_PASSWORD": password}
    listed = _run(["keytool", "-J-Duser.language=en", "-list", "-rfc", *keystore], env=environment).stdout.decode()
    alias = re.findall(r"^Alias name: (.*)$", listed, re.MULTILINE)
    length = re.findall(r"^Certificate chain length: (\d+)$", listed, re.MULTILINE)
    chain = [x509.load_pem_x509_certificate(pem.encode()) for pem in _pem_blocks(listed, "CERTIFICATE")]
    if "Entry type: PrivateKeyEntry" not in listed or len(alias) != 1 or length != [str(len(chain))]:
        raise Refused(f"keytool does not find one private key with its chain:\n{listed}")
    asked = _run(["keytool", "-certreq", "-alias", alias[0], *keystore], env=environment).stdout
    request = x509.load_pem_x509_csr(asked)
    matches = request.is_signature_valid and _spki(request.public_key()) == _spki(chain[0].public_key())
    return Contents(alias[0], [_der(certificate) for certificate in chain], matches, listed)


def read_with_java(path: Path, password: str) -> Contents:
    """The KeyStore API of Java, which signs with the key and verifies with the certificate."""
    command = ["java", "-cp", _java_classes(), "Reader", str(path)]
    lines = _run(command, stdin=password.encode("ascii")).stdout.decode().splitlines()
    values = [line.partition(" ")[::2] for line in lines]
    found: dict[str, list[str]] = {}
    for name, value in values:
        found.setdefault(name, []).append(value)
    chain = [base64.b64decode(value) for value in found["certificate"]]
    return Contents(found["alias"][0], chain, found["verified"] == ["true"])


def read_with_cryptography(path: Path, password: str) -> Contents:
    """Python's cryptography."""
    keystore = pkcs12.load_pkcs12(path.read_bytes(), password.encode("ascii"))
    if keystore.cert is None or keystore.key is None:
        raise Refused("cryptography finds no pair of key and certificate.")
    leaf = keystore.cert.certificate
    chain = [leaf, *(certificate.certificate for certificate in keystore.additional_certs)]
    return Contents(
        friendly_name=(keystore.cert.friendly_name or b"").decode(),
        chain=[_der(certificate) for certificate in chain],
        key_matches=_spki(keystore.key.public_key()) == _spki(leaf.public_key()),
    )


def read_with_node(path: Path, password: str) -> Contents:
    """Node's https with `pfx` against a server that demands a certificate of the keystore's root.

    The chain is what the server was shown and led to the root; Node tells no friendly name.
    """
    root = x509.load_der_x509_certificate(read_with_openssl(path, password).chain[-1])
    key, certificate = _server_certificate()
    question = {
        "pfx": base64.b64encode(path.read_bytes()).decode(),
        "passphrase": password,
        "key": key,
        "cert": certificate,
        "ca": root.public_bytes(serialization.Encoding.PEM).decode(),
    }
    done = _run([str(NODE), str(HERE / "https_with_pfx.mjs")], stdin=json.dumps(question).encode())
    answer = json.loads(done.stdout)
    return Contents("", [base64.b64decode(der) for der in answer["chain"]], answer["authorized"] is True)


def _run(
    command: list[str], stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(command, input=stdin, env=env, capture_output=True, timeout=HANG_SECONDS, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise Refused(f"{Path(command[0]).name} {command[1]}: {said}")
    return done


def _pem_blocks(text: str, label: str) -> list[str]:
    return re.findall(f"-----BEGIN {label}-----.*?-----END {label}-----", text, re.DOTALL)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _spki(key: object) -> bytes:
    spki: bytes = key.public_bytes(  # type: ignore[attr-defined]  # every kind of public key has it, and no common type
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return spki


@functools.cache
def _java_classes() -> str:
    """A folder with Reader.java compiled, once in a process."""
    folder = tempfile.TemporaryDirectory(prefix="keystore-reader-")
    _java_folders.append(folder)
    _run(["javac", "-d", folder.name, str(HERE / "Reader.java")])
    return folder.name


_java_folders: list[tempfile.TemporaryDirectory[str]] = []  # Kept here, so that each lives as long as the process.


@functools.cache
def _server_certificate() -> tuple[str, str]:
    """Key and certificate of a server on this machine, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()
