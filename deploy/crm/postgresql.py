"""A private PostgreSQL for a customer system: kept in a folder, reached by a socket only."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.crm.making import alone, run
from ivr.errors import SetupError


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running PostgreSQL. `socket` is the folder of its socket, which trusts whoever can reach it."""

    programs: Path
    socket: Path
    log: Path

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[Cluster]:
        """The cluster in a folder, made if need be, running until the block ends. Raises SetupError.

        Only one at a time runs it; others wait.
        """
        with alone(folder), tempfile.TemporaryDirectory(prefix="klantlijn-crm-") as text:
            cluster = cls(_programs(), Path(text), folder.with_name("postgresql.log"))
            for owned in (folder, cluster.socket):
                if os.geteuid() == 0:
                    shutil.chown(owned, "postgres", "postgres")
            data = folder / "data"
            if not (data / "PG_VERSION").exists():
                cluster.run("initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=trust", "-N")
            if (data / "postmaster.pid").exists():  # of a run that was killed: nobody else has the lock
                cluster.run("pg_ctl", "stop", "-w", "-D", data, "-m", "immediate")
            options = (
                f"-c listen_addresses= -c unix_socket_directories={cluster.socket} -c fsync=off -c max_connections=60"
            )
            cluster.run("pg_ctl", "start", "-w", "-D", data, "-l", folder / "server.log", "-o", options)
            try:
                cluster.command(ROLE)
                yield cluster
            finally:
                cluster.run("pg_ctl", "stop", "-w", "-D", data, "-m", "fast")

    def command(self, sql: str) -> None:
        """Run one command of SQL. Raises SetupError."""
        self.run("psql", "-h", self.socket, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qc", sql)

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run one of its programs. Raises SetupError."""
        # PostgreSQL refuses to run as root.
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        run([*user, self.programs / program, *arguments], self.log)


ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'odoo') THEN CREATE ROLE odoo LOGIN CREATEDB; END IF;
END $$
"""


def _programs() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    found = [str(path) for path in versions[-1:]] + [shutil.which("initdb") or ""]
    if not found[0]:
        raise SetupError("PostgreSQL is missing; run: apt-get install postgresql")
    return Path(found[0]).parent
