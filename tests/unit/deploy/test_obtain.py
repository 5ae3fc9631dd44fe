"""Which Asterisk is taken, and what is said when none can be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.asterisk.obtain import installed, needed_modules, obtain, unpacked
from ivr.errors import SetupError


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def root(folder: Path, version: str) -> Path:
    """A private root as set-up leaves it, with a loader that answers as Asterisk does."""
    program(folder / "usr/lib64", "ld-linux-x86-64.so.2", f"echo 'Asterisk {version}'")
    modules = folder / "usr/lib/x86_64-linux-gnu/asterisk/modules"
    modules.mkdir(parents=True)
    for name in needed_modules():
        (modules / name).touch()
    (folder / "usr/share/asterisk/documentation").mkdir(parents=True)
    (folder / "complete").touch()
    return folder


def test_the_unpacked_one_is_run_by_its_own_loader(tmp_path: Path) -> None:
    found = unpacked(root(tmp_path / "root", "22.10.1"))
    assert found is not None
    assert found.version == "22.10.1"
    assert found.command[0].endswith("ld-linux-x86-64.so.2")
    assert found.command[-1] == str(tmp_path / "root/usr/sbin/asterisk")


def test_a_set_up_that_was_interrupted_is_not_taken(tmp_path: Path) -> None:
    (root(tmp_path / "root", "22.10.1") / "complete").unlink()
    assert unpacked(tmp_path / "root") is None


def test_one_that_is_too_old_is_not_taken(tmp_path: Path) -> None:
    assert unpacked(root(tmp_path / "root", "16.28.0")) is None


def test_one_without_a_module_we_load_is_not_taken(tmp_path: Path) -> None:
    (root(tmp_path / "root", "22.10.1") / "usr/lib/x86_64-linux-gnu/asterisk/modules/res_agi.so").unlink()
    assert unpacked(tmp_path / "root") is None


def test_an_installed_one_that_is_too_old_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "asterisk", "echo 'Asterisk 13.38.3'")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed() is None


def test_what_is_there_is_taken_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root(tmp_path / "root", "22.10.1")
    monkeypatch.setenv("PATH", "/nowhere")
    said: list[str] = []
    assert obtain(tmp_path, said.append).version == "22.10.1"
    assert said == []


def test_a_machine_without_apt_is_told_to_install_asterisk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SetupError, match="no apt-get to get one with; install Asterisk"):
        obtain(tmp_path, lambda _: None)


def test_a_network_that_is_away_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    program(tools, "apt-get", 'case "$*" in *update) echo "E: Could not resolve host" >&2; exit 100;; esac')
    program(tools, "apt-cache", "echo '  Candidate: 1:22.0.0'")
    program(tools, "dpkg-deb", "exit 0")
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(SetupError, match=r"cannot be reached; check the network .*\(Could not resolve host\)") as told:
        obtain(tmp_path / "home", lambda _: None)
    assert "\n" not in str(told.value)
