"""The commands. What a command needs is imported when it runs, so that `--help` is there at once."""

import os
import sys
import traceback
from collections.abc import Callable

import typer

from cli.alerts import acknowledge, alerts, snooze
from cli.cost import cost
from cli.doctor.command import doctor
from cli.emergency_stop import resume_all, stop_all, stopped
from cli.history import approve_repairs, history, repairs
from cli.plan import plan
from cli.run import COULD_NOT_TELL, collect_rarely
from cli.smoke_test import smoke_test
from cli.sweep import status, sweep

EXIT_CODES = "Exit codes: 0 clean, 1 findings, 2 could not tell. Data goes to stdout, remarks to stderr."

app = typer.Typer(
    help="AKS Backup Guard from a terminal: could these clusters be restored today?",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

YOUR_FLEET: tuple[Callable[..., None], ...] = (status, sweep, plan, cost)
"""Read-only, with nothing deployed."""
THE_DEPLOYED_GUARD: tuple[Callable[..., None], ...] = (
    alerts,
    acknowledge,
    snooze,
    history,
    repairs,
    approve_repairs,
    stopped,
    stop_all,
    resume_all,
)

THE_DEPLOYMENT: tuple[Callable[..., None], ...] = (doctor, smoke_test)
"""Whether what was deployed is as it must be, and works."""

for command in (*YOUR_FLEET, *THE_DEPLOYED_GUARD, *THE_DEPLOYMENT):
    app.command()(command)


def main() -> None:
    """A fault of our own is exit code 2 with its traceback: Python's own 1 would look like findings."""
    collect_rarely()
    if sys.stdout is None:  # closed by the caller, who wants the exit code alone
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open for as long as the process lives
    try:
        app(prog_name="aks-backup-guard")
    except Exception:  # noqa: BLE001 - said in full, and then it is over
        traceback.print_exc()
        sys.exit(COULD_NOT_TELL)


if __name__ == "__main__":
    main()
