"""`python -m demo`: the story, and the proof. `--serve`: the same, and it stays up until Ctrl-C or SIGTERM.

Exit codes: 0 every claim held, 1 one did not, 2 it could not run, 130 interrupted.
"""

import argparse
import fcntl
import shutil
import signal
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from demo import azure_now, rights
from demo.fleet import LEFT_ALONE
from demo.jobs_proof import jobs_claims
from demo.jobs_story import play_jobs
from demo.live import Lines, view_for
from demo.processes import CHECKOUT, NotStartedError
from demo.proof import Claim, Evidence, claims, figures
from demo.scenario import StuckError, play
from demo.stack import Pace, Stack
from demo.sweep_proof import sweep_claims
from demo.sweep_story import play_sweep
from demo.team import Team
from functions_host.azurite import AzuriteError

_WHAT_IT_IS = (
    "[b]AKS Backup Guard[/] sees to it that every AKS cluster is protected by Azure Backup, with nobody doing it. "
    "Here the real app runs in a local Functions host, with its state in Azurite and a [b]simulated Azure[/] around it "
    "that keeps Azure's own rules and delays, {speed:g} times faster. A dozen clusters appear; the host is killed in "
    "the middle; backups miss volumes and run out of memory; people break what was set up, and a sweep over the fleet "
    "finds it. At the end Azure itself is asked what came of it."
)


