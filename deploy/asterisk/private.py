"""A private Asterisk: started, asked and stopped, beside any other that the machine runs."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from deploy.asterisk.obtain import Installation
from deploy.asterisk.ports import require_free
from ivr.config.model import Config
from ivr.errors import SetupError

START_LIMIT = 30.0
STOP_LIMIT = 5.0
LONGEST_SOCKET = 107
"""Bytes a Unix socket's path may have (unix(7))."""


class PrivateAsterisk:
    """One Asterisk with configuration, state and logs in `home`, made by `render`.

    Used as a context manager it is stopped at the end. One process at a time may have it.
    """

    def __init__(self, config: Config, installation: Installation, home: Path) -> None:
        self.home = home
        self.installation = installation
        self.log = home / "log" / "messages.log"
        self.sip_address = f"sip:{config.asterisk.private.sip_host}:{config.asterisk.private.sip_port}"
        self._private = config.asterisk.private
        self._ami = config.asterisk.ami
        self._command = (*installation.command, "-C", str(home / "etc" / "asterisk.conf"))
        self._process: subprocess.Popen[bytes] | None = None
        self._claim: IO[str] | None = None

    def start(self) -> None:
        """Start and wait until it takes calls. One that an earlier run left behind is stopped first.

        Raises:
            SetupError: another process has this Asterisk, a port is taken, or it does not start.
        """
        socket = self.home / "run" / "asterisk.ctl"
        if len(os.fsencode(socket)) > LONGEST_SOCKET:
            raise SetupError(f"the path {socket} is longer than {LONGEST_SOCKET} characters; move this folder")
        self._take()
        try:
            self._end_leftover()
            self._require_ports()
            self._launch()
            self._await_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop: politely, then by force. Does nothing when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_LIMIT)
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def kill(self) -> None:
        """End it as a crash would, with no farewell to anyone."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(STOP_LIMIT)

    def restart(self) -> None:
        """Stop and start again."""
        self.stop()
        self.start()

    def is_running(self) -> bool:
        """Whether the Asterisk started here is alive."""
        return self._process is not None and self._process.poll() is None

    def cli(self, command: str, limit: float = 10.0) -> str:
        """What Asterisk answers to a command of its console.

        Raises:
            SetupError: it does not answer within `limit` seconds.
        """
        try:
            done = subprocess.run((*self._command, "-rx", command), capture_output=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired as error:
            raise SetupError(f"the private Asterisk does not answer '{command}'") from error
        if done.returncode != 0:
            raise SetupError("the private Asterisk does not run")
        return done.stdout.decode("utf-8", "replace")

    def __enter__(self) -> PrivateAsterisk:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take(self) -> None:
        """Claim `home` for this process; the claim ends with the process, however it ends."""
        claim = (self.home / "run" / "owner").open("a+")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            claim.seek(0)
            owner = claim.read().strip() or "unknown"
            claim.close()
            raise SetupError(f"it runs already from this folder (process {owner}); stop that one first") from error
        claim.truncate(0)
        claim.write(str(os.getpid()))
        claim.flush()
        self._claim = claim

    def _end_leftover(self) -> None:
        """Stop the Asterisk of an earlier run that was killed. Nobody claims it, or `_take` had failed."""
        leftover = self._leftover()
        if leftover is None:
            return
        # Its pid file goes before its ports are free; only the end of the process says that they are (pidfd_open(2)).
        with suppress(ProcessLookupError):
            end = os.pidfd_open(leftover)
            try:
                for number in (signal.SIGTERM, signal.SIGKILL):
                    signal.pidfd_send_signal(end, number)
                    if select.select([end], [], [], STOP_LIMIT)[0]:
                        break
            finally:
                os.close(end)

    def _leftover(self) -> int | None:
        """The process that an earlier run left: the one in the pid file, if it still is our Asterisk."""
        try:
            number = int((self.home / "run" / "asterisk.pid").read_text())
            words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return number if os.fsencode(self.home / "etc" / "asterisk.conf") in words else None

    def _require_ports(self) -> None:
        private, ami = self._private, self._ami
        key = "asterisk.private.sip_port"
        require_free("udp", private.sip_host, private.sip_port, purpose="SIP", key=key)
        require_free("tcp", ami.host, ami.port, purpose="Asterisk's manager interface", key="asterisk.ami.port")

    def _launch(self) -> None:
        self.log.unlink(missing_ok=True)
        with (self.home / "log" / "console.log").open("wb") as console:
            # A session of its own: Ctrl-C in the terminal reaches us, and we stop Asterisk when its calls are over.
            self._process = subprocess.Popen(
                (*self._command, "-f"),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _await_ready(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            if not self.is_running():
                break
            if (self.home / "run" / "asterisk.ctl").exists():
                try:
                    if "fully booted" in self.cli("core waitfullybooted"):
                        return
                except SetupError:
                    pass  # its console is not open yet
            time.sleep(0.02)
        raise SetupError(f"the private Asterisk did not start: {self._last_words()}")

    def _last_words(self) -> str:
        for file in (self.log, self.home / "log" / "console.log"):
            try:
                lines = file.read_text(errors="replace").splitlines()
            except OSError:
                continue
            told = [line.strip() for line in lines if "ERROR" in line] or [
                line.strip() for line in lines if line.strip()
            ]
            if told:
                return f"{told[-1]} (see {file})"
        return "it said nothing"
