"""What a cold start costs: `import function_app` ÷ `import azure.functions`, as whole processes in pairs."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import Report, Sheet, Spread

TARGET = 1.3
PAIRS = 25
APP, LIBRARY, NOTHING = "import function_app", "import azure.functions", "pass"
CHECKOUT = Path(__file__).resolve().parent.parent
_PRINT_MEMORY = """
import sys
with open("/proc/self/statm") as statm:
    print(int(statm.read().split()[1]) * 4096)
print(len(sys.modules))
"""


def measure() -> Report:
    for statement in (APP, LIBRARY):
        _seconds(statement)  # once for the byte code, and for the disk's cache
    took: dict[str, list[float]] = {statement: [] for statement in (NOTHING, LIBRARY, APP)}
    for _ in range(PAIRS):
        for statement, seconds in took.items():
            seconds.append(_seconds(statement))
    ratios = Spread.of([app / library for app, library in zip(took[APP], took[LIBRARY], strict=True)])
    spreads = {statement: Spread.of(seconds) for statement, seconds in took.items()}
    sizes = {statement: _memory(statement) for statement in took}
    rows: list[Sequence[str | float]] = [
        (statement, spread.median * 1000, spread.least * 1000, spread.most * 1000, *sizes[statement])
        for statement, spread in spreads.items()
    ]
    rows.append(("function_app ÷ azure.functions", ratios.median, ratios.least, ratios.most, "", ""))
    return Report(
        {
            "target": TARGET,
            "function_app_to_azure_functions": ratios.figures(3),
            "process_seconds": {statement: spread.figures() for statement, spread in spreads.items()},
            "after_import": {s: {"rss_mb": round(mb, 1), "modules": modules} for s, (mb, modules) in sizes.items()},
        },
        [
            Sheet(
                f"Whole processes, {PAIRS} pairs",
                ("process", "median ms", "least ms", "most ms", "RSS MB", "modules"),
                rows,
            )
        ],
        [f"Target: at most {TARGET}. Memory after the first reconcile: benchmark intake, which runs the real host."],
    )


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout


def _seconds(statement: str) -> float:
    started = time.perf_counter()
    _run(statement)
    return time.perf_counter() - started


def _memory(statement: str) -> tuple[float, int]:
    """Megabytes resident and modules loaded after it."""
    resident, modules = _run(statement + _PRINT_MEMORY).split()
    return int(resident) / 1e6, int(modules)
