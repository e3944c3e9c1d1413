"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    """What a command writes to stdout, or into a file."""

    table = "table"
    json = "json"
    csv = "csv"
    html = "html"
    markdown = "markdown"
    junit = "junit"


class Grave(StrEnum):
    """Severities, in Azure Monitor's words."""

    critical = "Critical"
    error = "Error"
    warning = "Warning"
    informational = "Informational"


ClusterName = Annotated[
    str | None, typer.Argument(metavar="CLUSTER", help="Name or ARM id of one cluster; unsaid: the whole fleet.")
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="guard.yaml",
        help="The configuration. Unsaid: the app settings', else guard.yaml of this folder, else one profile in audit "
        "mode for every cluster.",
    ),
]
Subscriptions = Annotated[
    list[str] | None,
    typer.Option("--subscription", metavar="ID", help="Look at this one; may be given several times."),
]
ManagementGroups = Annotated[
    list[str] | None,
    typer.Option("--management-group", metavar="NAME", help="Look at all of its subscriptions; several times too."),
]
OutputForm = Annotated[Output, typer.Option("--output", "-o", help="In which form.")]
OutFile = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it there instead of stdout.")]
FailOn = Annotated[
    Grave, typer.Option("--fail-on", case_sensitive=False, help="What is at least so grave is a finding: exit code 1.")
]
ReadBindings = Annotated[
    bool,
    typer.Option("--read-bindings", help="Also ask each cluster for its trusted access bindings: one call a cluster."),
]
