"""The stack that every test uses, and what tests do with it over and over again."""

from __future__ import annotations

import http.client
import json
import secrets
import tempfile
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import redis

from certauthority.x509.requests import build_request, new_private_key
from faults.agreement import GUARD_SECONDS, Database, Mails, wait_until
from faults.between import Between
from faults.browser import Answer, Browser, Order
from tools.stack.layout import LOOPBACK, PORTAL
from tools.stack.running import Stack, StackProblem

CLIENTS = 16
# Stands in the template of a name for the digits that make it another one (`faults.work`).
UNIQUE = "1600000000"
ISSUED = 302
# How long nginx leaves a server alone that did not answer: its `fail_timeout`, where none is set.
FAIL_SECONDS = 10


class Site:
    """The running site, its database and mails, and a person who is signed in."""

    def __init__(self, stack: Stack, between: Between) -> None:
        self.stack, self.between = stack, between
        self._killed: set[psutil.Process] = set()
        self.database, self.mails = Database(stack.layout), Mails(stack.layout)
        found = self.work("site")
        self.email, self.password, self.project = found["email"], found["password"], found["project"]
        self._subject: list[tuple[str, str]] = [(label, value) for label, value in found["subject"]]
        self.browser = Browser(stack)
        self.browser.sign_in(self.email, self.password)

    def work(self, name: str, *arguments: str, **environment: str) -> dict[str, Any]:
        """Run a piece of work (`faults.work`) with the stack's environment; what came of it."""
        with tempfile.NamedTemporaryFile(suffix=".json") as result:
            self.stack.manage("faults.work", name, result.name, *arguments, **environment)
            found: dict[str, Any] = json.loads(Path(result.name).read_text(encoding="utf-8"))
        return found

    def order(self) -> Order:
        """A form with a CSR that keeps every rule, and a name of its own."""
        return Order(alias=f"fault-{uuid.uuid4().hex[:20]}", csr=build_request(self.subject(), new_private_key()))

    def subject(self) -> list[tuple[str, str]]:
        """A name that keeps the project's rules and was not used before."""
        unique = str(1_000_000_000 + secrets.randbelow(8_000_000_000))
        return [(label, value.replace(UNIQUE, unique)) for label, value in self._subject]

    def issue_again(self, orders: Sequence[Order]) -> None:
        """Send each form until it is answered as a person would who saw an error page or none."""
        for order in orders:
            wait_until(partial(self.issued, order), what="the form is taken")

    def issued(self, order: Order) -> bool:
        """Send a form once; whether it was taken."""
        return self.browser.issue(self.project, order).status == ISSUED

    def made(self, order: Order) -> int:
        """How many credentials a form has made."""
        return self.database.count("SELECT count(*) FROM portal_credential WHERE submission = %s", order.submission)

    def states(self, numbers: Sequence[str]) -> dict[str, int]:
        """How many of these requests are in which state."""
        found = self.database.rows(
            "SELECT state, count(*) FROM kmp_certificaterequest WHERE number = ANY(%s) GROUP BY 1", list(numbers)
        )
        return dict(found)

    def wait_until_claimed(self, numbers: Sequence[str]) -> None:
        """Until a worker has taken up each of these requests to decide it."""
        query = "SELECT count(*) FROM kmp_certificaterequest WHERE number = ANY(%s) AND claimed_at IS NOT NULL"
        wait_until(lambda: self.database.count(query, list(numbers)) == len(numbers), what="each is taken up")

    def wait_until_signed(self, numbers: Sequence[str], *, seconds: float = GUARD_SECONDS) -> None:
        """Until each of these requests is signed."""
        wait_until(
            lambda: self.states(numbers) == {"signed": len(numbers)}, what="every request is signed", seconds=seconds
        )

    def wait_until_sent(self, where: str, *values: Any, count: int, seconds: float = GUARD_SECONDS) -> None:
        """Until there are so many mails like this, and each counts as sent."""
        query = f"SELECT state, count(*) FROM connect_notice WHERE channel = 'mail' AND {where} GROUP BY 1"
        wait_until(
            lambda: dict(self.database.rows(query, *values)) == {"sent": count},
            what=f"{count} mails are sent",
            seconds=seconds,
        )

    def messages(self) -> int:
        """How many messages wait in Redis for a worker, or are in the hands of one."""
        with redis.Redis.from_url(self.stack.layout.redis_url, socket_timeout=5) as client:
            waiting = sum(int(client.llen(queue)) for queue in ("celery", "signing"))
            return waiting + int(client.hlen("unacked"))

    def wait_until_quiet(self, *, besides: int = 0) -> None:
        """Until the workers have finished what they were told. ``besides`` are those that dead workers still hold."""
        wait_until(lambda: self.messages() <= besides, what="no message waits")

    def wait_until_all_serve(self) -> None:
        """Until both web servers answer and nginx asks both: it leaves one alone for a while that was not there yet."""
        for name in ("web1", "web2"):
            wait_until(partial(self._serves, name), what=f"{name} serves")
        time.sleep(FAIL_SECONDS + 1)

    def _serves(self, name: str) -> bool:
        try:
            return self.ask_past_nginx("/healthz", name)[0] == http.client.OK
        except OSError:
            return False

    def ask_past_nginx(self, path: str, name: str = "web1") -> tuple[int, bytes]:
        """What a web server answers itself, whatever nginx remembers."""
        connection = http.client.HTTPConnection(LOOPBACK, self.stack.layout.ports[name], timeout=30)
        with closing(connection):
            connection.request("GET", path, headers={"Host": PORTAL, "X-Forwarded-Proto": "https"})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def kill_whole(self, name: str) -> None:
        """Kill a process, once it runs, and everything that it began, at one moment; supervisor starts it again."""
        wait_until(lambda: self._whole(name), what=f"{name} runs")
        for process in self._whole(name):
            with suppress(psutil.NoSuchProcess):
                process.kill()
            self._killed.add(process)

    def _whole(self, name: str) -> list[psutil.Process]:
        """A process and everything that it began; nothing until supervisor has begun anew one that was killed."""
        try:
            main = psutil.Process(self.stack.pid(name))
            return [] if main in self._killed else [main, *main.children(recursive=True)]
        except (StackProblem, psutil.NoSuchProcess):
            return []


def processes_of(stack: Stack) -> list[str]:
    """The command lines of everything that runs in the stack's directory."""
    directory, found = str(stack.layout.directory), []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if directory in line:
            found.append(line)
    return found


class Crowd:
    """Many people who send forms at the same time."""

    def __init__(self, site: Site, orders: Sequence[Order], *, clients: int = CLIENTS) -> None:
        self._site, self.orders = site, list(orders)
        self._pool = ThreadPoolExecutor(clients)
        self._answers: list[Future[Answer]] = []

    def begin(self) -> None:
        """Send them all."""
        self._answers = [self._pool.submit(self._site.browser.issue, self._site.project, one) for one in self.orders]

    def wait_for(self, count: int) -> None:
        """Until so many have an answer."""
        wait_until(lambda: sum(one.done() for one in self._answers) >= count, what=f"{count} answers", seconds=180)

    def end(self) -> dict[str, Answer]:
        """The answer to each form, by its submission."""
        answers = {order.submission: one.result() for order, one in zip(self.orders, self._answers, strict=True)}
        self._pool.shutdown()
        return answers
