"""Migration: brings a database's tables up to date, by Alembic, without any alembic.ini."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from ivr.errors import SetupError

STEPS = Path(__file__).with_name("migrations")


def bring_up_to_date(connection: Connection) -> None:
    """Run the steps a database has not had yet, in the transaction that `connection` is in.

    Raises:
        SetupError: the database has had steps this version does not know.
    """
    script = ScriptDirectory(str(STEPS))
    context = EnvironmentContext(
        Config(), script, fn=lambda revision, _: script._upgrade_revs("head", revision), destination_rev="head"
    )
    try:
        context.configure(connection=connection)
        context.run_migrations()
    except CommandError as error:
        raise SetupError(f"the database was made by a newer version ({error})") from error
