"""Requests to the endpoint's granian that do not come through nginx, with headers as nginx would send them."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import quote

from tests.gateway.nginx_front import PATIENCE_SECONDS, SECRET


def front_headers(der: bytes | None = None, **changed: str) -> dict[str, str]:
    """What nginx sends along; None is no certificate."""
    return {
        "X-Rehearsal-Front-Secret": SECRET,
        "X-Rehearsal-Environment": "sandbox",
        "X-Rehearsal-Client-Address": "192.0.2.44",
        "X-Rehearsal-TLS-Version": "TLSv1.3",
        "X-Rehearsal-TLS-Cipher": "TLS_AES_256_GCM_SHA384",
        **({"X-Rehearsal-Client-Cert": quote(ssl.DER_cert_to_PEM_cert(der))} if der is not None else {}),
        **changed,
    }


def ask_directly(port: int, path: str, headers: dict[str, str], *, times: int = 1) -> list[int]:
    """Statuses of requests past nginx, on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    statuses = []
    for _ in range(times):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    return statuses
