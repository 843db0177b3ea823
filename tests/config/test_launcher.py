"""`make run`'s launcher: what it starts, what it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.conftest import clean_environment, run_python
from tests.config.launcher import Launched
from tests.gateway.tls_client import context, get
from tests.gateway_server import free_ports


def pick_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory that the sites of this file use one after the other."""
    return tmp_path_factory.mktemp("launcher") / "state"


@pytest.fixture
def site(state: Path) -> Iterator[Launched]:
    """A running site that has said it is ready."""
    with Launched(state, pick_port()) as launched:
        launched.wait_until_ready()
        yield launched


def test_it_starts_a_site_that_works_and_says_so_in_its_last_line(site: Launched) -> None:
    assert site.lines[-1] == f"Ready: http://localhost:{site.port}"
    assert any("admin@acme.example" in line for line in site.lines)
    assert site.get("/healthz") == (200, b"alive\n")
    status, body = site.get("/readyz")
    assert (status, json.loads(body)) == (200, {"ready": True, "problems": {}})
    status, body = site.get("/accounts/login/")
    assert status == 200
    assert b"admin@acme.example" in body


def test_its_endpoint_answers_at_both_ports_with_a_certificate_of_the_services_ca(site: Launched, state: Path) -> None:
    assert f"  https://localhost:{site.endpoint[0]}/    sandbox" in site.lines
    assert f"  https://localhost:{site.endpoint[1]}/    production" in site.lines
    status, bundle = site.get("/ca/services.pem")
    assert status == 200
    (state / "bundle.pem").write_bytes(bundle)
    for port in site.endpoint:
        answer = get(port, context(state / "bundle.pem"), "/whoami")
        assert (answer.status, answer.code) == (401, "CLIENT_CERT_MISSING")


def test_a_second_run_on_the_same_state_is_refused_with_a_sentence(site: Launched, state: Path) -> None:
    done = run_python("-m", "config.run", environment=clean_environment(STATE_DIR=str(state), PORT=str(pick_port())))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"Another run uses the state directory {state}." in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_launcher_alone_ends_every_process(site: Launched, number: signal.Signals) -> None:
    # Supervisor, its five wrappers, web, gateway, worker, beat, Redis, and their children.
    assert len(site.descendants) >= 10
    site.process.send_signal(number)
    assert site.wait_until_ended() == 0
    assert site.still_running() == []
    assert "Traceback" not in "\n".join(site.lines)


@pytest.mark.parametrize("program", ["redis-server", "granian", "celery", "manage.py"])
def test_when_one_process_dies_all_end_and_it_says_so(site: Launched, program: str) -> None:
    site.program(program).kill()
    assert site.wait_until_ended() == 1
    assert "A part of the site ended by itself" in site.lines[-1]
    assert site.still_running() == []


@pytest.mark.parametrize("moment", [0.3, 1.5], ids=["as it begins", "while the database is made"])
def test_a_signal_during_the_preparation_ends_every_process(tmp_path: Path, moment: float) -> None:
    with Launched(tmp_path / "state", pick_port()) as launched:
        launched.read_until("Preparing the site")
        time.sleep(moment)
        launched.note_processes()
        launched.process.send_signal(signal.SIGINT)
        assert launched.wait_until_ended() == 0
        assert launched.still_running() == []
        assert len(launched.lines) == 1, "nothing is said of where it was"


def test_a_site_that_cannot_be_prepared_says_why_in_one_sentence(tmp_path: Path) -> None:
    database = f"postgresql://site@127.0.0.1:{pick_port()}/site"
    ports = {"PORT": str(pick_port()), "GATEWAY_PORT": str(pick_port()), "GATEWAY_PROD_PORT": str(pick_port())}
    environment = clean_environment(STATE_DIR=str(tmp_path), DATABASE_URL=database, **ports)
    done = run_python("-m", "config.run", environment=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("The site cannot be prepared: connection failed")
    assert "Traceback" not in done.stderr


def test_a_later_run_keeps_authorities_and_lists_and_takes_another_port(state: Path) -> None:
    digests, lists = [], []
    for _ in range(2):
        with Launched(state, pick_port()) as launched:
            launched.wait_until_ready()
            status, certificate = launched.get("/ca/root.crt")
            assert status == 200
            digests.append(hashlib.sha256(certificate).hexdigest())
            lists.append([line for line in launched.lines if line.startswith("Published CRL")])
    assert digests[0] == digests[1]
    assert lists[1] == []


def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        environment = clean_environment(STATE_DIR=str(tmp_path), PORT=str(port))
        done = run_python("-m", "config.run", environment=environment)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"Port {port} is in use by another program.")
    assert "PORT=" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["GATEWAY_PORT", "GATEWAY_PROD_PORT"])
def test_a_port_of_the_endpoint_in_use_is_named_with_its_variable(tmp_path: Path, name: str) -> None:
    one, two = free_ports(2)
    ports = {"PORT": pick_port(), "GATEWAY_PORT": one, "GATEWAY_PROD_PORT": two}
    with socket.create_server(("127.0.0.1", ports[name])):
        environment = clean_environment(STATE_DIR=str(tmp_path), **{other: str(port) for other, port in ports.items()})
        done = run_python("-m", "config.run", environment=environment)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {ports[name]} is in use by another program.")
    assert f"{name}={ports[name] + 1} make run" in done.stderr
    assert done.stderr.count("\n") == 1


def test_one_port_for_two_servers_is_refused(tmp_path: Path) -> None:
    port = str(pick_port())
    environment = clean_environment(STATE_DIR=str(tmp_path), PORT=port, GATEWAY_PORT=port)
    done = run_python("-m", "config.run", environment=environment)
    assert done.returncode == 1
    assert done.stderr == f"PORT and GATEWAY_PORT are both {port}. Give each a port of its own.\n"


def test_a_state_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment = clean_environment(STATE_DIR=str(tmp_path / "file" / "state"))
    done = run_python("-m", "config.run", environment=environment)
    assert done.returncode == 1
    assert done.stderr.startswith(f"The state directory {tmp_path}/file/state cannot be written (Not a directory).")
    assert done.stderr.count("\n") == 1


def test_a_setting_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    done = run_python("-m", "config.run", environment=clean_environment(STATE_DIR=str(tmp_path), PORT="http"))
    assert done.returncode == 1
    assert done.stderr == "PORT is 'http'. It must be a whole number from 1 to 65535.\n"
