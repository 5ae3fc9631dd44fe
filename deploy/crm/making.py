"""How a customer system is made once, and run: an environment of its own, programs with logs, a server."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ivr.errors import SetupError

Say = Callable[[str], None]
"""Gets a line before anything that takes long."""

LIMIT = 1200.0
"""Seconds one program may take."""
START_LIMIT = 60.0
"""Seconds until a server answers."""
PAUSE = 0.1
WHOLE = "complete"
"""The file that says by which recipe a folder was finished."""


def finished(folder: Path, recipe: str) -> bool:
    """Whether a folder was made by this very recipe."""
    stamp = folder / WHOLE
    return stamp.exists() and stamp.read_text() == recipe


def recipe_of(*parts: Path | str) -> str:
    """A word for what something is made from: files and texts."""
    told = hashlib.sha256()
    for part in parts:
        told.update(part.read_bytes() if isinstance(part, Path) else part.encode())
    return told.hexdigest()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, so that two set-ups do not work in it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise SetupError(
                        f"another set-up holds {folder} for too long; stop it and run this again"
                    ) from error
                time.sleep(PAUSE)
        yield


def environment(folder: Path, lock: Path, say: Say) -> Path:
    """The programs of a virtual environment with exactly what `lock` pins, made if need be. Raises SetupError."""
    recipe = recipe_of(lock, sys.version, str(folder.resolve()))
    programs = folder / "bin"
    if not finished(folder, recipe):
        say(f"installing {lock.stem} (once)")
        log = folder.with_name(f"{folder.name}.log")
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", folder], log)
        pip: list[str | Path] = [programs / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        run([*pip, "--retries", "2", "--timeout", "20", "--require-hashes", "-r", lock], log)
        (folder / WHOLE).write_text(recipe)
    return programs


def run(
    command: Sequence[str | Path],
    log: Path,
    *,
    told: str | Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Run a program to its end, with `told` (text, or a file) on its standard input. Raises SetupError."""
    words = [str(word) for word in command]
    log.parent.mkdir(parents=True, exist_ok=True)
    text = told.read_text() if isinstance(told, Path) else told or ""
    with log.open("a") as output:
        try:
            done = subprocess.run(
                words, input=text, text=True, stdout=output, stderr=subprocess.STDOUT, env=_variables(variables),
                timeout=LIMIT, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SetupError(f"{Path(words[0]).name} could not be run to its end; see {log}") from error
    if done.returncode != 0:
        raise SetupError(f"{' '.join(words[:4])} failed; see {log}, and run this again")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def served(command: Sequence[str | Path], url: str, log: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """A server until the block ends; it is ready when `url` answers, whatever it says. Raises SetupError."""
    with log.open("a") as output:
        server = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            env=_variables(variables),
        )  # fmt: skip
    try:
        _await(server, url, log)
        yield
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(timeout=10)


def _await(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=START_LIMIT).close()  # noqa: S310 - our own server
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(PAUSE)
    raise SetupError(f"{url} does not answer; see {log}")


def _variables(more: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, **(more or {})}
