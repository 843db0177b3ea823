"""What must hold before the site starts, check by check."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from config.run.checks import Refusal, lock_state_directory, make_socket_directory, make_state_directory


def test_the_socket_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    make_socket_directory(tmp_path / "sockets")
    assert stat.S_IMODE((tmp_path / "sockets").stat().st_mode) == 0o700
    make_socket_directory(tmp_path / "sockets")


def test_a_link_in_the_place_of_the_socket_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "sockets").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refusal, match="not a directory of yours"):
        make_socket_directory(tmp_path / "sockets")


def test_a_socket_directory_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sockets").mkdir()
    (tmp_path / "sockets").chmod(0o755)
    with pytest.raises(Refusal, match="only you may enter"):
        make_socket_directory(tmp_path / "sockets")


def test_a_socket_directory_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sockets").mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: (tmp_path / "sockets").stat().st_uid + 1)
    with pytest.raises(Refusal, match="not a directory of yours"):
        make_socket_directory(tmp_path / "sockets")


def test_a_name_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="too long a name"):
        make_socket_directory(tmp_path / ("x" * 100))


def test_the_state_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    make_state_directory(tmp_path / "state")
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert os.listdir(tmp_path / "state") == ["redis"]


def test_a_state_directory_is_free_again_once_its_run_has_ended(tmp_path: Path) -> None:
    with lock_state_directory(tmp_path), pytest.raises(Refusal, match="Another run uses"):
        lock_state_directory(tmp_path)
    lock_state_directory(tmp_path).close()
