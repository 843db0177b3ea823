"""The endpoint's server with an application of a few lines: `python -m tests.gateway.tiny_site '{"ports": [1, 2], …}'`.

What the server does by itself needs neither database nor CA. The application says what it was given.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import django

_ahead = 0.0
_real_time = time.time
time.time = lambda: _real_time() + _ahead  # Before anything takes it: /clock moves the system's clock.

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from gateway.calls import CALL_KEY, Call  # noqa: E402  the apps are loaded only now
from gateway.limits import Limits  # noqa: E402
from gateway.server import Doors, serve  # noqa: E402
from gateway.tls import EndpointTls  # noqa: E402
from portal.models import Environment  # noqa: E402


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    call: Call = environ[CALL_KEY]
    if environ["PATH_INFO"] == "/sleep":
        print("Asleep", flush=True)
        time.sleep(float(environ["QUERY_STRING"]))
    if environ["PATH_INFO"] == "/clock":
        globals()["_ahead"] = float(environ["QUERY_STRING"])
    if environ["PATH_INFO"] == "/break":
        raise RuntimeError("something secret")
    received = environ["wsgi.input"].read()
    body = json.dumps(
        {
            "environment": call.environment.value,
            "chain": [der.hex() for der in call.chain],
            "chain_is_whole": call.chain_is_whole,
            "client_address": call.client_address,
            "tls_version": call.tls_version,
            "cipher": call.cipher,
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "query": environ["QUERY_STRING"],
            "scheme": environ["wsgi.url_scheme"],
            "content_length": environ["CONTENT_LENGTH"],
            "received": len(received),
            "headers": {name: value for name, value in environ.items() if name.startswith("HTTP_")},
        }
    ).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def main(told: dict[str, Any]) -> None:
    sandbox, production = told["ports"]
    tls = EndpointTls(
        chain=Path(told["chain"]),
        key=Path(told["key"]),
        tls12=told.get("tls12", True),
        reload_seconds=told.get("reload_seconds", 60),
    )
    serve(
        application,
        doors=Doors("127.0.0.1", {Environment.SANDBOX: sandbox, Environment.PRODUCTION: production}),
        tls=tls,
        limits=Limits(**told.get("limits", {})),
        started=lambda: print("Serving", flush=True),
    )
    print("Ended", flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
