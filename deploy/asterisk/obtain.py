"""Getting an Asterisk: the installed one, else one unpacked from Debian's or Ubuntu's packages into a private folder.

Unpacking needs no root rights, changes nothing on the machine and starts nothing: apt fetches the packages with state
of its own, `dpkg-deb -x` unpacks them, and Asterisk runs through the loader and with the libraries of that folder
(docs/decisions/0002-private-asterisk-without-chroot.md).
"""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ivr.errors import SetupError

OLDEST = 18
PACKAGES = ("asterisk", "asterisk-core-sounds-en-wav")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MODULES_CONF = Path(__file__).parent / "private" / "modules.conf"
FETCH_LIMIT = 900.0
"""Seconds one apt command may take."""
PAUSE = 5.0
"""Seconds between two looks at another set-up."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk that can run. `command` starts it; `modules` and `data` are its `astmoddir` and `astdatadir`."""

    command: tuple[str, ...]
    version: str
    modules: Path
    data: Path


def obtain(home: Path, say: Callable[[str], None]) -> Installation:
    """The Asterisk to run: the installed one if it serves, else the private one in `home`/root, made if need be.

    `say` gets a line before anything that takes long.

    Raises:
        SetupError: none is there and none can be had; says what to do.
    """
    found = installed() or unpacked(home / "root")
    if found:
        return found
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home / "obtain.lock", say):
        return unpacked(home / "root") or _unpack(home, say)


def installed() -> Installation | None:
    """The Asterisk on PATH, if it is recent enough and has every module that Klantlijn loads."""
    program = shutil.which("asterisk")
    if program is None:
        return None
    libraries = (*Path("/usr/lib").glob("*-linux-gnu*"), Path("/usr/lib64"), Path("/usr/lib"), Path("/usr/local/lib"))
    data = (Path("/usr/share/asterisk"), Path("/var/lib/asterisk"), Path("/usr/local/share/asterisk"))
    return _usable((program,), [library / "asterisk" / "modules" for library in libraries], data)


def unpacked(root: Path) -> Installation | None:
    """The private Asterisk in `root`, if its set-up was finished."""
    if not (root / "complete").exists():
        return None
    loaders = [
        path for folder in ("usr/lib64", "usr/lib", "lib64", "lib") for path in (root / folder).glob("ld-linux*.so.*")
    ]
    libraries = [*(root / "usr/lib").glob("*-linux-gnu*"), *(root / "lib").glob("*-linux-gnu*")]
    if not loaders or not libraries:
        return None
    path = ":".join(str(library) for library in libraries)
    command = (str(loaders[0]), "--library-path", path, str(root / "usr/sbin/asterisk"))
    modules = [library / "asterisk" / "modules" for library in libraries]
    return _usable(command, modules, [root / "usr/share/asterisk", root / "var/lib/asterisk"])


def needed_modules() -> tuple[str, ...]:
    """The modules that the private configuration loads."""
    return tuple(re.findall(r"^load\s*=\s*(\S+)$", MODULES_CONF.read_text(), re.MULTILINE))


def _usable(command: tuple[str, ...], modules: Sequence[Path], data: Sequence[Path]) -> Installation | None:
    try:
        answer = subprocess.run((*command, "-V"), capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"Asterisk (?:certified[/-])?((\d+)\S*)", answer.stdout)
    if version is None or int(version[2]) < OLDEST:
        return None
    names = needed_modules()
    for folder in modules:
        if all((folder / name).exists() for name in names):
            for shared in data:
                if (shared / "documentation").is_dir():
                    return Installation(command, version[1], folder, shared)
    return None


def _unpack(home: Path, say: Callable[[str], None]) -> Installation:
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise SetupError(
                f"there is no Asterisk {OLDEST} or later, and no {tool} to get one with; install Asterisk first"
            )
    state, root, unfinished = home / "apt", home / "root", home / "root.unfinished"
    source, options = _source(state)
    say(f"getting Asterisk from {source} (once, about 100 MB; nothing is installed on this machine)")
    retry = "check the network and run this again; it goes on where it stopped"
    _apt(state, (*options, "update"), f"{source} cannot be reached; {retry}")
    _apt(state, (*options, "-y", "--download-only", "install", *PACKAGES), f"Asterisk cannot be fetched; {retry}")
    for leftover in (root, unfinished):
        shutil.rmtree(leftover, ignore_errors=True)
    unfinished.mkdir(parents=True)
    say("unpacking Asterisk")
    for archive in sorted((state / "cache" / "archives").glob("*.deb")):
        _run(("dpkg-deb", "-x", str(archive), str(unfinished)), f"{archive.name} cannot be unpacked; remove {state}")
    (unfinished / "complete").touch()
    unfinished.rename(root)
    shutil.rmtree(state, ignore_errors=True)
    found = unpacked(root)
    if found is None:
        (root / "complete").unlink()
        raise SetupError(f"the Asterisk from {source} does not run on this machine; install Asterisk {OLDEST} or later")
    return found


