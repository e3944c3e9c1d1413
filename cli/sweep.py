"""`sweep` and `status`: could these clusters be restored today? Asked of Azure directly, with nothing deployed."""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import typer

from cli.options import (
    ClusterName,
    ConfigFile,
    FailOn,
    Grave,
    ManagementGroups,
    OutFile,
    Output,
    OutputForm,
    ReadBindings,
    Subscriptions,
)
from cli.run import run

if TYPE_CHECKING:
    from cli.judged import Judged
    from shared.domain.alerts import Severity


def status(
    cluster: ClusterName = None,
    config: ConfigFile = None,
    subscription: Subscriptions = None,
    management_group: ManagementGroups = None,
    read_bindings: ReadBindings = False,
    fail_on: FailOn = Grave.error,
    output: OutputForm = Output.table,
    out: OutFile = None,
) -> None:
    """Could the fleet, or one cluster, be restored today?

    Exit code 0: nothing as grave as --fail-on is wrong. 1: something is. 2: something essential is not known."""
    found = _judged(config, subscription, management_group, cluster, read_bindings)
    if output is Output.table:
        from cli.sheet import write
        from cli.status_tables import cluster_status, fleet_status

        to_file = out is not None
        one = found.snapshot.clusters[0] if cluster is not None else None
        text = fleet_status(found, to_file) if one is None else cluster_status(found, one, to_file)
        write([text], out)
    else:
        _export(found, output, out)
    raise typer.Exit(found.exit_code(_severity(fail_on)))


def sweep(
    config: ConfigFile = None,
    subscription: Subscriptions = None,
    management_group: ManagementGroups = None,
    read_bindings: ReadBindings = False,
    fail_on: FailOn = Grave.error,
    output: OutputForm = Output.table,
    out: OutFile = None,
) -> None:
    """Every control and every cluster, for pipelines and auditors.

    Exit code 0: nothing as grave as --fail-on is wrong. 1: something is. 2: something essential is not known."""
    found = _judged(config, subscription, management_group, None, read_bindings)
    if output is Output.table:
        from cli.sheet import write
        from cli.status_tables import sweep_findings

        write([sweep_findings(found, out is not None)], out)
    else:
        _export(found, output, out)
    raise typer.Exit(found.exit_code(_severity(fail_on)))


def _judged(
    config: Path | None,
    subscriptions: list[str] | None,
    management_groups: list[str] | None,
    name: str | None,
    read_bindings: bool,
) -> "Judged":
    from cli.azure import signed_in
    from cli.configuration import configured, scope_of
    from cli.judged import judged

    known = configured(config)
    scope = scope_of(known, subscriptions, management_groups)

    async def ask() -> "Judged":
        async with signed_in() as arm:
            return await judged(arm, known, scope, name, read_bindings)

    return run(ask())


def _export(found: "Judged", output: Output, out: Path | None) -> None:
    from importlib import import_module

    from cli.sheet import write

    if output is Output.json:
        from cli.json_lines import lines

        return write(lines(found.snapshot, found.controls), out)
    module = import_module("shared.report.csv_export" if output is Output.csv else f"shared.report.{output.value}")
    return write([module.render(found.snapshot, found.controls)], out)


def _severity(fail_on: Grave) -> "Severity":
    from shared.domain.alerts import Severity

    return next(known for known in get_args(Severity) if known == fail_on.value)
