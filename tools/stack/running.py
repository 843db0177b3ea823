"""A stack that runs: start it, look at its processes, end them one by one or all."""

from __future__ import annotations

import http.client
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xmlrpc.client import Fault, ServerProxy

import psutil
import psycopg
import redis
from supervisor.xmlrpc import SupervisorTransport

from config.run import nginx
from config.run.checks import make_socket_directory
from tools.stack import servers
from tools.stack.layout import LOOPBACK, PORTAL, Layout, nginx_values, site_environment

READY_SECONDS = 120
END_SECONDS = 60
SITE = ("worker1", "worker2", "beat", "web1", "web2", "gateway")


class StackProblem(Exception):
    """The stack cannot run; the message is a sentence for whoever started it."""


class Stack:
    """One stack. A ``with`` block starts it, waits until it serves, and ends every process of it."""

    def __init__(self, layout: Layout, more: Sequence[servers.Program] = ()) -> None:
        """``more`` are programs that can be started beside the stack's own; nothing starts them by itself."""
        self.layout = layout
        self._more = more
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self) -> None:
        """Start servers, prepare the site, start its processes and, last, nginx.

        Raises:
            StackProblem: a program is missing, or something does not become ready.
        """
        self._see_that_nothing_runs()
        self._write()
        make_socket_directory(self.layout.control.parent)
        self._supervisor = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.layout.directory / "supervisor.conf")],
            env=servers.surroundings(),
            start_new_session=True,
        )
        self._wait("supervisor", lambda: self._call("getState"))
        for name, answers in (("database", self._database), ("redis", self._redis), ("mail", self._mail)):
            self.start_process(name)
            self._wait(name, answers)
        self.manage("config.run.prepare")
        for name in (*SITE, "nginx", "certificates"):
            self._call("startProcess", name, False)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Until the site says that everything works. Raises StackProblem where it does not come to that."""
        self._wait("the site", self._site)

    def end(self) -> None:
        """End every process."""
        if self._supervisor is None:  # What runs here, if anything, is not ours.
            return
        supervisor, self._supervisor = self._supervisor, None
        everybody = [psutil.Process(supervisor.pid)] if supervisor.poll() is None else []
        everybody += [child for one in everybody for child in one.children(recursive=True)]
        supervisor.terminate()
        try:
            supervisor.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            for process in everybody:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            supervisor.wait()
        shutil.rmtree(self.layout.control.parent, ignore_errors=True)

    def wait(self) -> None:
        """Until somebody ends it.

        Raises:
            StackProblem: it ended by itself.
        """
        if self._supervisor is not None:
            self._supervisor.wait()
            raise StackProblem("The stack’s supervisor has ended. See supervisor.log in its logs.")

    def manage(self, module: str, *arguments: str, **environment: str) -> None:
        """Run a module of ours with the environment of a process that signs.

        Raises:
            StackProblem: it did not end well; it has said why.
        """
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=servers.BASE_DIR,
            env=servers.surroundings() | site_environment(self.layout, signs=True) | environment,
            check=False,
        )
        if done.returncode:
            raise StackProblem(f"{' '.join((module, *arguments))} failed; the lines above say why.")

    def start_process(self, name: str) -> None:
        """Start one process that does not run."""
        self._call("startProcess", name)

    def stop_process(self, name: str) -> None:
        """End one process, and have it stay so."""
        self._call("stopProcess", name)

    def pid(self, name: str) -> int:
        """The process id.

        Raises:
            StackProblem: it does not run. Supervisor's 0 for that is, for `kill`, everybody in the caller's own group.
        """
        pid = int(self._call("getProcessInfo", name)["pid"])
        if not pid:
            raise StackProblem(f"{name} does not run.")
        return pid

    def children(self, name: str) -> list[int]:
        """The processes that a process of the stack has begun itself, such as those of a worker's pool."""
        return [child.pid for child in psutil.Process(self.pid(name)).children(recursive=True)]

    def kill(self, name: str, signal_name: str = "KILL") -> int:
        """Send a process a signal as from outside; supervisor starts it again. The id that it had."""
        pid = self.pid(name)
        self._call("signalProcess", name, signal_name)
        return pid

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self.layout.control}")
        with ServerProxy("http://localhost", transport=transport) as proxy:
            try:
                return getattr(proxy.supervisor, method)(*arguments)
            except Fault as fault:
                raise StackProblem(f"{' '.join((method, *map(str, arguments)))}: {fault.faultString}") from fault

    def _write(self) -> None:
        nginx_program = servers.program_named("nginx")
        redis_program = servers.program_named("redis-server") or _embedded_redis()
        if not nginx_program:
            raise StackProblem("The stack needs nginx, and there is none. Install it: apt-get install nginx-light")
        servers.make_database(self.layout)
        servers.write_redis(self.layout)
        nginx.write(nginx_values(self.layout), self.layout.directory / "nginx" / "conf")
        servers.write_supervisor(
            self.layout,
            [
                *servers.programs(self.layout, nginx_program=nginx_program, redis_program=redis_program),
                *self._more,
            ],
        )

    def _see_that_nothing_runs(self) -> None:
        if self._answers():
            raise StackProblem(
                f"This stack runs already: another program has {self.layout.directory}. End that one first."
            )
        for name, port in self.layout.ports.items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((LOOPBACK, port))
                except OSError as error:
                    raise StackProblem(
                        f"Port {port}, this stack’s {name}, is in use by another program. End that one, or start a "
                        "stack in another directory."
                    ) from error

    def _answers(self) -> bool:
        try:
            self._call("getState")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _wait(self, name: str, answers: Callable[[], Any]) -> None:
        until = time.monotonic() + READY_SECONDS
        while True:
            try:
                answers()
            except (OSError, StackProblem, psycopg.Error, redis.RedisError, smtplib.SMTPException) as problem:
                if self._supervisor is not None and self._supervisor.poll() is not None:
                    raise StackProblem("The stack's supervisor ended. See supervisor.log in its logs.") from problem
                if time.monotonic() > until:
                    raise StackProblem(f"The stack does not become ready: {name}: {problem}") from problem
                time.sleep(0.2)
            else:
                return

    def _database(self) -> None:
        psycopg.connect(self.layout.secret_text("database_url"), connect_timeout=2).close()

    def _redis(self) -> None:
        client = redis.Redis.from_url(self.layout.secret_text("redis_url"), socket_timeout=2)
        try:
            client.ping()
        finally:
            client.close()

    def _mail(self) -> None:
        smtplib.SMTP(LOOPBACK, self.layout.ports["mail"], timeout=2).close()

    def _site(self) -> None:
        status, body = self.ask("/readyz")
        if status != http.client.OK:
            raise StackProblem(body.decode(errors="replace"))

    def ask(self, path: str, host: str = PORTAL) -> tuple[int, bytes]:
        """What a host of the stack answers over TLS that is verified by the stack's own root."""
        context = ssl.create_default_context(cafile=str(self._root()))
        address = (LOOPBACK, self.layout.ports["https"])
        with (
            socket.create_connection(address, timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            connection = http.client.HTTPConnection(host, self.layout.ports["https"])
            connection.sock = secure
            connection.request("GET", path, headers={"Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def _root(self) -> Path:
        """The root's certificate, as the site publishes it over plain http."""
        path = self.layout.directory / "root.pem"
        if not path.exists():
            plain = http.client.HTTPConnection(LOOPBACK, self.layout.ports["http"], timeout=10)
            plain.request("GET", "/ca/root.pem", headers={"Host": PORTAL})
            answer = plain.getresponse()
            body = answer.read()
            plain.close()
            if answer.status != http.client.OK:
                raise StackProblem(f"The root's certificate is answered with status {answer.status}.")
            path.write_bytes(body)
        return path


def _embedded_redis() -> str:
    from config.run.embedded_redis import server_program  # noqa: PLC0415  only where the system has none

    return server_program()
