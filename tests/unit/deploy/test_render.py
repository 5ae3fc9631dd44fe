"""Asterisk's configuration, written from ours."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deploy.asterisk.obtain import Installation
from deploy.asterisk.render import render
from ivr.config.model import Config
from ivr.errors import SetupError, UnsafeValue

INSTALLATION = Installation(("asterisk",), "22.0.0", Path("/modules"), Path("/data"))


def config(**private: object) -> Config:
    return Config.model_validate(
        {
            "organisation": {"name": "Lijnnet", "language": "en"},
            "asterisk": {"private": private},
            "entries": [{"dialled": "*", "flow": "lijnnet"}],
            "sites": {"own": {"queues": {"support": "own-desk"}}, "partner": {"queues": {"support": "their-desk"}}},
            "queues": {"support": {"split": {"own": 50, "partner": 50}}},
            "fallback_queue": "support",
        }
    )


def test_writes_the_queues_and_the_ports_of_the_configuration(tmp_path: Path) -> None:
    render(config(sip_port=5999), INSTALLATION, tmp_path, tmp_path / "secret", tmp_path / "sounds")
    assert "bind = 127.0.0.1:5999" in (tmp_path / "etc/pjsip.conf").read_text()
    queues = (tmp_path / "etc/klantlijn/queues.conf").read_text()
    assert "[own-desk](klantlijn-queue)" in queues
    assert "[their-desk](klantlijn-queue)" in queues
    assert "KLANTLIJN_FALLBACK = own-desk" in (tmp_path / "etc/klantlijn/extensions.conf").read_text()


def test_makes_a_secret_once_and_shows_it_to_nobody_else(tmp_path: Path) -> None:
    secret, manager = tmp_path / "secret", tmp_path / "etc/klantlijn/manager.conf"
    render(config(), INSTALLATION, tmp_path, secret, tmp_path / "sounds")
    first = secret.read_text()
    render(config(), INSTALLATION, tmp_path, secret, tmp_path / "sounds")
    assert secret.read_text() == first
    assert f"secret = {first.strip()}\n" in manager.read_text()
    assert [stat.S_IMODE(file.stat().st_mode) for file in (secret, manager)] == [0o600, 0o600]


def test_an_empty_secret_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    with pytest.raises(SetupError, match="is empty"):
        render(config(), INSTALLATION, tmp_path, tmp_path / "secret", tmp_path / "sounds")


@pytest.mark.parametrize("host", ["127.0.0.1\ntransport = tcp", "127.0.0.1 ; and no more"])
def test_a_value_cannot_add_or_hide_a_setting(tmp_path: Path, host: str) -> None:
    with pytest.raises(UnsafeValue):
        render(config(sip_host=host), INSTALLATION, tmp_path, tmp_path / "secret", tmp_path / "sounds")


def test_an_ipv6_address_is_written_in_brackets(tmp_path: Path) -> None:
    render(config(sip_host="::1"), INSTALLATION, tmp_path, tmp_path / "secret", tmp_path / "sounds")
    assert "bind = [::1]:5070" in (tmp_path / "etc/pjsip.conf").read_text()
