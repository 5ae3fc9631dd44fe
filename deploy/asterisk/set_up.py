"""Everything the private Asterisk needs, in one step that is quick when it was done before."""

from __future__ import annotations

from collections.abc import Callable

from deploy.asterisk.obtain import obtain
from deploy.asterisk.private import PrivateAsterisk
from deploy.asterisk.render import render
from deploy.asterisk.sounds import make_sounds
from ivr.config.model import Config


def set_up(config: Config, say: Callable[[str], None]) -> PrivateAsterisk:
    """Get an Asterisk, make its sounds and write its configuration; the result is ready to `start`.

    `say` gets a line before anything that takes long.

    Raises:
        SetupError: something is missing; says what to do.
        UnsafeValue: a value of the configuration would become a second line of Asterisk's.
    """
    private = prepared(config, say)
    sounds = private.home / "sounds"
    make_sounds(sounds, config.organisation.language.value)
    render(config, private.installation, private.home, config.asterisk.ami.secret_file, sounds)
    return private


def prepared(config: Config, say: Callable[[str], None]) -> PrivateAsterisk:
    """The private Asterisk with the configuration it has. Raises SetupError when there is no Asterisk to be had."""
    home = config.asterisk.private.home.absolute()
    return PrivateAsterisk(config, obtain(home, say), home)
