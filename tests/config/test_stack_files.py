"""What `make stack` writes before it starts anything: secrets in files of their own; what was drawn is kept."""

from __future__ import annotations

import configparser
import json
import os
import shlex
import shutil
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from config.run import nginx
from config.run.process import commands
from tools.stack import servers
from tools.stack.layout import (
    LOOPBACK,
    PORTS,
    SECRETS,
    Layout,
    gateway_environment,
    layout_in,
    nginx_values,
    site_environment,
)
from tools.stack.running import Stack, StackProblem

SECRET_FILES = (*SECRETS, "database_url", "redis_url")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return layout_in(tmp_path / "stack")


def _programs(layout: Layout) -> list[servers.Program]:
    return servers.programs(layout, nginx_program="/usr/sbin/nginx", redis_program="/usr/bin/redis-server")


def _written(layout: Layout) -> configparser.RawConfigParser:
    """Supervisor's configuration as its own parser would split it."""
    found = configparser.RawConfigParser(inline_comment_prefixes=(" ;",), strict=True)
    found.read_string(servers.write_supervisor(layout, _programs(layout)).read_text(encoding="utf-8"))
    return found


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_ports_and_secrets_are_drawn_once(layout: Layout) -> None:
    again = layout_in(layout.directory)
    assert again.ports == layout.ports
    assert [again.secret_text(name) for name in SECRETS] == [layout.secret_text(name) for name in SECRETS]


def test_each_server_has_a_port_of_its_own_and_each_secret_is_another(layout: Layout) -> None:
    assert set(layout.ports) == set(PORTS)
    assert len(set(layout.ports.values())) == len(PORTS)
    texts = {layout.secret_text(name) for name in SECRETS}
    assert len(texts) == len(SECRETS)
    assert min(map(len, texts)) >= 50


def test_two_stacks_share_neither_secret_nor_control(layout: Layout, tmp_path: Path) -> None:
    other = layout_in(tmp_path / "other")
    for name in SECRET_FILES:
        assert other.secret_text(name) != layout.secret_text(name)
    assert other.control != layout.control


def test_only_the_owner_reads_what_is_written(layout: Layout) -> None:
    _written(layout)
    servers.write_redis(layout)
    nginx.write(nginx_values(layout), layout.directory / "nginx" / "conf")
    for path in layout.directory.rglob("*"):
        assert _mode(path) == (0o700 if path.is_dir() else 0o600), path


def test_no_secret_is_in_supervisor_s_configuration_or_in_an_environment(layout: Layout) -> None:
    text = servers.write_supervisor(layout, _programs(layout)).read_text(encoding="utf-8")
    environments = [program.environment for program in _programs(layout)]
    commands_given = [shlex.join(program.command) for program in _programs(layout)]
    for name in SECRETS:
        secret = layout.secret_text(name)
        assert secret not in text
        assert not [values for values in environments if any(secret in value for value in values.values())]
        assert not [line for line in commands_given if secret in line]


def test_every_file_that_an_environment_names_is_there(layout: Layout) -> None:
    for program in _programs(layout):
        for name, value in program.environment.items():
            if name.endswith("_FILE"):
                assert Path(value).read_text(encoding="ascii").strip(), (program.name, name)


@pytest.mark.parametrize(
    ("name", "signs"),
    [("web1", True), ("web2", True), ("worker1", True), ("worker2", True), ("beat", False), ("gateway", False)],
)
def test_only_who_signs_is_told_the_passphrase(layout: Layout, name: str, signs: bool) -> None:
    (program,) = [one for one in _programs(layout) if one.name == name]
    assert ("CA_KEY_PASSPHRASE_FILE" in program.environment) is signs
    assert program.environment["SIGNS"] == str(signs).lower()
    assert program.command[-1] in commands(), "a line of deploy/Procfile"


def test_the_front_s_secret_is_told_to_the_endpoint_and_to_nginx(layout: Layout) -> None:
    assert Path(gateway_environment(layout)["GATEWAY_FRONT_SECRET_FILE"]) == layout.secret("front_secret")
    assert "GATEWAY_FRONT_SECRET_FILE" not in site_environment(layout, signs=True)
    assert nginx_values(layout)["NGINX_FRONT_SECRET"] == layout.secret_text("front_secret")


