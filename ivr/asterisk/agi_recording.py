"""Recording over AGI: what the caller says to us, and the call itself.

RECORD FILE is in res/res_agi.c (`handle_recordfile`), MixMonitor in apps/app_mixmonitor.c. Neither makes folders or
changes the rights of a file that is there: whoever keeps recordings makes both beforehand.
"""

from __future__ import annotations

from ivr.asterisk import agi_commands as commands
from ivr.asterisk.agi_session import AgiSession
from ivr.domain.recording import Take
from ivr.errors import AgiCommandFailed, CallerHungUp, UnsafeValue

RATE = 8000
"""Samples a second of Asterisk's format `wav`."""
CALLER_LEFT = ("hangup", "waitfor", "randomerror")
"""What RECORD FILE says in parentheses when there is nobody to record any more."""
MONITOR_ID = "KLANTLIJN_RECORDING"
"""The variable in which MixMonitor leaves its id, so that nobody else's recording is stopped."""


async def record_caller(session: AgiSession, ref: str, *, most: float, silence: float, keys: str) -> Take:
    """Record what the caller says to `ref`.wav, until one of `keys`, a silence, or `most` seconds in all.

    Raises:
        CallerHungUp: before anything was recorded.
        AgiCommandFailed: Asterisk cannot write there.
    """
    if session.hung_up:
        raise CallerHungUp
    command = commands.record_file(ref, keys, most, silence)
    reply = await session.ask(command, most + session.command_timeout)
    if reply.code == 200 and reply.endpos is not None:
        seconds = max(0, reply.endpos) / RATE
        if reply.result == "-1" and reply.data in CALLER_LEFT:
            return Take(seconds, hung_up=True)
        if reply.data == "timeout":
            return Take(seconds)
        if reply.data == "dtmf" and reply.result.isdecimal():
            return Take(seconds, chr(int(reply.result)))
    raise await session.failure(f"RECORD FILE {ref}", reply)


async def start_monitor(session: AgiSession, ref: str) -> str:
    """Record both sides to `ref`.wav, behind what is there; goes on when the session is over. Returns its id.

    Raises:
        CallerHungUp: there is nobody to record.
        AgiCommandFailed: Asterisk cannot, for instance because app_mixmonitor is not loaded.
    """
    if "," in ref or "$" in ref:
        raise UnsafeValue(f"the path {ref} has a comma or dollar sign, which means something to Asterisk")
    await _execute(session, "MixMonitor", f"{ref}.wav,ai({MONITOR_ID})")
    monitor = await session.get_variable(MONITOR_ID)
    if not monitor:
        raise AgiCommandFailed("MixMonitor did not start")
    return monitor


async def stop_monitor(session: AgiSession, monitor: str) -> None:
    """Stop what `start_monitor` began. Raises CallerHungUp, AgiCommandFailed."""
    await _execute(session, "StopMixMonitor", monitor)


async def _execute(session: AgiSession, application: str, arguments: str) -> None:
    # EXEC runs on a dead channel as well.
    if session.hung_up:
        raise CallerHungUp
    reply = await session.ask(commands.execute(application, arguments), session.command_timeout)
    if reply.code != 200 or reply.result != "0":
        raise await session.failure(f"EXEC {application}", reply)
