"""Running a command's coroutine: what the Guard cannot do is said in words, with exit code 2."""

import asyncio
from collections.abc import Coroutine

import typer

from shared.domain.errors import GuardError, RecordConflict
from shared.settings import InvalidSettingsError

FINDINGS, COULD_NOT_TELL = 1, 2
"""Exit codes beside 0, which is clean."""


def run[T](command: Coroutine[object, object, T]) -> T:
    try:
        return asyncio.run(command)
    except (InvalidSettingsError, GuardError, RecordConflict) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(COULD_NOT_TELL) from error