def main() -> int:
    options = _options()
    console = Console(highlight=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    folder = (CHECKOUT / ".run") if options.serve else (CHECKOUT / ".run" / "demo")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            console.print(f"Another one is running in {folder}: end it first.")
            return 2
        try:
            return _run(folder, options, console)
        except KeyboardInterrupt:
            console.print("\nInterrupted; everything that was started has been ended.")
            return 0 if options.serve else 130
        except (StuckError, NotStartedError, AzuriteError, RuntimeError, OSError) as error:
            console.print(f"✗ {type(error).__name__}: {error}", style="red", markup=False, soft_wrap=True)
            console.print(f"Logs: {folder}/*.log", soft_wrap=True)
            return 2


def _run(folder: Path, options: argparse.Namespace, console: Console) -> int:
    _clear(folder)
    began = time.monotonic()
    console.print(Panel(_WHAT_IT_IS.format(speed=options.speed), padding=(1, 2), width=min(console.width, 124)))
    configuration = (Path(__file__).parent / "guard.yaml").read_text(encoding="utf-8")
    with (
        Team(folder / "messages") as team,
        Stack(
            folder,
            configuration,
            pace=Pace(speed=options.speed),
            settings={"AKS_BACKUP_GUARD_CHANNEL_TEAM": team.address},
        ) as stack,
    ):
        with view_for(console) as view:
            view.say("Azurite and the simulated Azure are up.")
            play(stack, view)
        held = _prove(stack, console)
        console.print(
            "\n[b]The story goes on[/]: jobs that end with warnings, and an extension that runs out of memory\n"
        )
        with Lines(console) as view:
            seen = play_jobs(stack, team, view)
        held = _say_claims(jobs_claims(stack, team.messages(), seen), console) and held
        _show_messages(team, console)
        console.print(
            "\n[b]Could every cluster be restored today?[/] A sweep over the fleet, and people who break things\n"
        )
        with Lines(console) as view:
            swept = play_sweep(stack, view)
        console.print()
        held = _say_claims(sweep_claims(stack, swept), console) and held
        console.print(f"\nThis took {time.monotonic() - began:.0f} s. Logs: {folder}/*.log", soft_wrap=True)
        if options.serve:
            _stay(stack, console)
    return 0 if held else 1


def _prove(stack: Stack, console: Console) -> bool:
    seen = Evidence(
        stack.subscription,
        azure_now.read(stack.operator, stack.subscription),
        stack.calls(),
        stack.tables.conditions(),
        stack.tables.actions(),
        rights.beyond(stack.operator, stack.subscription),
    )
    console.print("\n[b]What was proven[/] [dim](read from the simulated Azure over ARM, as its operator)[/]\n")
    held = _say_claims(claims(seen), console)
    console.print("\n[b]Why the others were left alone[/], in the Guard's own words\n")
    _explain(seen, console)
    console.print("\n[b]Figures[/]\n")
    for figure in figures(seen):
        console.print(f"   {figure}")
    return held


def _say_claims(found: list[Claim], console: Console) -> bool:
    for claim in found:
        console.print(f" {'[green]✓[/]' if claim.held else '[red]✗[/]'} {claim.text}", soft_wrap=True)
        console.print(f"   {claim.how}", style="dim", markup=False, soft_wrap=True)
        for contradiction in claim.wrong[:10]:
            console.print(f"   {contradiction}", style="red", markup=False, soft_wrap=True)
    return all(claim.held for claim in found)


def _show_messages(team: Team, console: Console) -> None:
    messages = team.messages()
    console.print(f"\n[b]What the team got[/] ({len(messages)} messages; the first one whole)\n")
    if messages:
        first = messages[0].file.read_text(encoding="utf-8").strip()
        console.print(Panel(Text(first), padding=(1, 2), width=min(console.width, 124)))
    for message in messages:
        console.print(f"   {message.file}: {message.title}", markup=False, soft_wrap=True)


def _explain(seen: Evidence, console: Console) -> None:
    for member in LEFT_ALONE:
        ready = seen.conditions.get(seen.id_of(member), {}).get("Ready")
        if ready is not None:
            console.print(f"   [b]{member.name:9}[/]{ready.reason}: ", end="")
            console.print(ready.message, markup=False, soft_wrap=True)
            if ready.recommended_action:
                console.print(f"            → {ready.recommended_action}", style="dim", markup=False, soft_wrap=True)


def _stay(stack: Stack, console: Console) -> None:
    path = stack.write_endpoints()
    try:
        here = stack.endpoints
        console.print(f"\nThe dashboard: [b]{here['api']}/api/dashboard[/]", soft_wrap=True)
        console.print(f"\n[b]It all stays up[/] until Ctrl-C. The endpoints are in {path}:\n", soft_wrap=True)
        for name, url in here.items():
            console.print(f"   {name:13}{url}", markup=False, soft_wrap=True)
        console.print("\nTry:\n")
        more = '{"count": 3, "location": "northeurope"}'
        for command in (
            f"curl {here['api']}/api/v1/status",
            f"curl {here['api']}/api/health",
            f"curl -X POST {here['control']}/simulator/clusters -d '{more}'",
            f"curl -X POST {here['control']}/simulator/eventgrid -d '{{\"duplicate\": true}}'",
            f"curl {here['control']}/simulator/calls",
            f"tail -f {stack.folder}/host.log",
        ):
            console.print(f"   {command}", markup=False, soft_wrap=True)
        while True:
            time.sleep(1)
            stopped = stack.stopped_program()
            if stopped:
                raise NotStartedError(f"{stopped} has ended by itself; see its log")
    finally:
        path.unlink()


def _clear(folder: Path) -> None:
    """What an earlier run left."""
    shutil.rmtree(folder / "azurite", ignore_errors=True)
    for old in (*folder.glob("*.log"), *folder.glob("endpoints.json")):
        old.unlink()


def _interrupted(_number: int, _frame: object) -> None:
    """Once is enough: what was started is ended in order, and nothing interrupts that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--serve", action="store_true", help="stay up afterwards; .run/endpoints.json says where")
    parser.add_argument("--speed", type=float, default=60.0, help="how much faster than Azure (default 60)")
    options = parser.parse_args()
    if not 1 <= options.speed <= 120:
        parser.error("--speed must be from 1 to 120")
    return options


if __name__ == "__main__":
    sys.exit(main())
