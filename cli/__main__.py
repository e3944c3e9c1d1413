"""The commands. Exit codes: 0 clean, 1 findings, 2 could not tell."""

import asyncio
import getpass
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Annotated

import typer

from shared.bootstrap import emergency_stop
from shared.domain.errors import GuardError, RecordConflict
from shared.ports import Stop
from shared.settings import InvalidSettingsError

app = typer.Typer(help="AKS Backup Guard from a terminal.", no_args_is_help=True, add_completion=False)

COULD_NOT_TELL = 2


@app.command("stop-all")
def stop_all(reason: Annotated[str, typer.Option(help="Why; the command `stopped` says it to whoever asks.")]) -> None:
    """Emergency stop: everything is still observed, nothing in Azure is changed, from the next look on."""

    async def pull() -> Stop | None:
        async with emergency_stop() as switch:
            await switch.pull(getpass.getuser(), reason, datetime.now(UTC))
            return await switch.pulled()

    _say(_run(pull()))


@app.command("resume-all")
def resume_all() -> None:
    """End the emergency stop. Clusters go on with their next look, within a quarter of an hour."""

    async def release() -> Stop | None:
        async with emergency_stop() as switch:
            await switch.release(getpass.getuser(), datetime.now(UTC))
            return await switch.pulled()

    _say(_run(release()))


@app.command("stopped")
def stopped() -> None:
    """Whether the emergency stop is pulled: exit code 1 when it is."""

    async def look() -> Stop | None:
        async with emergency_stop() as switch:
            return await switch.pulled()

    stop = _run(look())
    _say(stop)
    raise typer.Exit(1 if stop else 0)


def _run(command: Coroutine[object, object, Stop | None]) -> Stop | None:
    try:
        return asyncio.run(command)
    except (InvalidSettingsError, GuardError, RecordConflict) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(COULD_NOT_TELL) from error


def _say(stop: Stop | None) -> None:
    if stop is None:
        typer.echo("The emergency stop is not pulled.")
    else:
        typer.echo(f"STOPPED since {stop.at:%Y-%m-%d %H:%M:%S} UTC by {stop.by}: {stop.reason}")


if __name__ == "__main__":
    app(prog_name="aks-backup-guard")
