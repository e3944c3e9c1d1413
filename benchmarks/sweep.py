"""A sweep of 1,000, 10,000 and 100,000 protected clusters, beside Cloud Custodian listing and filtering the same."""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Report, Sheet
from benchmarks.simulated_fleet import PYTHON, SimulatedFleet, Used, simulated_fleet
from demo.processes import CHECKOUT

SIZES = (0, 1_000, 10_000, 100_000)
"""The empty fleet is what starting costs."""
MOST_CALLS, OF_CUSTODIAN, MOST_MB = 150, 0.1, 200
"""The goal, at 10,000 clusters."""
JUDGE, EXPORT, CUSTODIAN = "Guard, judged only", "Guard, sweep --output json", "Cloud Custodian"
_CUSTODIAN = CHECKOUT / ".tools" / "custodian" / "bin" / "python"
_CONFIGURATION = """
revision: 1
profiles:
  standard: { mode: audit, vault: { soft_delete: "On" } }
rules:
  - profile: standard
"""


def measure() -> Report:
    runs: dict[int, dict[str, Used]] = {}
    seeded: dict[int, float] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with simulated_fleet(size, folder / "simulator.log") as fleet:
                seeded[size] = fleet.seeded_seconds
                runs[size] = {client: run(fleet, folder) for client, run in _clients().items()}
    rows = [_row(client, size, runs) for client in _clients() for size in SIZES]
    return Report(
        {
            "goal_at_10000": {"calls": MOST_CALLS, "of_custodians_cpu": OF_CUSTODIAN, "rss_mb": MOST_MB},
            "at_10000": _at(10_000, runs),
            "runs": [
                _figures(client, size, used) for size, clients in runs.items() for client, used in clients.items()
            ],
            f"growth_{SIZES[-2]}_to_{SIZES[-1]}": _growth(*SIZES[-2:], runs),
            "seeded_seconds": {str(size): round(seconds, 1) for size, seconds in seeded.items()},
        },
        [
            Sheet(
                "A fleet looked at by one client process (a thousand clusters a subscription)",
                ("client", "clusters", "calls", "wall s", "CPU s", "CPU less start s", "RSS MB", "of Custodian's CPU"),
                rows,
            )
        ],
        [
            f"Goal at 10,000: at most {MOST_CALLS} calls, {OF_CUSTODIAN} of Custodian's CPU, under {MOST_MB} MB.",
            "CPU and memory are the client process's own; the simulator's time is in the wall time only.",
            "Azure lets 15 questions pass in 5 s: so many calls of ours take at least calls ÷ 3 seconds there.",
            *([] if _CUSTODIAN.exists() else ["Cloud Custodian is not installed: make .tools/custodian/ready."]),
        ],
    )


def _clients() -> dict[str, Callable[[SimulatedFleet, Path], Used]]:
    ours: dict[str, Callable[[SimulatedFleet, Path], Used]] = {JUDGE: _judge, EXPORT: _export}
    return ours | ({CUSTODIAN: _custodian} if _CUSTODIAN.exists() else {})


def _judge(fleet: SimulatedFleet, folder: Path) -> Used:
    used = fleet.run((PYTHON, "-m", "benchmarks.judge_only"), fleet.guard() | _configured(folder))
    found: dict[str, Any] = json.loads(used.out)
    assert found["clusters"] == fleet.clusters, found
    return used


def _export(fleet: SimulatedFleet, folder: Path) -> Used:
    result = folder / "sweep.json"
    command = (PYTHON, "-m", "cli", "sweep", "--output", "json", "--out", str(result))
    return fleet.run(command, fleet.guard() | _configured(folder))


def _configured(folder: Path) -> dict[str, str]:
    path = folder / "guard.yaml"
    path.write_text(_CONFIGURATION, encoding="utf-8")
    return {"AKS_BACKUP_GUARD_CONFIGURATION": str(path)}


def _custodian(fleet: SimulatedFleet, folder: Path) -> Used:
    named = folder / "subscriptions"
    named.write_text("\n".join(fleet.subscriptions), encoding="utf-8")
    here = Path(__file__).parent / "custodian"
    command = (str(_CUSTODIAN), str(here / "launcher.py"), str(here / "policy.yml"), fleet.endpoints["arm"], str(named))
    output = str(folder / "custodian")
    used = fleet.run((*command, output), {"AZURE_ACCESS_TOKEN": fleet.token(), "HOME": str(folder)})
    found = json.loads(used.out.splitlines()[-1])
    assert found["matched"] == 0, found
    assert found["subscriptions"] == len(fleet.subscriptions), found
    return used


def _row(client: str, size: int, runs: dict[int, dict[str, Used]]) -> Sequence[str | float]:
    used, start = runs[size][client], runs[0][client]
    theirs = runs[size].get(CUSTODIAN)
    ratio: str | float = "" if theirs is None or client == CUSTODIAN else used.cpu / theirs.cpu
    return (client, size, used.calls, used.wall, used.cpu, used.cpu - start.cpu, used.rss_mb, ratio)


def _figures(client: str, size: int, used: Used) -> dict[str, Any]:
    return {
        "client": client,
        "clusters": size,
        "calls": used.calls,
        "answered_429": used.refused,
        "wall_seconds": round(used.wall, 2),
        "cpu_seconds": round(used.cpu, 2),
        "peak_rss_mb": round(used.rss_mb, 1),
    }


def _at(size: int, runs: dict[int, dict[str, Used]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for client in (JUDGE, EXPORT):
        used, start = runs[size][client], runs[0][client]
        found[client] = {"calls": used.calls, "peak_rss_mb": round(used.rss_mb, 1)}
        if CUSTODIAN in runs[size]:
            theirs, began = runs[size][CUSTODIAN], runs[0][CUSTODIAN]
            found[client]["of_custodians_cpu"] = round(used.cpu / theirs.cpu, 3)
            found[client]["of_custodians_cpu_less_start"] = round((used.cpu - start.cpu) / (theirs.cpu - began.cpu), 3)
    return found


def _growth(small: int, large: int, runs: dict[int, dict[str, Used]]) -> dict[str, Any]:
    """Times ten clusters: so many times the calls, the CPU and the memory."""
    return {
        client: {
            "calls": round(runs[large][client].calls / runs[small][client].calls, 2),
            "cpu": round(runs[large][client].cpu / runs[small][client].cpu, 2),
            "rss": round(runs[large][client].rss_mb / runs[small][client].rss_mb, 2),
        }
        for client in runs[small]
    }
