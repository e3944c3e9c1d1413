"""`stop-all`, `resume-all`, `stopped`: the emergency stop."""

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.run import FINDINGS, run

if TYPE_CHECKING:
    from shared.ports import Stop


def stop_all(reason: Annotated[str, typer.Option(help="Why; the command `stopped` says it to whoever asks.")]) -> None:
    """Emergency stop: everything is still observed, nothing in Azure is changed, from the next look on."""

    from shared.bootstrap import emergency_stop

    async def pull() -> "Stop | None":
        async with emergency_stop() as switch:
            await switch.pull(getpass.getuser(), reason, datetime.now(UTC))
            return await switch.pulled()

    _say(run(pull()))


def resume_all() -> None:
    """End the emergency stop. Clusters go on with their next look, within a quarter of an hour."""

    from shared.bootstrap import emergency_stop

    async def release() -> "Stop | None":
        async with emergency_stop() as switch:
            await switch.release(getpass.getuser(), datetime.now(UTC))
            return await switch.pulled()

    _say(run(release()))


def stopped() -> None:
    """Whether the emergency stop is pulled: exit code 1 when it is."""

    from shared.bootstrap import emergency_stop

    async def look() -> "Stop | None":
        async with emergency_stop() as switch:
            return await switch.pulled()

    stop = run(look())
    _say(stop)
    raise typer.Exit(FINDINGS if stop else 0)


def _say(stop: "Stop | None") -> None:
    if stop is None:
        typer.echo("The emergency stop is not pulled.")
    else:
        from shared.notify.foreign import clean

        typer.echo(f"STOPPED since {stop.at:%Y-%m-%d %H:%M:%S} UTC by {clean(stop.by)}: {clean(stop.reason)}")
