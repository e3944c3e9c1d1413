"""`alerts`, `acknowledge`, `snooze`: what the Guard tells, and what people say about it."""

import getpass
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.run import COULD_NOT_TELL, FINDINGS, run
from shared.bootstrap import alert_book
from shared.domain.alerts import SEVERITIES, Alert, Word
from shared.notify.foreign import clean

_ID_SHOWN = 8
_STYLES = {"Critical": "bold red", "Error": "red", "Warning": "yellow", "Informational": "dim"}

AlertId = Annotated[str, typer.Argument(help="Id of the alert, or how it begins.")]


def alerts(
    all_: Annotated[bool, typer.Option("--all", help="The resolved ones too.")] = False,
) -> None:
    """The open alerts of the fleet, the gravest first: exit code 1 when there are any."""

    async def read() -> list[Alert]:
        async with alert_book() as book:
            return [alert async for alert in book.all_of(open_only=not all_)]

    found = sorted(run(read()), key=lambda alert: (SEVERITIES.index(alert.severity), alert.opened_at))
    if not found:
        typer.echo("No alerts." if all_ else "No open alerts.")
        return
    Console().print(_table(found))
    raise typer.Exit(FINDINGS if any(alert.state == "Open" for alert in found) else 0)


def acknowledge(alert_id: AlertId) -> None:
    """Say that somebody is at it: the alert does not escalate any more."""
    now = datetime.now(UTC)
    alert = run(_say(alert_id, lambda old: Word(getpass.getuser(), now, True, old.snoozed_until)))
    typer.echo(f"Acknowledged: {clean(alert.cause.title)} ({_name(alert)}).")


def snooze(
    alert_id: AlertId, hours: Annotated[float, typer.Option(min=0.1, max=24 * 30, help="For how long.")] = 8
) -> None:
    """Hold the alert back for some hours. If it is still open then, it is told."""
    now = datetime.now(UTC)
    until = now + timedelta(hours=hours)
    alert = run(_say(alert_id, lambda old: Word(getpass.getuser(), now, bool(old.acknowledged_by), until)))
    typer.echo(f"Snoozed until {until:%Y-%m-%d %H:%M} UTC: {clean(alert.cause.title)} ({_name(alert)}).")


async def _say(alert_id: str, word: Callable[[Alert], Word]) -> Alert:
    async with alert_book() as book:
        found = [alert async for alert in book.all_of() if alert.id.startswith(alert_id.lower())]
        if len(found) != 1:
            what = "no alert" if not found else f"{len(found)} alerts"
            typer.echo(f"{alert_id!r} fits {what}; `aks-backup-guard alerts --all` lists the ids.", err=True)
            raise typer.Exit(COULD_NOT_TELL)
        await book.say(found[0].id, found[0].subject, word(found[0]))
        return found[0]


def _table(found: list[Alert]) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold dim")
    for title in ("id", "severity", "state", "since", "times", "who", "what"):
        table.add_column(title, no_wrap=title != "what")
    for alert in found:
        table.add_row(
            alert.id[:_ID_SHOWN],
            Text(alert.severity, _STYLES[alert.severity]),
            _state(alert),
            f"{alert.opened_at:%Y-%m-%d %H:%M}",
            str(alert.cause.occurrences),
            Text(_name(alert)),
            Text(clean(f"{alert.cause.title} ({alert.cause.code})")),
        )
    return table


def _state(alert: Alert) -> str:
    if alert.state != "Open":
        return alert.state
    if alert.acknowledged_by:
        return "Acknowledged"
    return "Held back" if alert.held else "Open"


def _name(alert: Alert) -> str:
    return clean(alert.subject.rsplit("/", 1)[-1])
