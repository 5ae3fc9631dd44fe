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
    home = config.asterisk.private.home.absolute()
    installation = obtain(home, say)
    make_sounds(home / "sounds", config.organisation.language.value)
    render(config, installation, home, config.asterisk.ami.secret_file, home / "sounds")
    return PrivateAsterisk(config, installation, home)
