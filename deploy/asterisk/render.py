"""Writes Asterisk's configuration from `config.yaml`.

`home`/etc/klantlijn holds what an existing Asterisk includes; the rest of `home`/etc makes a private Asterisk of it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from deploy.asterisk.obtain import Installation
from ivr.asterisk.ami_rights import READ_CLASSES, WRITE_CLASSES
from ivr.config.model import Config
from ivr.errors import SetupError, UnsafeValue

FOLDER = Path(__file__).parent
EMPTY = ("acl", "ccss", "cel", "features", "pjproject", "queuerules", "res_http_media_cache", "stasis", "udptl")
"""Files that Asterisk misses loudly, though their defaults are right."""
AGENTS = 3
"""Demonstration agents a queue."""
AGENT_SECONDS = 8
"""How long a demonstration agent stays on the line, unless told otherwise."""
QUEUE_SECONDS = 300
"""How long the queue of the chosen site is tried before the fallback queue."""


def render(
    config: Config,
    installation: Installation,
    home: Path,
    secret_file: Path,
    sounds: Path,
    *,
    agent_seconds: int = AGENT_SECONDS,
) -> None:
    """Write every file of `home`/etc, and the secret if there is none.

    `sounds` is where `make_sounds` made its own. A demonstration agent stays on the line for `agent_seconds`.

    Raises:
        UnsafeValue: a value of the configuration would become a second line.
        SetupError: a file cannot be written.
    """
    values = _values(config, installation, home, sounds) | {"agent_seconds": agent_seconds}
    try:
        values["ami_secret"] = _secret(secret_file)
        for folder in ("cache", "etc/klantlijn", "lib", "log", "run", "spool"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        # The only values are ours; nothing here is HTML.
        templates = Environment(
            loader=FileSystemLoader(FOLDER),
            undefined=StrictUndefined,
            finalize=_one_line,
            keep_trailing_newline=True,
            autoescape=select_autoescape(enabled_extensions=()),
        )
        for name in EMPTY:
            (home / "etc" / f"{name}.conf").touch()
        for template in sorted((*FOLDER.glob("private/*.conf"), *FOLDER.glob("klantlijn/*.conf"))):
            inside = template.relative_to(FOLDER)
            target = home / "etc" / (template.name if inside.parts[0] == "private" else inside)
            _write(target, templates.get_template(str(inside)).render(values))
    except OSError as error:
        raise SetupError(f"{error.filename} cannot be written ({error.strerror})") from error


def _values(config: Config, installation: Installation, home: Path, sounds: Path) -> dict[str, object]:
    asterisk, private = config.asterisk, config.asterisk.private
    names = sorted({name for site in config.sites.values() for name in site.queues.values()})
    fallback = next(
        site.queues[config.fallback_queue] for site in config.sites.values() if config.fallback_queue in site.queues
    )
    queues = [
        {"name": name, "agents": [AGENTS * index + number for number in range(AGENTS)]}
        for index, name in enumerate(names)
    ]
    return {
        "home": home,
        "modules": installation.modules,
        "data": installation.data,
        "sounds": sounds,
        "language": config.organisation.language.value,
        "agi_host": _in_address(asterisk.fastagi.host),
        "agi_port": asterisk.fastagi.port,
        "ami_host": asterisk.ami.host,
        "ami_port": asterisk.ami.port,
        "ami_user": asterisk.ami.user,
        "ami_allow": sorted({"127.0.0.1", "::1", asterisk.fastagi.host}),
        "ami_read": ",".join(READ_CLASSES),
        "ami_write": ",".join(WRITE_CLASSES),
        "sip_host": _in_address(private.sip_host),
        "sip_port": private.sip_port,
        "sip_allow": private.sip_allow,
        "trunk_port": private.trunk_port,
        "rtp_from": private.rtp_from,
        "rtp_to": private.rtp_to,
        "queues": queues,
        "fallback_queue": fallback,
        "queue_seconds": QUEUE_SECONDS,
        "dial_number": asterisk.dial.format(number="${KLANTLIJN_TO}"),
        "dial_extension": asterisk.dial_extension.format(number="${KLANTLIJN_TO}"),
    }


def _in_address(host: str) -> str:
    """A host as it stands before a colon and a port (RFC 3986): an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def _secret(file: Path) -> str:
    """The manager's password, made the first time and readable by its owner only."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(secrets.token_urlsafe(32) + "\n")
    lines = file.read_text().splitlines()
    if not lines or not lines[0].strip():
        raise SetupError(f"{file} is empty; remove it and run this again")
    return lines[0].strip()


def _one_line(value: object) -> object:
    """Refuse what would end a line or begin a comment: in Asterisk's files either one hides or adds settings."""
    if any(mark in str(value) for mark in "\r\n\0;"):
        raise UnsafeValue(repr(value))
    return value


def _write(target: Path, text: str) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