def test_nginx_is_told_of_renewed_certificates_by_the_container_s_own_script(layout: Layout) -> None:
    """The script is tried with a real nginx in tests/gateway/test_nginx_portal.py."""
    (program,) = [one for one in _programs(layout) if one.name == "certificates"]
    assert Path(program.command[-1]) == servers.BASE_DIR / "deploy" / "nginx" / "10-before-templates.envsh"
    values = nginx_values(layout)
    watched = {name: value for name, value in program.environment.items() if name.endswith(("_CERTIFICATE", "_KEY"))}
    assert len(watched) == 4
    assert program.environment.items() >= {name: values[name] for name in (*watched, "NGINX_STATE_DIR")}.items()
    assert program.environment["NGINX_FRONT_SECRET_FILE"] == str(layout.secret("front_secret"))


def test_every_program_is_started_again_and_ends_with_its_children(layout: Layout) -> None:
    written = _written(layout)
    sections = [name for name in written.sections() if name.startswith("program:")]
    assert sections == [f"program:{program.name}" for program in _programs(layout)]
    for section in sections:
        values = written[section]
        assert (values["autorestart"], values["stopasgroup"], values["killasgroup"]) == ("true", "true", "true")


def test_a_percent_sign_is_no_expression_of_supervisor_s(tmp_path: Path) -> None:
    layout = layout_in(tmp_path / "100% mine")
    written = _written(layout)
    assert written["supervisord"]["logfile"].replace("%%", "%") == str(layout.logs / "supervisor.log")
    assert "%" not in written["supervisord"]["logfile"].replace("%%", "")


def test_every_server_listens_on_this_machine_alone(layout: Layout) -> None:
    servers.write_redis(layout)
    assert f"bind {LOOPBACK}\n" in (layout.directory / "redis.conf").read_text(encoding="ascii")
    (database,) = [one for one in _programs(layout) if one.name == "database"]
    assert database.command[database.command.index("-h") + 1] == LOOPBACK
    (mail,) = [one for one in _programs(layout) if one.name == "mail"]
    assert f"{LOOPBACK}:{layout.ports['mail']}" in mail.command


def test_the_site_reaches_a_server_through_what_is_between(layout: Layout) -> None:
    between = Layout(layout.directory, layout.ports, {"database": 1, "redis": 2, "mail": 3})
    between.keep_addresses()
    assert ":1/site" in layout.secret_text("database_url")
    assert ":2/0" in layout.secret_text("redis_url")
    assert site_environment(between, signs=False)["EMAIL_URL"] == f"smtp://{LOOPBACK}:3"
    assert between.database_url.endswith(f":{layout.ports['database']}/site"), "the shortest way"


def test_a_missing_nginx_is_said_in_a_sentence(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(servers, "make_database", _must_not_be_made)
    with pytest.raises(StackProblem) as told:
        Stack(layout).start()
    assert str(told.value) == "The stack needs nginx, and there is none. Install it: apt-get install nginx-light"


def test_a_port_that_another_program_took_is_named(layout: Layout) -> None:
    port = layout.ports["redis"]
    with (
        socket.create_server((LOOPBACK, port)),
        pytest.raises(StackProblem, match=f"Port {port}, this stack’s redis, is in use") as told,
    ):
        Stack(layout).start()
    assert "another directory" in str(told.value)


def test_what_does_not_run_has_no_process_id(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Supervisor says 0, and whoever sends a signal to 0 sends it to himself and his whole group."""
    stack = Stack(layout)
    monkeypatch.setattr(stack, "_call", lambda method, name: {"pid": 0})
    for ask in (stack.pid, stack.children, stack.kill):
        with pytest.raises(StackProblem, match=r"^worker1 does not run\.$"):
            ask("worker1")
    monkeypatch.setattr(stack, "_call", lambda method, name: {"pid": 4321})
    assert stack.pid("worker1") == 4321


def test_what_surrounds_the_stack_does_not_set_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "DATABASE_URL", "DEBUG", "SIGNER"):
        monkeypatch.setenv(name, "foreign")
    assert set(servers.surroundings()) <= {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"}


def test_ports_are_kept_as_json(layout: Layout) -> None:
    assert json.loads((layout.directory / "ports.json").read_text(encoding="ascii")) == dict(layout.ports)


def _must_not_be_made(_: Layout) -> None:
    raise AssertionError("a database was made although the stack cannot start")


def test_a_new_database_opens_no_directory_above_it() -> None:
    """As root its account has to get through them; it reads none. (pytest closes its own directories again.)"""
    with tempfile.TemporaryDirectory(prefix="mtls-stack-") as above:
        layout = layout_in(Path(above) / "stack")
        servers.make_database(layout)
        through = 0o011 if os.getuid() == 0 else 0
        assert _mode(Path(above)) == _mode(layout.directory) == 0o700 | through
        assert _mode(layout.directory / "database") == 0o700
        assert (layout.directory / "database" / "site-is-made").exists()
        assert not (layout.directory / "database" / "postmaster.pid").exists(), "it was ended in good order"
