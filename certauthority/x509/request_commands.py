"""Ready commands that make a key and a CSR whose subject fits, for openssl, keytool and PowerShell.

The values come from people (company and project names), so each is quoted twice: for the tool and for the shell.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Literal

from .csr_rules import CsrJudgement
from .errors import ProfileError
from .keys import KEY_TYPES, KeyType
from .subject_rules import SubjectRules
from .verdicts import broken

__all__ = ["KEY_TYPES", "KeyType", "RequestCommand", "corrected_command", "file_name", "request_commands"]

Subject = tuple[tuple[str, str], ...]
# What openssl's -subj takes for the end of a value or of an attribute.
_OPENSSL_SPECIAL = re.compile(r"([\\/+])")
_WINDOWS_SPECIAL = re.compile('[,+="<>#;]')
# RFC 4514, 2.4, and “=”, which Java also wants to be escaped.
_RFC4514_SPECIAL = frozenset(',+"\\<>;=#')


@dataclass(frozen=True, slots=True)
class RequestCommand:
    """One way to make a request. ``text`` is to be pasted into ``shell``; ``csr_file`` is the file to send.

    ``key_file`` holds the private key and stays where it is; it is empty where the system's own store keeps the key.
    """

    id: str
    title: str
    shell: Literal["bash", "powershell"]
    text: str
    key_file: str
    csr_file: str


def request_commands(
    requirement: SubjectRules, *, alias: str, unique: str, key_type: KeyType | None = None
) -> tuple[RequestCommand, ...]:
    """Commands for every tool, the usual one first. ``unique`` begins the common name (advised: seconds since 1970).

    The key is of the type that the rules advise, unless told otherwise. Raises ProfileError when the unique part makes
    no acceptable common name.
    """
    subject = _subject(requirement, unique)
    name = file_name(alias)
    key_type = key_type or requirement.key_types[0]
    return (
        _openssl_new_key(subject, name, key_type, encrypted=False),
        _openssl_new_key(subject, name, key_type, encrypted=True),
        _openssl_existing_key(subject, name),
        _keytool(subject, name, alias or name, key_type),
        _powershell(subject, name, key_type),
    )


def corrected_command(judgement: CsrJudgement, requirement: SubjectRules, *, alias: str, unique: str) -> RequestCommand:
    """The openssl command that makes a refused request right: with the same key, unless the key itself is refused.

    A common name that already fits is kept. Raises ProfileError as ``request_commands`` does.
    """
    subject, key_type = _subject(requirement, unique), requirement.key_types[0]
    if judgement.csr is None:
        return _openssl_new_key(subject, file_name(alias), key_type, encrypted=False)
    broken_ids = {verdict.id for verdict in broken(judgement.verdicts)}
    common_name = judgement.csr.subject.common_name
    if requirement.fits_common_name(common_name) and len(common_name) <= 64:
        subject = (*subject[:-1], ("CN", common_name))
    if any(rule.startswith("key.") or rule == "csr.signature" for rule in broken_ids):
        return _openssl_new_key(subject, file_name(alias), key_type, encrypted=False)
    return _openssl_existing_key(subject, file_name(alias))


def file_name(alias: str) -> str:
    """A file name without its ending, from an alias: safe in every shell and on every system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", alias).strip("-.") or "client"


def _subject(requirement: SubjectRules, unique: str) -> Subject:
    common_name = requirement.example_common_name(unique)
    if not requirement.fits_common_name(common_name) or len(common_name) > 64:
        raise ProfileError(f"“{unique}” cannot begin a common name. Use letters and digits, such as the epoch time.")
    return requirement.example_subject(unique)


def _bash_command(*lines: list[str]) -> str:
    """One command over several lines, so that it can be read in a narrow column."""
    return " \\\n  ".join(shlex.join(words) for words in lines)


def _openssl_subject(subject: Subject) -> str:
    return "".join(f"/{label}={_escaped_for_openssl(value)}" for label, value in subject)


def _escaped_for_openssl(value: str) -> str:
    return _OPENSSL_SPECIAL.sub(r"\\\1", value)