def _source(state: Path) -> tuple[str, tuple[str, ...]]:
    """Where to fetch from, in words and as apt's options: this system's packages if Asterisk is in them, else sid."""
    candidate = re.search(r"Candidate: (?:\d+:)?(\d+)", _output(("apt-cache", "policy", "asterisk")))
    if candidate and int(candidate[1]) >= OLDEST:
        return "this system's own packages", _flags(_own_state(state))
    return debian_sid(state, f"Asterisk {OLDEST} or later")


def debian_sid(state: Path, wanted: str) -> tuple[str, tuple[str, ...]]:
    """Debian sid at the mirror that this system uses, in words and as options for apt, which keeps all in `state`.

    Raises:
        SetupError: there is no such mirror; says to install what is `wanted`.
    """
    options = _own_state(state)
    # Whose a mirror is, is only known once its lists were fetched; its path always.
    targets = _output(("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")).split()
    mirrors = [target for target in targets if target.rstrip("/").endswith("/debian")]
    if not mirrors:
        raise SetupError(f"apt knows no mirror of Debian; add one to its sources, or install {wanted}")
    mirror = mirrors[0]
    if not KEYRING.exists():
        raise SetupError(f"{KEYRING} is missing; install debian-archive-keyring, or {wanted}")
    sources = state / "etc" / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror} sid main\n")
    options += [f"Dir::Etc={state}/etc", f"Dir::Etc::sourcelist={sources}", "Dir::Etc::sourceparts=-"]
    options += ["Acquire::Check-Valid-Until=false"]  # a frozen mirror is welcome: the signature is what counts
    return f"Debian sid at {mirror}", _flags(options)


def _own_state(state: Path) -> list[str]:
    """Options with which apt leaves this system's own state alone."""
    for folder in ("lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/apt.conf.d"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    return [
        f"Dir::State={state}", f"Dir::State::status={state}/status", f"Dir::Cache={state}/cache",
        "Debug::NoLocking=1", "APT::Sandbox::User=", "APT::Install-Recommends=false", "APT::Update::Error-Mode=any",
        "Acquire::Languages=none", "Acquire::Retries=2", "Acquire::http::Timeout=20", "Acquire::https::Timeout=20",
    ]  # fmt: skip


def _flags(options: Sequence[str]) -> tuple[str, ...]:
    return tuple(flag for option in options for flag in ("-o", option))


def _apt(state: Path, arguments: Sequence[str], otherwise: str) -> None:
    _run(("apt-get", *arguments), otherwise, log=state / "apt.log")


def _run(command: Sequence[str], otherwise: str, log: Path | None = None) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(otherwise) from error
    if log is not None:
        with log.open("a") as file:
            file.write(f"{' '.join(command)}\n{done.stdout}{done.stderr}\n")
    if done.returncode != 0:
        raise SetupError(f"{otherwise} ({_reason(done.stderr)})")


def _reason(stderr: str) -> str:
    """The first line that says why, without apt's own markers."""
    lines = [line.strip() for line in stderr.splitlines() if line.startswith(("E:", "Err:", "dpkg-deb: error"))]
    return lines[0].removeprefix("E:").strip() if lines else "no reason was given"


def _output(command: Sequence[str]) -> str:
    """What a command prints, or nothing when it is not there or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


@contextmanager
def _alone(lock: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold `lock`, so that two set-ups of one checkout do not work on the same files."""
    deadline = time.monotonic() + 2 * FETCH_LIMIT
    with lock.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise SetupError(f"another set-up holds {lock} for too long; stop it and run this again") from error
                say("waiting for another set-up to finish")
                time.sleep(PAUSE)
        yield
