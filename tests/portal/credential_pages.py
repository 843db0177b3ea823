"""Addresses of a project's credential pages, and what tests send to them."""

from __future__ import annotations

import re
import uuid
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from certauthority.x509.requests import new_private_key
from portal.models import Credential, Environment, Project
from tests.factories import make_csr

PRIVATE_KEY = new_private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SENTENCE = "This file holds a private key. Never send it to anyone. It was not stored."
_SUBMISSION = re.compile(r'name="submission" value="([0-9a-f-]{36})"')


def page_url(name: str, project: Project, environment: Environment = Environment.SANDBOX, **query: object) -> str:
    """The address of a page of one environment."""
    parameters = "&".join(f"{key}={value}" for key, value in query.items())
    return reverse(f"portal:{name}", args=[project.pk, environment]) + (f"?{parameters}" if parameters else "")


def credential_url(name: str, credential: Credential, *more: str) -> str:
    """The address of a page of one credential."""
    return reverse(f"portal:{name}", args=[credential.project_id, credential.environment, credential.pk, *more])


def file_of(content: bytes | str, name: str = "request.csr") -> SimpleUploadedFile:
    """A file as a browser sends it."""
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def sent(**fields: Any) -> dict[str, Any]:
    """A form as it is sent, with a submission of its own and an alias."""
    return {"alias": "payouts", "submission": str(uuid.uuid4()), **fields}


def made_in_browser(project: Project, **fields: Any) -> dict[str, Any]:
    """What the script of `Generate a new private key` sends, with a CSR that keeps every rule."""
    return sent(**{"csr": make_csr(project).decode(), **fields})


def submission_on(response: Any) -> str:
    """The hidden submission of the form on a page."""
    found = _SUBMISSION.search(response.content.decode())
    assert found is not None
    return found.group(1)


def key_lines(pem: str = PRIVATE_KEY) -> list[str]:
    """The lines that must never be seen again."""
    return [line for line in pem.splitlines() if line and not line.startswith("-")]
