"""Start the whole site: `python -m config.run`, which is what `make run` calls."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.run.checks import (
    Refusal,
    check_different,
    check_port,
    lock_state_directory,
    make_socket_directory,
    make_state_directory,
)

# After this time without an answer the launcher says what it waits for.
PATIENCE_SECONDS = 60
# honcho can end only processes that it knows to have started; it knows them all within this time.
SUPERVISOR_START_SECONDS = 2


class EndRequested(BaseException):
    """Somebody pressed Ctrl-C, closed the terminal or sent a signal to end. No handler of errors may stop it."""


class PreparationFailed(Exception):
    """The site could not be prepared; the process that prepares it has said why."""


def main() -> int:
    """Run the site until it is told to end: 0 then, 1 where it could not start or a part of it failed."""
    signal.signal(signal.SIGINT, _request_end)
    signal.signal(signal.SIGTERM, _request_end)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # Ignored means nohup: the site outlives its terminal.
        signal.signal(signal.SIGHUP, _request_end)
    try:
        return _run()
    except (Refusal, ImproperlyConfigured) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except PreparationFailed:
        return 1
    except EndRequested:
        return 0


def _request_end(number: int, frame: FrameType | None) -> NoReturn:
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)  # Ending takes a moment, and a second Ctrl-C must not cut it short.
    raise EndRequested


def _run() -> int:
    from config import env  # Only now: reading the environment may end with a sentence.

    make_state_directory(env.STATE_DIR)
    with lock_state_directory(env.STATE_DIR):
        check_port(env.PORT)
        endpoint = {"GATEWAY_PORT": env.GATEWAY_PORT, "GATEWAY_PROD_PORT": env.GATEWAY_PROD_PORT}
        check_different({"PORT": env.PORT, **endpoint})
        for name, port in endpoint.items():
            check_port(port, name=name, address=env.GATEWAY_BIND)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        print(f"Preparing the site; its data is in {env.STATE_DIR}", flush=True)
        if env.EMBEDDED_REDIS:
            _prepare_with_embedded_redis()
        else:
            _prepare()
        return _serve()


def _prepare() -> None:
    """Prepare the site in a process of its own, which can be ended whatever it is doing.

    In this process the signal would be an exception in the midst of other people's code, which may swallow it: then
    nothing would end.
    """
    from config import env
    from config.run import site

    preparing = subprocess.Popen([sys.executable, "-m", "config.run.prepare"], cwd=env.BASE_DIR, env=site.environment())
    try:
        code = preparing.wait()
    finally:
        if preparing.poll() is None:
            preparing.kill()  # Each step is a transaction or can be repeated, as after a power cut.
            preparing.wait()
    if code:
        raise PreparationFailed


def _prepare_with_embedded_redis() -> None:
    from config import env
    from config.run import embedded_redis, site, supervise

    make_socket_directory(env.REDIS_SOCKET.parent)
    env.REDIS_SOCKET.unlink(missing_ok=True)  # Of a Redis that was killed: our lock says that none is alive.
    command = supervise.commands()["redis"]
    with embedded_redis.running(command, environment=site.environment(), url=env.REDIS_URL):
        _prepare()


def _serve() -> int:
    from config.run import site

    started_at = time.monotonic()
    supervisor = site.start()
    try:
        _announce_when_ready(supervisor)
        supervisor.wait()
    except EndRequested:
        print("Ending the site.", flush=True)
        time.sleep(max(0.0, started_at + SUPERVISOR_START_SECONDS - time.monotonic()))
        supervisor.terminate()
        supervisor.wait()
        return 0
    print(
        "A part of the site ended by itself, so the others were ended too. The lines above say which one and why.",
        file=sys.stderr,
    )
    return 1


def _announce_when_ready(supervisor: subprocess.Popen[bytes]) -> None:
    from config import env
    from config.run import welcome
    from config.run.ready import NotReady, check_endpoint, check_ready

    host = urlsplit(env.SITE_URL).hostname or "localhost"
    complain_at = time.monotonic() + PATIENCE_SECONDS
    while supervisor.poll() is None:
        try:
            check_ready(port=env.PORT, host=host)
            check_endpoint(env.GATEWAY_BIND, [env.GATEWAY_PORT, env.GATEWAY_PROD_PORT])
        except NotReady as missing:
            if time.monotonic() > complain_at:
                print(f"Not ready yet: {missing}", flush=True)
                complain_at = time.monotonic() + PATIENCE_SECONDS
            time.sleep(0.2)
        else:
            welcome.say()
            return


if __name__ == "__main__":
    sys.exit(main())