def _openssl_new_key(subject: Subject, name: str, key_type: KeyType, *, encrypted: bool) -> RequestCommand:
    if key_type.startswith("RSA"):
        key = ["-newkey", f"rsa:{key_type.removeprefix('RSA ')}"]
    else:
        key = ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{key_type.removeprefix('EC ')}"]
    text = _bash_command(
        ["openssl", "req", "-new", *key],
        ["-sha256", *([] if encrypted else ["-nodes"]), "-utf8"],
        ["-keyout", f"{name}.key"],
        ["-out", f"{name}.csr"],
        ["-subj", _openssl_subject(subject)],
    )
    return RequestCommand(
        "openssl-passphrase" if encrypted else "openssl",
        "openssl, new key with a passphrase" if encrypted else "openssl, new key",
        "bash",
        text,
        f"{name}.key",
        f"{name}.csr",
    )


def _openssl_existing_key(subject: Subject, name: str) -> RequestCommand:
    text = _bash_command(
        ["openssl", "req", "-new", "-key", f"{name}.key"],
        ["-sha256", "-utf8"],
        ["-out", f"{name}.csr"],
        ["-subj", _openssl_subject(subject)],
    )
    return RequestCommand("openssl-existing-key", "openssl, a key you have", "bash", text, f"{name}.key", f"{name}.csr")


def _java_name(subject: Subject) -> str:
    """RFC 4514 in plain ASCII: Java reads its arguments in the system's encoding, which may know no accents."""
    return ",".join(f"{label}={_java_value(value)}" for label, value in reversed(subject))


def _java_value(value: str) -> str:
    written = []
    for position, character in enumerate(value):
        follower = value[position + 1 : position + 2]
        # Java loses a space at an edge, and one before a character that is written in hex.
        is_lost_space = character == " " and (position == 0 or not follower or not follower.isascii())
        if character in _RFC4514_SPECIAL or is_lost_space:
            written.append("\\" + character)
        elif character.isascii():
            written.append(character)
        else:
            written.extend(f"\\{octet:02X}" for octet in character.encode())
    return "".join(written)


def _keytool(subject: Subject, name: str, alias: str, key_type: KeyType) -> RequestCommand:
    algorithm, size = key_type.replace("P-", "").split()
    signature = "SHA256withRSA" if algorithm == "RSA" else "SHA256withECDSA"
    store = ["-alias", alias, "-sigalg", signature, "-keystore", f"{name}.p12", "-storetype", "PKCS12"]
    generate = _bash_command(
        ["keytool", "-genkeypair", "-keyalg", algorithm, "-keysize", size], ["-dname", _java_name(subject)], store
    )
    text = f"{generate}\n{_bash_command(['keytool', '-certreq', '-file', f'{name}.csr'], store)}"
    return RequestCommand("keytool", "keytool (Java)", "bash", text, f"{name}.p12", f"{name}.csr")


def _windows_name(subject: Subject) -> str:
    """As CertStrToName of Windows reads it, first attribute of the line last in the name."""
    return ",".join(f"{label}={_windows_value(value)}" for label, value in reversed(subject))


def _windows_value(value: str) -> str:
    """In double quotes, with quotes inside doubled, where a character has a meaning of its own."""
    if _WINDOWS_SPECIAL.search(value) or value != value.strip():
        return '"' + value.replace('"', '""') + '"'
    return value


def _powershell(subject: Subject, name: str, key_type: KeyType) -> RequestCommand:
    """An .inf file doubles the quotes of a quoted string once more, and its per cent signs begin a variable."""
    quoted = _windows_name(subject).replace('"', '""').replace("%", "%%")
    if key_type.startswith("RSA"):
        key = f"KeyAlgorithm = RSA\nKeyLength = {key_type.removeprefix('RSA ')}"
    else:
        key = f"KeyAlgorithm = ECDSA_P{key_type.removeprefix('EC P-')}"
    text = f"""@'
[Version]
Signature = "$Windows NT$"
[NewRequest]
Subject = "{quoted}"
{key}
HashAlgorithm = SHA256
ProviderName = "Microsoft Software Key Storage Provider"
RequestType = PKCS10
Exportable = TRUE
'@ | Set-Content -Encoding Unicode {name}.inf
certreq -new {name}.inf {name}.csr"""
    return RequestCommand("powershell", "PowerShell (certreq)", "powershell", text, "", f"{name}.csr")
