"""`python -m benchmarks [NAME ...]`: measures, prints tables, writes benchmarks/results/NAME.json."""

import argparse
import importlib
import time

from rich.console import Console

from benchmarks.report import Report, machine, show

NAMES = ("imports", "intake", "protect_one", "calls", "fleet", "jobs", "sweep", "dashboard", "package", "day")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all when none is given")
    wanted = parser.parse_args().names or NAMES
    if unknown := [name for name in wanted if name not in NAMES]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    console = Console()
    if not console.is_terminal:
        console.width = 150
    facts = machine()
    console.print(f"{facts['cores']} cores, Python {facts['python']}, {facts['system']}\n")
    for name in wanted:
        started = time.perf_counter()
        report: Report = importlib.import_module(f"benchmarks.{name}").measure()
        show(name, report, time.perf_counter() - started, console)


if __name__ == "__main__":
    main()
