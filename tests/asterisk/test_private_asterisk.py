"""The private Asterisk: it starts clean, takes nobody's place, and clears up what an earlier run left."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.asterisk.obtain import Installation
from deploy.asterisk.private import PrivateAsterisk
from deploy.asterisk.render import render
from ivr.errors import SetupError
from tests.asterisk.asterisk_under_test import HOME, AsteriskUnderTest, config_for

pytestmark = pytest.mark.asterisk

LEAVES_ASTERISK_BEHIND = """
import os, pickle, sys
private = pickle.load(sys.stdin.buffer)
private.start()
os._exit(1)
"""


@pytest.fixture
def private(installation: Installation, tmp_path: Path) -> Iterator[PrivateAsterisk]:
    """A second Asterisk beside the one of the session, not started yet."""
    config = config_for(tmp_path)
    render(config, installation, tmp_path, config.asterisk.ami.secret_file, HOME / "sounds")
    private = PrivateAsterisk(config, installation, tmp_path)
    yield private
    private.stop()


async def test_starts_without_a_warning_in_its_log(asterisk: AsteriskUnderTest) -> None:
    await asterisk.restart()
    assert asterisk.complaints() == []
    assert "Asterisk Ready" in asterisk.log.read_text()


def test_runs_beside_another_one(asterisk: AsteriskUnderTest, private: PrivateAsterisk) -> None:
    private.start()
    assert "System uptime" in private.cli("core show uptime")
    private.stop()
    assert not private.is_running()
    assert asterisk.private.is_running()


def test_says_which_port_is_taken_and_which_key_moves_it(private: PrivateAsterisk) -> None:
    port = int(private.sip_address.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        with pytest.raises(SetupError, match=rf"UDP port {port} .*asterisk\.private\.sip_port in config\.yaml"):
            private.start()


def test_gives_way_to_a_run_from_the_same_folder(private: PrivateAsterisk, installation: Installation) -> None:
    private.start()
    second = PrivateAsterisk(config_for(private.home), installation, private.home)
    with pytest.raises(SetupError, match=f"process {os.getpid()}"):
        second.start()
    assert private.is_running()


def test_clears_up_the_asterisk_of_a_run_that_was_killed(private: PrivateAsterisk, installation: Installation) -> None:
    subprocess.run([sys.executable, "-c", LEAVES_ASTERISK_BEHIND], input=pickle.dumps(private), check=False, timeout=30)
    left = int((private.home / "run" / "asterisk.pid").read_text())
    private.start()
    assert private.is_running()
    assert not Path(f"/proc/{left}").exists() or Path(f"/proc/{left}/stat").read_text().split()[2] == "Z"


def test_says_why_asterisk_does_not_start(private: PrivateAsterisk) -> None:
    (private.home / "etc" / "asterisk.conf").write_text("[directories]\nastmoddir => /nowhere\n")
    with pytest.raises(SetupError, match="did not start"):
        private.start()


def test_refuses_a_folder_whose_path_is_too_long_for_a_socket(installation: Installation, tmp_path: Path) -> None:
    home = tmp_path / ("x" * 100)
    with pytest.raises(SetupError, match="move this folder"):
        PrivateAsterisk(config_for(tmp_path), installation, home).start()
