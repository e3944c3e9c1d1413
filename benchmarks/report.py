"""What a benchmark hands back: figures for machines, tables for people, and what the machine was."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. Cells are texts or numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]


@dataclass(frozen=True, slots=True)
class Report:
    """`figures` is what is written to the results; `sheets` is what is printed; `remarks` say how to read it."""

    figures: dict[str, Any]
    sheets: Sequence[Sheet]
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of some measurements."""

    median: float
    least: float
    most: float
    count: int = field(default=0)

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values), len(values))

    def figures(self, digits: int = 4) -> dict[str, float]:
        rounded = {name: round(getattr(self, name), digits) for name in ("median", "least", "most")}
        return {**rounded, "count": self.count}


def machine() -> dict[str, Any]:
    """The facts that absolute figures depend on."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def show(name: str, report: Report, seconds: float, console: Console) -> None:
    """Print it and write `results/NAME.json`."""
    for sheet in report.sheets:
        table = Table(title=sheet.title, title_justify="left", title_style="bold")
        for number, column in enumerate(sheet.columns):
            table.add_column(column, justify="left" if number == 0 else "right")
        for row in sheet.rows:
            table.add_row(*(cell if isinstance(cell, str) else _number(cell) for cell in row))
        console.print(table)
    for remark in report.remarks:
        console.print(f"  {remark}", style="dim")
    console.print()
    content = {
        "benchmark": name,
        "measured_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        "took_seconds": round(seconds, 1),
        "machine": machine(),
        **report.figures,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _number(value: float) -> str:
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
