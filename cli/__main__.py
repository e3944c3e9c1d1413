"""The commands. Exit codes: 0 clean, 1 findings, 2 could not tell."""

import typer

from cli.alerts import acknowledge, alerts, snooze
from cli.emergency_stop import resume_all, stop_all, stopped

app = typer.Typer(help="AKS Backup Guard from a terminal.", no_args_is_help=True, add_completion=False)

for command in (stop_all, resume_all, stopped, alerts, acknowledge, snooze):
    app.command()(command)

if __name__ == "__main__":
    app(prog_name="aks-backup-guard")
