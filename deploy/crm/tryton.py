"""A Tryton of our own: made once in a folder, filled with people, and run on a free port of 127.0.0.1.

Each version has an environment of its own, pinned with hashes in `tryton-<version>.lock`, and
its database is an SQLite file: no root rights and no database server are needed. A run
works on a copy, so that what it writes is gone when it ends.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.crm.making import WHOLE, Say, alone, environment, finished, free_port, recipe_of, run, served
from deploy.crm.people import PEOPLE, Person, as_data

HERE = Path(__file__).parent
VERSIONS = ("8.2", "6.0")
MODULES = ("sale", "sale_complaint")
"""Those they need come with them: parties, products, stock, invoices."""

DATABASE, LOGIN, PASSWORD = "tryton", "klantlijn", "opensesame-1234"
CONFIGURATION = "[database]\nuri = sqlite://\npath = {folder}\n"


@dataclass(frozen=True, slots=True)
class Tryton:
    """A running Tryton, and where the connector's user logs in."""

    url: str
    version: str
    database: str = DATABASE
    login: str = LOGIN
    password: str = PASSWORD


@contextmanager
def tryton(
    home: Path, run_folder: Path, say: Say, *, version: str, people: Sequence[Person] = PEOPLE
) -> Iterator[Tryton]:
    """A Tryton with these people, made in `home` unless it is there, run in `run_folder` until the block ends.

    Raises:
        SetupError: it cannot be made or does not start; says where its log is.
    """
    made = make_tryton(home, say, version=version, people=people)
    run_folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made / f"{DATABASE}.sqlite", run_folder / f"{DATABASE}.sqlite")
    configuration = _configure(run_folder)
    port = free_port()
    program = _environment(home, version, say) / "waitress-serve"
    variables = {"TRYTOND_CONFIG": str(configuration), "TRYTOND_DATABASE_NAMES": DATABASE}
    url = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [program, f"--listen=127.0.0.1:{port}", "--threads=8", "trytond.application:app"]
    with served(command, url, run_folder / "server.log", variables):
        yield Tryton(url, version)


def make_tryton(home: Path, say: Say, *, version: str, people: Sequence[Person]) -> Path:
    """The folder of a filled Tryton, made if need be, and anew each month, so that its dates are near today."""
    told = json.dumps({"login": LOGIN, "password": PASSWORD, "people": [as_data(person) for person in people]})
    seed = HERE / "tryton_seed.py"
    recipe = recipe_of(HERE / f"tryton-{version}.lock", seed, told, f"{datetime.now(UTC):%Y-%m}")
    folder = home / f"tryton-{version}-{len(people)}"
    with alone(home):
        programs = _environment(home, version, say)
        if finished(folder, recipe):
            return folder
        say(f"making Tryton {version} with {len(people)} people (once, half a minute)")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        log = folder / "making.log"
        variables = {"TRYTOND_CONFIG": str(_configure(folder)), "TRYTONPASSFILE": str(folder / "admin.password")}
        variables["DB_NAME"] = DATABASE  # the test tools of 6.0, which the seed uses, ask for it
        (folder / "admin.password").write_text(f"{PASSWORD}\n")
        (folder / f"{DATABASE}.sqlite").touch()
        admin: list[str | Path] = [programs / "trytond-admin", "-d", DATABASE, "--email", "admin@lijnnet.example"]
        run([*admin, "-p", "-u", "ir", "res", *MODULES, "--activate-dependencies"], log, variables=variables)
        run([programs / "python", seed, DATABASE], log, told=told, variables=variables)
        (folder / WHOLE).write_text(recipe)
    return folder


def _environment(home: Path, version: str, say: Say) -> Path:
    return environment(home / f"tryton-{version}-python", HERE / f"tryton-{version}.lock", say)


def _configure(folder: Path) -> Path:
    configuration = folder / "trytond.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder))
    return configuration
