"""`doctor`: is what was deployed as it must be?"""

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import OutFile, Output, OutputForm
from cli.run import COULD_NOT_TELL, FINDINGS, could_not_tell, remark, run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cli.doctor.check import Result
    from cli.doctor.deployment import Deployment
    from cli.doctor.rights_files import WantedRights
    from cli.sheet import Sheet

EnvFile = Annotated[
    Path | None, typer.Option("--env-file", metavar="FILE", help="What `azd env get-values` printed: NAME=VALUE lines.")
]
Values = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="One of those values; several times too.")
]
All = Annotated[bool, typer.Option("--all", help="Also what is as it must be.")]


def doctor(
    env_file: EnvFile = None,
    set_: Values = None,
    all_: All = False,
    output: OutputForm = Output.table,
    out: OutFile = None,
) -> None:
    """Is what was deployed as it must be: identity, rights, providers, function app, settings, storage, topic, event
    subscriptions, authentication, health? Exit code 1 when something is wrong; each with the command that mends it."""
    from cli.doctor.deployment import DeploymentUnknownError, deployment_of, read_env_file
    from cli.doctor.rights_files import wanted_rights
    from cli.sheet import show, write

    try:
        given = read_env_file(env_file) if env_file else {}
        deployment = deployment_of({**os.environ, **given, **_pairs(set_ or [])})
        wanted = wanted_rights(deployment)
    except DeploymentUnknownError as error:
        could_not_tell(str(error), error)
    remark(f"Looking at {deployment.app_id.rsplit('/', 1)[-1]} (mode {deployment.mode}) ...")
    results = run(_examine(deployment, wanted))
    if output is Output.table:
        write([_text(results, all_)], out)
    else:
        show(_sheet(results), output, out)
    raise typer.Exit(exit_code(results))


def exit_code(results: "list[Result]") -> int:
    """What could not be told comes before what is wrong, as everywhere: what was found may not be all."""
    found = {result.status for result in results}
    return COULD_NOT_TELL if "could not tell" in found else FINDINGS if "wrong" in found else 0


async def _examine(deployment: "Deployment", wanted: "WantedRights") -> "list[Result]":
    from cli.app_health import read_health
    from cli.azure import signed_in
    from cli.doctor.judge import judge
    from cli.doctor.reading import look

    async with signed_in() as arm:
        return list(judge(deployment, await look(arm, deployment, read_health), wanted))


def _pairs(given: list[str]) -> "Mapping[str, str]":
    """Ends the command with exit code 2 for a name no output has."""
    from cli.doctor.deployment import NAMES

    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or name not in NAMES:
            could_not_tell(f"--set {each[:100]!r}: use NAME=VALUE with one of {', '.join(NAMES)}.")
        found[name] = value
    return found


def _text(results: "list[Result]", all_: bool) -> str:
    """For people. A command is a line of its own, however long, so that it can be copied."""
    from shared.notify.foreign import clean

    lines = []
    for result in results:
        if result.status == "ok" and not all_:
            continue
        lines.append(f"{result.status.upper() if result.status != 'ok' else 'ok'}  {result.group} / {_named(result)}")
        lines += [f"    {clean(text, 4000)}" for text in (result.message, result.fix) if text]
    return "\n".join([*lines, _told(results)])


def _sheet(results: "list[Result]") -> "Sheet":
    from cli.sheet import Sheet

    rows = tuple((result.group, _named(result), result.status, result.message, result.fix) for result in results)
    wrong = tuple("" if result.status == "ok" else result.message for result in results)
    document: dict[str, Any] = {
        "counts": _counts(results),
        "checks": [
            {
                "group": result.group,
                "check": result.name,
                "subject": result.subject,
                "status": result.status,
                "message": result.message,
                "fix": result.fix,
            }
            for result in results
        ],
    }
    return Sheet("Doctor", ("group", "check", "status", "what", "command"), rows, document, wrong, (_told(results),))


def _counts(results: "list[Result]") -> dict[str, int]:
    found = Counter(result.status for result in results)
    return {"ok": found["ok"], "wrong": found["wrong"], "could not tell": found["could not tell"]}


def _told(results: "list[Result]") -> str:
    return ", ".join(f"{count} {status}" for status, count in _counts(results).items()) + "."


def _named(result: "Result") -> str:
    return f"{result.name}: {result.subject}" if result.subject else result.name
