"""`alerts`, `acknowledge`, `snooze`: what the Guard tells, and what people say about it."""

import getpass
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import OutFile, Output, OutputForm
from cli.run import COULD_NOT_TELL, FINDINGS, run

if TYPE_CHECKING:
    from cli.sheet import Sheet
    from shared.domain.alerts import Alert, Word

_ID_SHOWN = 8

AlertId = Annotated[str, typer.Argument(help="Id of the alert, or how it begins.")]


def alerts(
    all_: Annotated[bool, typer.Option("--all", help="The resolved ones too.")] = False,
    output: OutputForm = Output.table,
    out: OutFile = None,
) -> None:
    """The open alerts of the fleet, the gravest first: exit code 1 when there are any."""
    from cli.sheet import show
    from shared.bootstrap import alert_book
    from shared.domain.alerts import SEVERITIES

    async def read() -> "list[Alert]":
        async with alert_book() as book:
            return [alert async for alert in book.all_of(open_only=not all_)]

    found = sorted(run(read()), key=lambda alert: (SEVERITIES.index(alert.severity), alert.opened_at))
    if not found and output is Output.table and out is None:
        typer.echo("No alerts." if all_ else "No open alerts.")
        return
    show(_sheet(found), output, out)
    raise typer.Exit(FINDINGS if any(alert.state == "Open" for alert in found) else 0)


def acknowledge(alert_id: AlertId) -> None:
    """Say that somebody is at it: the alert does not escalate any more."""
    from shared.domain.alerts import Word

    now = datetime.now(UTC)
    alert = run(_say(alert_id, lambda old: Word(getpass.getuser(), now, True, old.snoozed_until)))
    typer.echo(f"Acknowledged: {_told(alert)}.")


def snooze(
    alert_id: AlertId, hours: Annotated[float, typer.Option(min=0.1, max=24 * 30, help="For how long.")] = 8
) -> None:
    """Hold the alert back for some hours. If it is still open then, it is told."""
    from shared.domain.alerts import Word

    now = datetime.now(UTC)
    until = now + timedelta(hours=hours)
    alert = run(_say(alert_id, lambda old: Word(getpass.getuser(), now, bool(old.acknowledged_by), until)))
    typer.echo(f"Snoozed until {until:%Y-%m-%d %H:%M} UTC: {_told(alert)}.")


async def _say(alert_id: str, word: "Callable[[Alert], Word]") -> "Alert":
    from shared.bootstrap import alert_book

    async with alert_book() as book:
        begins = alert_id.strip().lower() or " "  # nothing, of a variable that is not set, fits nothing
        found = [alert async for alert in book.all_of() if alert.id.startswith(begins)]
        if len(found) != 1:
            what = "no alert" if not found else f"{len(found)} alerts"
            typer.echo(f"{alert_id!r} fits {what}; `aks-backup-guard alerts --all` lists the ids.", err=True)
            raise typer.Exit(COULD_NOT_TELL)
        await book.say(found[0].id, found[0].subject, word(found[0]))
        return found[0]


def _sheet(found: "list[Alert]") -> "Sheet":
    from cli.sheet import Sheet

    rows = tuple(
        (
            alert.id[:_ID_SHOWN],
            alert.severity,
            _state(alert),
            f"{alert.opened_at:%Y-%m-%d %H:%M}",
            alert.cause.occurrences,
            _name(alert),
            f"{alert.cause.title} ({alert.cause.code})",
        )
        for alert in found
    )
    wrong = tuple(f"{alert.cause.message} {alert.cause.recommended_action}" if _open(alert) else "" for alert in found)
    columns = ("id", "severity", "state", "since", "times", "who", "what")
    return Sheet("Alerts", columns, rows, {"alerts": [_document(alert) for alert in found]}, wrong, group=5)


def _document(alert: "Alert") -> dict[str, Any]:
    cause = alert.cause
    return {
        "id": alert.id,
        "subject": alert.subject,
        "state": alert.state,
        "severity": alert.severity,
        "opened_at": alert.opened_at.isoformat(),
        "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at else None,
        "acknowledged_by": alert.acknowledged_by,
        "held": alert.held,
        "code": cause.code,
        "title": cause.title,
        "message": cause.message,
        "recommended_action": cause.recommended_action,
        "occurrences": cause.occurrences,
        "first_at": cause.first_at.isoformat(),
        "last_at": cause.last_at.isoformat(),
        "job_id": cause.job_id,
    }


def _open(alert: "Alert") -> bool:
    return alert.state == "Open"


def _state(alert: "Alert") -> str:
    if alert.state != "Open":
        return alert.state
    if alert.acknowledged_by:
        return "Acknowledged"
    return "Held back" if alert.held else "Open"


def _name(alert: "Alert") -> str:
    return alert.subject.rsplit("/", 1)[-1]


def _told(alert: "Alert") -> str:
    from shared.notify.foreign import clean

    return clean(f"{alert.cause.title} ({_name(alert)})")
