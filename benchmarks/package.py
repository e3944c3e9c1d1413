"""What is deployed: its size, and what its bytecode is worth to a worker that starts from it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import Report, Sheet, Spread
from infra.package import build, compile_all

ROUNDS = 9
ALONE = Path(__file__).resolve().parent.parent / "tests" / "package" / "alone.py"
AS_DEPLOYED, BY_TIME, NONE = "as deployed", "bytecode by time, other times", "no bytecode"


def measure() -> Report:
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        built = build(Path(scratch))
        took = time.perf_counter() - began
        folders = {AS_DEPLOYED: built.folder}
        for name in (BY_TIME, NONE):
            folders[name] = Path(scratch) / name.replace(" ", "-")
            shutil.copytree(built.folder, folders[name])
            for cache in [*folders[name].rglob("__pycache__")]:
                shutil.rmtree(cache)
        compile_all(folders[BY_TIME], mode="timestamp")
        for source in folders[BY_TIME].rglob("*.py"):
            os.utime(source)  # as unpacking does
        empty = Path(scratch) / "empty"
        empty.mkdir()
        starts = _starts(folders, empty)
        sizes = {"app": built.app_bytes, "packages": sum(built.package_bytes.values())}
        sizes["archive"] = built.archive.stat().st_size
        largest = sorted(built.package_bytes.items(), key=lambda item: -item[1])[:10]
    rows: list[Sequence[str | float]] = []
    ratios: dict[str, dict[str, Spread]] = {}
    for name, answers in starts.items():
        spreads = {what: Spread.of([answer[what] for answer in answers]) for what in ("indexed", "answered")}
        pairs = list(zip(answers, starts[AS_DEPLOYED], strict=True))
        ratios[name] = {what: Spread.of([one[what] / other[what] for one, other in pairs]) for what in spreads}
        cells = [(spreads[what].median * 1000, ratios[name][what].median) for what in spreads]
        rows.append((name, *cells[0], *cells[1]))
    return Report(
        {
            "bytes": sizes,
            "largest_bytes": dict(largest),
            "built_in_seconds": round(took, 1),
            "start_to_as_deployed": {
                name: {what: spread.figures(2) for what, spread in by.items()} for name, by in ratios.items()
            },
        },
        [
            Sheet(
                f"A worker starts, {ROUNDS} rounds, medians",
                ("package", "indexed ms", "÷ as deployed", "first answer ms", "÷ as deployed"),
                rows,
            ),
            Sheet("Size", ("part", "MB"), [(name, size / 1e6) for name, size in [*sizes.items(), *largest]]),
        ],
        ["The first answer is /api/health's, which says that there is no storage: what it imports is what counts."],
    )


def _starts(folders: dict[str, Path], empty: Path) -> dict[str, list[dict[str, float]]]:
    """In turn, so that what else the machine does meets all alike."""
    starts: dict[str, list[dict[str, float]]] = {name: [] for name in folders}
    for round_ in range(ROUNDS + 1):
        for name, folder in folders.items():
            command = [sys.executable, "-I", "-S", "-B", str(ALONE), str(folder), "start"]
            said = json.loads(subprocess.run(command, cwd=empty, env={}, check=True, capture_output=True).stdout)
            if round_:  # the first is for the disk's cache
                starts[name].append({what: said[f"{what}_seconds"] for what in ("indexed", "answered")})
    return starts
