"""nginx's templates become a configuration: with every variable, and with no value that would change its meaning."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.run import nginx
from tests.config.conftest import clean_environment, run_python

SERVERS = ("NGINX_WEB_SERVERS", "NGINX_GATEWAY_SERVERS")


def values(folder: Path, **changed: str) -> dict[str, str]:
    plain = dict.fromkeys(nginx.VARIABLES, "value") | dict.fromkeys(SERVERS, "server 127.0.0.1:8000;")
    return {**plain, "NGINX_STATE_DIR": str(folder / "state"), **changed}


def test_the_templates_name_just_the_variables_that_are_described() -> None:
    texts = [path.read_text() for path in nginx.TEMPLATES.iterdir()]
    assert {name for text in texts for name in re.findall(r"\$\{?(NGINX_[A-Z_]+)", text)} == set(nginx.VARIABLES)
    assert all(path.name.endswith(".conf.template") for path in nginx.TEMPLATES.iterdir())


def test_every_file_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    started = nginx.write(values(tmp_path, NGINX_FRONT_SECRET="s3cret-of-the-front"), tmp_path / "conf")
    assert started == tmp_path / "conf" / "nginx.conf"
    written = sorted(tmp_path.joinpath("conf").iterdir())
    assert [path.name for path in written] == sorted(path.stem for path in nginx.TEMPLATES.iterdir())
    for path in written:
        assert "${" not in path.read_text().replace("${NGINX_…}", "")  # A comment has this one.
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert 'Front-Secret "s3cret-of-the-front";' in (tmp_path / "conf" / "endpoint_headers.conf").read_text()
    assert stat.S_IMODE((tmp_path / "conf").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", sorted(nginx.VARIABLES))
@pytest.mark.parametrize("value", ["", "a; b", 'a"b', "a{b", "a}b", "a\nb", "$host", "a\\b", "a'b", "a#b"])
def test_a_value_that_would_change_the_meaning_is_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{name} is not set, or cannot stand in"):
        nginx.write(values(tmp_path, **{name: value}), tmp_path / "conf")


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize(
    ("value", "is_taken"),
    [
        ("server web:8000;", True),
        ("server 10.0.0.1:8000; server [::1]:8001 weight=2 backup;", True),
        ("server web:8000", False),
        ("server web:8000; listen 80;", False),
        ("web:8000;", False),
    ],
)
def test_lists_of_servers(tmp_path: Path, name: str, value: str, is_taken: bool) -> None:
    try:
        nginx.write(values(tmp_path, **{name: value}), tmp_path / "conf")
    except ImproperlyConfigured:
        assert not is_taken
    else:
        assert is_taken


def test_as_a_program_it_takes_the_environment(tmp_path: Path) -> None:
    target = str(tmp_path / "conf")
    done = run_python("-m", "config.run.nginx", target, environment=clean_environment(**values(tmp_path)))
    assert (done.returncode, done.stdout) == (0, f"{target}/nginx.conf\n")
    done = run_python("-m", "config.run.nginx", target, environment=clean_environment())
    assert done.returncode == 1
    assert "is not set" in done.stderr
    assert run_python("-m", "config.run.nginx", environment=clean_environment()).returncode == 2
