"""A private PostgreSQL for the tests: its own folder, its own socket, no port."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

LIMIT = 60
"""Seconds that each of its programs may take."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL of our own, reached by a socket in its folder only, so that no port can be taken."""

    programs: Path
    folder: Path

    @classmethod
    def create(cls, folder: Path) -> Cluster:
        cluster = cls(_programs(), folder)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        cluster.run("initdb", "-D", folder / "data", "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=trust", "-N")
        return cluster

    def start(self) -> None:
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off -c max_connections=60"
        log = self.folder / "server.log"
        self.run("pg_ctl", "start", "-w", "-D", self.folder / "data", "-l", log, "-o", options)

    def stop(self) -> None:
        """Break every connection off and stop."""
        self.run("pg_ctl", "stop", "-w", "-D", self.folder / "data", "-m", "immediate")

    def new_database(self) -> str:
        """The address of a new, empty database."""
        name = f"t{uuid4().hex}"
        self.run("psql", "-h", self.folder, "-U", "postgres", "-qc", f"CREATE DATABASE {name}")
        return f"postgresql+asyncpg://postgres@/{name}?host={self.folder}"

    def run(self, program: str, *arguments: object) -> None:
        # PostgreSQL refuses to run as root.
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*user, str(self.programs / program), *(str(argument) for argument in arguments)]
        done = subprocess.run(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=LIMIT, check=False
        )
        assert done.returncode == 0, f"{program} failed; see {self.folder}"


def _programs() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    found = [str(path) for path in versions[-1:]] + [shutil.which("initdb") or ""]
    if not found[0]:
        pytest.fail(
            "These tests need PostgreSQL; `make test` installs it, or: apt-get install postgresql", pytrace=False
        )
    return Path(found[0]).parent
