"""An OpenLDAP server of our own: the installed slapd, else Debian's, unpacked into a folder and never installed.

Debian's package would start a server and ask questions; its files alone do neither. It runs on free
ports of 127.0.0.1 in a folder of its own.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.crm.making import WHOLE, Say, alone, finished, free_port, recipe_of, run
from ivr.errors import SetupError

SUFFIX = "dc=directory,dc=invalid"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{SUFFIX}", "opensesame-admin"
READER, READER_PASSWORD = f"cn=klantlijn,{SUFFIX}", "opensesame-reader"

PACKAGES = ("slapd", "ldap-utils")
START_LIMIT = 20.0
"""Seconds until the server answers."""
PAUSE = 0.05

CONFIGURATION = """\
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
{modules}
pidfile {folder}/slapd.pid
TLSCertificateFile {folder}/certificate.pem
TLSCertificateKeyFile {folder}/key.pem
access to * by users read by anonymous auth
database mdb
maxsize 268435456
suffix "{suffix}"
rootdn "{admin}"
rootpw {password}
limits dn.exact="{reader}" size.prtotal=unlimited
directory {folder}/database
index objectClass,uid,telephoneNumber,mobile,mail,employeeNumber,entryUUID eq
index modifyTimestamp,entryCSN eq
"""

CERTIFICATE = (
    *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"),
    *("-subj", "/CN=directory", "-addext", "subjectAltName=IP:127.0.0.1"),
)

TOP = f"""\
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: Directory
dc: directory

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: klantlijn
userPassword: {READER_PASSWORD}

"""


@dataclass(frozen=True, slots=True)
class Slapd:
    """A slapd that can run: where its program, schemas and modules are. `root` is '/' for the installed one."""

    root: Path

    @property
    def program(self) -> Path:
        return self.root / "usr/sbin/slapd"

    @property
    def whole(self) -> bool:
        """Whether its server and the program that changes entries are there."""
        return self.program.exists() and (self.root / "usr/bin/ldapmodify").exists()

    @property
    def variables(self) -> dict[str, str]:
        """What the unpacked one needs to find its libraries."""
        folders = [str(folder) for folder in (self.root / "usr/lib").glob("*-linux-gnu*")]
        return {**os.environ, "LD_LIBRARY_PATH": ":".join(folders)} if self.root != Path("/") else dict(os.environ)

    def configuration(self, folder: Path) -> str:
        """Its slapd.conf for a folder."""
        modules = self.root / "usr/lib/ldap"
        return CONFIGURATION.format(
            schemas=self.root / "etc/ldap/schema",
            # Debian builds the storage as a module; others build it in.
            modules=f"modulepath {modules}\nmoduleload back_mdb" if modules.is_dir() else "",
            folder=folder,
            suffix=SUFFIX,
            admin=ADMIN,
            reader=READER,
            password=ADMIN_PASSWORD,
        )


@dataclass(slots=True)
class RunningSlapd:
    """A slapd with a directory in `folder`. `stop` and `start` may be called as often as a test wants."""

    slapd: Slapd
    folder: Path
    port: int
    secret_port: int
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def secret_url(self) -> str:
        return f"ldaps://127.0.0.1:{self.secret_port}"

    @property
    def certificate(self) -> Path:
        """What its certificate is checked by; it is its own authority."""
        return self.folder / "certificate.pem"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers. Raises SetupError."""
        # It tells everything on standard error with -d, and stays in the foreground.
        command = [str(self.slapd.program), "-d", "none", "-f", str(self.folder / "slapd.conf")]
        with (self.folder / "slapd.log").open("a") as log:
            self._process = subprocess.Popen(
                [*command, "-h", f"{self.url}/ {self.secret_url}/"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.slapd.variables,
            )  # fmt: skip
        deadline = time.monotonic() + START_LIMIT
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(PAUSE)
        self.stop()
        raise SetupError(f"slapd does not start; see {self.folder / 'slapd.log'}")

    def stop(self) -> None:
        """Stop it, and wait until it has."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)

    def change(self, entries: str) -> None:
        """Add or change entries (LDIF with changetypes) while it runs. Raises SetupError."""
        command: list[str | Path] = [
            self.slapd.root / "usr/bin/ldapmodify",
            "-x",
            "-H",
            self.url,
            "-D",
            ADMIN,
            "-w",
            ADMIN_PASSWORD,
        ]
        run(command, self.folder / "making.log", told=entries, variables=self.slapd.variables)


def make_slapd(home: Path, say: Say) -> Slapd:
    """The installed slapd, else the one unpacked in `home`, fetched if need be. Raises SetupError."""
    installed = Slapd(Path("/"))
    if installed.whole:
        return installed
    with alone(home):
        return _unpacked(home, say)


@contextmanager
def slapd(home: Path, folder: Path, say: Say, *, entries: str) -> Iterator[RunningSlapd]:
    """A server with these entries (LDIF, below SUFFIX), run in `folder` until the block ends. Raises SetupError."""
    made = make_slapd(home, say)
    (folder / "database").mkdir(parents=True)
    (folder / "slapd.conf").write_text(made.configuration(folder))
    (folder / "entries.ldif").write_text(TOP + entries)
    log = folder / "making.log"
    run(["openssl", *CERTIFICATE, "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"], log)
    add: list[str | Path] = [
        made.program,
        "-T",
        "add",
        "-q",
        "-f",
        folder / "slapd.conf",
        "-l",
        folder / "entries.ldif",
    ]
    run(add, log, variables=made.variables)
    running = RunningSlapd(made, folder, free_port(), free_port())
    running.start()
    try:
        yield running
    finally:
        running.stop()


def _unpacked(home: Path, say: Say) -> Slapd:
    root, state, log = home / "root", home / "apt", home / "slapd.log"
    recipe = recipe_of(*PACKAGES)
    if not finished(root, recipe):
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise SetupError(
                "there is no slapd or no ldapmodify, and no apt-get to get them with; install OpenLDAP first"
            )
        say("getting slapd from this system's own packages (once, 3 MB; nothing is installed on this machine)")
        for leftover in (root, state):
            shutil.rmtree(leftover, ignore_errors=True)
        for needed in ("lists/partial", "cache/archives/partial"):
            (state / needed).mkdir(parents=True)
        # What is installed already is not fetched: its libraries serve the unpacked one too.
        options = [
            f"Dir::State::Lists={state}/lists", f"Dir::Cache={state}/cache", "Debug::NoLocking=1",
            "APT::Sandbox::User=", "APT::Install-Recommends=false", "APT::Update::Error-Mode=any",
            "Acquire::Languages=none", "Acquire::Retries=2", "Acquire::http::Timeout=20", "Acquire::https::Timeout=20",
        ]  # fmt: skip
        apt = ["apt-get", *(word for option in options for word in ("-o", option))]
        run([*apt, "update"], log)
        run([*apt, "-y", "--download-only", "install", *PACKAGES], log)
        for archive in sorted((state / "cache/archives").glob("*.deb")):
            run(["dpkg-deb", "-x", archive, root], log)
        (root / WHOLE).write_text(recipe)
        shutil.rmtree(state, ignore_errors=True)
    return Slapd(root)
