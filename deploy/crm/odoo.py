"""An Odoo 19 of our own: Debian's package unpacked, never installed, on a private PostgreSQL, filled with people.

Its Python packages are in an environment of their own, pinned with hashes in `odoo-19.lock`. The
database is made once and each run works on a copy of it. PostgreSQL has a socket and no
port; as root it is run as the user `postgres`, which Debian's package made.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.asterisk.obtain import debian_sid
from deploy.crm.making import WHOLE, Say, alone, environment, finished, free_port, recipe_of, run, served
from deploy.crm.people import PEOPLE, Person, as_data
from deploy.crm.postgresql import Cluster
from ivr.errors import SetupError

HERE = Path(__file__).parent
PACKAGE = "odoo-19"
MODULES = "contacts,crm,sale_management,stock,project"
"""Those they need come with them: invoices, notes, sanitized numbers."""

LOGIN, PASSWORD, PROJECT = "klantlijn", "opensesame-1234", "Klantenservice"
"""The password is of no use anywhere else."""
TEMPLATE = "made"

CONFIGURATION = """\
[options]
db_host = {socket}
db_user = odoo
db_name = {database}
dbfilter = ^{database}$
list_db = False
addons_path = {addons}
data_dir = {data}
http_interface = 127.0.0.1
http_port = {port}
gevent_port = {other_port}
workers = 0
max_cron_threads = 0
log_level = warn
"""


@dataclass(frozen=True, slots=True)
class Odoo:
    """A running Odoo, and the connector's user with the keys of it and of the administrator."""

    url: str
    database: str
    key: str
    admin_key: str
    login: str = LOGIN
    project: str = PROJECT


@contextmanager
def odoo(home: Path, run_folder: Path, say: Say, *, people: Sequence[Person] = PEOPLE) -> Iterator[Odoo]:
    """An Odoo with these people, made in `home` unless it is there, run in `run_folder` until the block ends.

    Raises:
        SetupError: it cannot be made or does not start; says where its log is.
    """
    folder = home / f"odoo-{len(people)}"
    with Cluster.running(folder / "postgresql") as cluster:
        _make(home, folder, cluster, say, people)
        run_folder.mkdir(parents=True, exist_ok=True)
        database = f"run{os.getpid()}"
        cluster.command(f"DROP DATABASE IF EXISTS {database}")
        cluster.command(f"CREATE DATABASE {database} TEMPLATE {TEMPLATE} OWNER odoo")
        shutil.copytree(folder / "data", run_folder / "data", dirs_exist_ok=True)
        program = Program(home, run_folder, cluster, database, free_port())
        keys = json.loads((folder / "keys.json").read_text())
        url = f"http://127.0.0.1:{program.port}"
        log = run_folder / "server.log"
        with served([*program.command, "-c", program.configured()], f"{url}/json/version", log, program.variables):
            yield Odoo(url, database, keys["klantlijn"], keys["admin"])
        cluster.command(f"DROP DATABASE {database}")


@dataclass(frozen=True, slots=True)
class Program:
    """Odoo's program for one database."""

    home: Path
    folder: Path
    cluster: Cluster
    database: str
    port: int

    @property
    def packages(self) -> Path:
        return self.home / PACKAGE / "usr/lib/python3/dist-packages"

    @property
    def command(self) -> list[str | Path]:
        return [self.home / f"{PACKAGE}-python/bin/python", self.home / PACKAGE / "usr/bin/odoo"]

    @property
    def variables(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.packages)}

    def configured(self) -> Path:
        """Its configuration file."""
        file = self.folder / "odoo.conf"
        file.write_text(
            CONFIGURATION.format(
                socket=self.cluster.socket, database=self.database, addons=self.packages / "odoo/addons",
                data=self.folder / "data", port=self.port, other_port=free_port(),
            )
        )  # fmt: skip
        return file


def _make(home: Path, folder: Path, cluster: Cluster, say: Say, people: Sequence[Person]) -> None:
    told = json.dumps(
        {"login": LOGIN, "password": PASSWORD, "project": PROJECT, "people": [as_data(person) for person in people]}
    )
    seed = HERE / "odoo_seed.py"
    recipe = recipe_of(HERE / "odoo-19.lock", seed, MODULES, told, f"{datetime.now(UTC):%Y-%m}")
    with alone(home):
        _unpack(home, say)
        environment(home / f"{PACKAGE}-python", HERE / "odoo-19.lock", say)
        if finished(folder, recipe):
            return
        say(f"making Odoo with {len(people)} people (once, a minute or two)")
        cluster.command(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        shutil.rmtree(folder / "data", ignore_errors=True)
        log = folder / "making.log"
        (folder / "people.json").write_text(told)
        program = Program(home, folder, cluster, TEMPLATE, free_port())
        configuration = program.configured()
        variables = {**program.variables, "PEOPLE": str(folder / "people.json"), "KEYS": str(folder / "keys.json")}
        run([*program.command, "-c", configuration, "-i", MODULES, "--stop-after-init"], log, variables=variables)
        shell = [*program.command, "shell", "-c", configuration, "--no-http"]
        (folder / "keys.json").unlink(missing_ok=True)
        run(shell, log, told=seed, variables=variables)
        if not (folder / "keys.json").exists():  # its shell says 0 whatever the program does
            raise SetupError(f"Odoo could not be filled; see {log}")
        (folder / WHOLE).write_text(recipe)


def _unpack(home: Path, say: Say) -> None:
    """Debian's package, from sid, unpacked into `home`."""
    root = home / PACKAGE
    recipe = recipe_of(PACKAGE)
    if finished(root, recipe):
        return
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise SetupError(f"Odoo is got from Debian's package; there is no {tool} for that")
    log = home / f"{PACKAGE}.log"
    shutil.rmtree(root, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=home) as text:
        state = Path(text)
        source, options = debian_sid(state, "a Debian")
        say(f"getting {PACKAGE} from {source} (once, 130 MB; nothing is installed on this machine)")
        run(["apt-get", *options, "update"], log)
        # Alone: what it needs comes from its own environment.
        run(["sh", "-c", 'cd "$0" && exec apt-get "$@"', state, *options, "download", PACKAGE], log)
        (archive,) = state.glob(f"{PACKAGE}_*.deb")
        run(["dpkg-deb", "-x", archive, root], log)
    (root / WHOLE).write_text(recipe)
