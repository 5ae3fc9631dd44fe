"""The rig of the benchmarks with whole calls: an engine and an Asterisk of their own, and what each of them uses."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from deploy.asterisk.obtain import obtain
from deploy.asterisk.private import PrivateAsterisk
from deploy.asterisk.render import render
from deploy.asterisk.sounds import make_sounds
from deploy.demo.crm import make_crm
from ivr.config.loading import load
from ivr.config.model import Config
from ivr.domain.line import parse_number

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "var" / "asterisk"
"""Where this checkout keeps its private Asterisk and the sounds it made."""
TICKS = os.sysconf("SC_CLK_TCK")


class Rig:
    """A folder with the demo's configuration on free ports, its CRM, and an empty database."""

    def __init__(self, folder: Path, flow: str, **sections: dict[str, Any]) -> None:
        """Every call goes to `flow`; `sections` changes what `config.yaml` says, by its sections."""
        self.folder = folder
        self.config_file = folder / "config.yaml"
        self.log = folder / "engine.log"
        self._write(flow, sections)
        self.config: Config = load(self.config_file)
        secret = self.config.asterisk.ami.secret_file
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text("benchmark\n")
        make_crm(folder / "var" / "crm.db", datetime.now(UTC).date())

    @contextmanager
    def asterisk(self, extensions: str, modules: str = "") -> Iterator[PrivateAsterisk]:
        """An Asterisk that runs, with `extensions` and `modules` added to its extensions.conf and modules.conf."""
        installation = obtain(KEPT, print)
        make_sounds(KEPT / "sounds", self.config.organisation.language.value)
        render(self.config, installation, self.folder, self.config.asterisk.ami.secret_file, KEPT / "sounds")
        for name, more in (("extensions.conf", extensions), ("modules.conf", modules)):
            with (self.folder / "etc" / name).open("a") as file:
                file.write(more)
        with PrivateAsterisk(self.config, installation, self.folder) as private:
            yield private

    @contextmanager
    def engine(self) -> Iterator[int]:
        """`ivr run` as a process of its own that takes calls; its process id."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                (sys.executable, "-m", "ivr", "run", "--config", str(self.config_file)),
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        try:
            self._await_calls(process)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _await_calls(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until it has started and answers over HTTP."""
        deadline = time.monotonic() + 60
        fastagi, http = self.config.asterisk.fastagi.port, self.config.http.port
        while time.monotonic() < deadline and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{http}/health", timeout=2):
                    pass
            except OSError as error:
                if not isinstance(error, urllib.error.HTTPError):
                    time.sleep(0.05)
                    continue
            if listens(fastagi):
                return
            time.sleep(0.05)
        raise RuntimeError(f"the engine does not start:\n{self.log.read_text()[-2000:]}")

    def _write(self, flow: str, sections: dict[str, dict[str, Any]]) -> None:
        config = yaml.safe_load((ROOT / "config.yaml").read_text())
        tcp, udp = socket.SOCK_STREAM, socket.SOCK_DGRAM
        config["asterisk"]["fastagi"]["port"] = free_port(tcp)
        config["asterisk"]["ami"] |= {"port": free_port(tcp), "secret_file": "var/ami.secret"}
        config["asterisk"]["private"] |= {
            "sip_port": free_port(udp),
            "trunk_port": free_port(udp),
            "rtp_from": 20000,
            "rtp_to": 29999,
        }
        config["http"]["port"] = free_port(tcp)
        config["entries"] = [{"dialled": "*", "flow": flow}]
        config["flows"] = {"path": str(ROOT / "dialplans")}
        config["speech"] |= {"recordings": str(ROOT / "prompts"), "cache": "var/prompts"}
        config["connectors"]["crm"]["settings"]["url"] = "sqlite+aiosqlite:///var/crm.db"
        for section, changes in sections.items():
            config[section] = {**config.get(section, {}), **changes}
        self.config_file.write_text(yaml.safe_dump(config), encoding="utf-8")


def customers(crm: Path) -> list[str]:
    """Every customer's number, E.164, each once."""
    with closing(sqlite3.connect(crm)) as opened:
        typed = [str(number) for (number,) in opened.execute("SELECT number FROM phones")]
    return list(dict.fromkeys(number for number in map(parse_number, typed) if number))


def free_port(kind: socket.SocketKind) -> int:
    """A port of loopback that nobody has now."""
    with closing(socket.socket(socket.AF_INET, kind)) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether somebody listens on a TCP port of loopback."""
    wanted = f"0100007F:{port:04X} 00000000:0000 0A"
    return any(wanted in line for line in Path("/proc/net/tcp").read_text().splitlines())


def processor_seconds(pid: int) -> float:
    """Seconds of processor that a process has used so far, its ended and living children included (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    used = sum(int(ticks) for ticks in fields[11:15]) / TICKS
    children = {
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    }
    return used + sum(processor_seconds(child) for child in children)


def busy_seconds() -> float:
    """Seconds of processor that the whole machine has used so far."""
    user, nice, system, _, _, irq, softirq, *_ = (
        int(ticks) for ticks in Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / TICKS
