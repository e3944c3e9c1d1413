"""`history` and `approve-repairs`: what the deployed Guard's sweeps have found, and its circuit breaker of repairs."""

import getpass
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import OutFile, Output, OutputForm
from cli.run import FINDINGS, could_not_tell, remark, run

if TYPE_CHECKING:
    from cli.sheet import Sheet
    from shared.domain.compliance import SweepSummary, VerdictChange
    from shared.ports import RepairHold
    from shared.record.repair_breaker import TableRepairBreaker
    from shared.record.sweeps import Sweeps

_SWEEPS, _CHANGES = 30, 1000


def history(
    cluster: Annotated[
        str | None, typer.Argument(metavar="CLUSTER", help="Name or ARM id; unsaid: the sweeps and all changes.")
    ] = None,
    days: Annotated[float, typer.Option(min=0.04, max=3650, help="How far back.")] = 30,
    output: OutputForm = Output.table,
    out: OutFile = None,
) -> None:
    """What the deployed Guard's sweeps found, and which verdicts changed; the newest first. Needs its storage."""
    from cli.sheet import show

    since = datetime.now(UTC) - timedelta(days=days)
    sweeps, changes = run(_read(cluster, since))
    if not sweeps:
        remark("The deployed Guard has not finished a sweep yet.")
    show(_sheet(sweeps if cluster is None else [], changes, cluster), output, out)


def approve_repairs(
    reason: Annotated[str, typer.Option(help="Why; it is kept with your name.")],
    hours: Annotated[float, typer.Option(min=0.1, max=24 * 7, help="How long the breaker stays closed.")] = 24,
) -> None:
    """Let the repairs go on that the circuit breaker of a sweep holds back: you have looked at the clusters."""
    if not reason.strip():
        could_not_tell("--reason is empty: say why.")
    now = datetime.now(UTC)
    until = now + timedelta(hours=hours)
    who = f"{getpass.getuser()} ({reason.strip()})"

    async def approve() -> "RepairHold | None":
        async with _breaker() as breaker:
            return await breaker.approve(who, now, until)

    held = run(approve())
    if held is None:
        typer.echo(f"Nothing was held back. Repairs are not held until {until:%Y-%m-%d %H:%M} UTC.")
    else:
        typer.echo(
            f"Approved: {held.clusters} of {held.fleet} clusters may be repaired, as the sweep {held.sweep_id} found "
            f"them. The breaker stays closed until {until:%Y-%m-%d %H:%M} UTC."
        )


def repairs() -> None:
    """Whether the circuit breaker holds repairs back: exit code 1 when it does."""

    async def look() -> "tuple[RepairHold | None, datetime | None]":
        async with _breaker() as breaker:
            return await breaker.held(), await breaker.approved_until()

    held, approved = run(look())
    if held is not None:
        typer.echo(
            f"HELD since {held.at:%Y-%m-%d %H:%M} UTC: {held.clusters} of {held.fleet} clusters would change at once "
            f"(sweep {held.sweep_id}). When you have looked: aks-backup-guard approve-repairs --reason …"
        )
        raise typer.Exit(FINDINGS)
    until = f" They were approved until {approved:%Y-%m-%d %H:%M} UTC." if approved else ""
    typer.echo(f"Repairs are not held back.{until}")


async def _read(cluster: str | None, since: datetime) -> "tuple[Sequence[SweepSummary], Sequence[VerdictChange]]":
    arm_id = cluster if cluster is not None and "/" in cluster else None
    async with _sweeps() as book:
        summaries = [each for each in await book.summaries(_SWEEPS) if each.ended_at >= since]
        changes: list[VerdictChange] = []
        async for change in book.changes(since, arm_id):
            if cluster is None or arm_id is not None or change.name.lower() == cluster.lower():
                changes.append(change)
            if len(changes) == _CHANGES:
                remark(f"Only the newest {_CHANGES:,} changes; --days brings fewer.")
                break
        return summaries, changes


def _sheet(sweeps: "Sequence[SweepSummary]", changes: "Sequence[VerdictChange]", cluster: str | None) -> "Sheet":
    from cli.sheet import Sheet

    rows: list[tuple[Any, ...]] = []
    for each in sweeps:
        tally = each.overall
        said = f"{tally.yes} restorable, {tally.no} not, {tally.unknown} unknown, {tally.exempt} exempt"
        said += f"; score {tally.score:.0f}; {len(each.findings)} findings about the fleet"
        rows.append((_minute(each.ended_at), "sweep", each.sweep_id, "", "", said))
    for change in changes:
        became = f"{change.before} → {change.after}"
        rows.append((_minute(change.at), "change", change.name, change.control, became, change.message))
    rows.sort(key=lambda row: str(row[0]), reverse=True)
    notes = () if rows else (f"No verdict of {cluster} changed in that time." if cluster else "Nothing in that time.",)
    document = {
        "sweeps": [
            {
                "id": each.sweep_id,
                "started_at": each.started_at.isoformat(),
                "ended_at": each.ended_at.isoformat(),
                "clusters": each.overall.clusters,
                "yes": each.overall.yes,
                "no": each.overall.no,
                "unknown": each.overall.unknown,
                "exempt": each.overall.exempt,
                "score": each.overall.score,
                "changes": each.changes,
            }
            for each in sweeps
        ],
        "changes": [
            {
                "at": change.at.isoformat(),
                "sweep_id": change.sweep_id,
                "cluster_id": change.cluster_id,
                "name": change.name,
                "team": change.team,
                "control": change.control,
                "before": change.before,
                "after": change.after,
                "reason": change.reason,
                "message": change.message,
            }
            for change in changes
        ],
    }
    columns = ("at (UTC)", "what", "who", "control", "became", "why")
    return Sheet("History", columns, tuple(rows), document, (), notes, group=2)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


@asynccontextmanager
async def _sweeps() -> "AsyncIterator[Sweeps]":
    from shared.bootstrap import storage
    from shared.record.sweep_rows import TableSweepRows
    from shared.record.sweeps import Sweeps

    async with storage() as opened:
        yield Sweeps(TableSweepRows(opened))


@asynccontextmanager
async def _breaker() -> "AsyncIterator[TableRepairBreaker]":
    from shared.bootstrap import storage
    from shared.record.repair_breaker import TableRepairBreaker

    async with storage() as opened:
        yield TableRepairBreaker(opened)
