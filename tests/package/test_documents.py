"""What the documents say is there: links, commands, parameters, values of the azd environment, headings, sums."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from cli.__main__ import app
from infra.costs import ASSUMED, MEASURED, PRICES, bill, page
from infra.package import CHECKOUT
from tests.infra.bicep_syntax import Constant, Expression, Text
from tests.infra.infra_folder import InfraFolder

DOCUMENTS = [
    *(CHECKOUT / "docs").rglob("*.md"),
    *(CHECKOUT / name for name in ("README.md", "CHANGELOG.md", "simulator/README.md", "functions_host/README.md")),
    *(CHECKOUT / "infra").rglob("*.md"),
]
BY_NAME = {path.relative_to(CHECKOUT).as_posix(): path for path in DOCUMENTS}


def written(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(path: Path) -> str:
    """Without blocks of code, where a bracket is no link and a # no heading."""
    return re.sub(r"(?ms)^```.*?^```", "", written(path))


def anchors(path: Path) -> set[str]:
    """As GitHub makes them of headings."""
    titles = re.findall(r"(?m)^#+ (.+?)\s*$", prose(path))
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).lower()) for title in titles]
    return {title.replace(" ", "-") for title in plain}


def parameter_table() -> str:
    """The parameters of main.bicep with the variables that azd reads them from."""
    infra = InfraFolder(CHECKOUT / "infra")
    given = json.loads(written(infra.path / "main.parameters.json"))["parameters"]
    rows = ["| parameter | variable | default | meaning |", "|---|---|---|---|"]
    for parameter in infra.main.parameters:
        variable = re.match(r"\$\{(\w+)", str(given.get(parameter.name, {}).get("value", "")))
        named = f"`{variable[1]}`" if variable else ""
        rows.append(f"| `{parameter.name}` | {named} | {default_of(parameter.default)} | {parameter.description} |")
    return "\n".join(rows)


def default_of(default: Expression | None) -> str:
    if isinstance(default, Text):
        return f"`{default.literal}`" if default.literal else "empty"
    if isinstance(default, Constant):
        return f"`{json.dumps(default.value)}`"
    return "needed"


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_links_lead_somewhere(name: str) -> None:
    path = BY_NAME[name]
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, heading = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (heading and there.suffix == ".md" and heading not in anchors(there)):
            wrong.append(target)
    assert wrong == []


def test_commands_of_the_terminal_exist() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group
    wrong = []
    for name, path in BY_NAME.items():
        for command, rest in re.findall(r"aks-backup-guard ([a-z][a-z-]+)([^`\n|]*)", written(path)):
            if command not in commands:
                if re.search(
                    rf"`[^`\n]*aks-backup-guard {command}|^\S*aks-backup-guard {command}", written(path), re.M
                ):
                    wrong.append(f"{name}: {command}")
                continue
            known = {option for each in commands[command].params for option in each.opts}
            wrong += [f"{name}: {command} {option}" for option in re.findall(r"--[a-z-]+", rest) if option not in known]
    assert wrong == []


def test_other_commands_exist() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", written(CHECKOUT / "Makefile")))
    wrong = []
    for name, path in BY_NAME.items():
        text = written(path)
        wrong += [f"{name}: make {target}" for target in re.findall(r"`make ([a-z]+)|^make ([a-z]+)", text, re.M)
                  if "".join(target) not in targets]  # fmt: skip
        for module in re.findall(r"python -m ([a-z_.]+)", text):
            at = CHECKOUT / module.replace(".", "/")
            if not at.with_suffix(".py").is_file() and not (at / "__main__.py").is_file():
                wrong.append(f"{name}: python -m {module}")
        for hook in re.findall(r"azd hooks run ([a-z]+)|infra\.hooks ([a-z]+)", text):
            if "".join(hook) not in written(CHECKOUT / "azure.yaml"):
                wrong.append(f"{name}: hook {''.join(hook)}")
    assert wrong == []


def test_the_table_of_parameters_is_that_of_the_template() -> None:
    table = parameter_table()
    assert table in written(BY_NAME["docs/deploy.md"]), f"docs/deploy.md, Parameters, should say:\n{table}"


def test_values_of_the_azd_environment_are_read_by_somebody() -> None:
    read = set(re.findall(r"\$\{(\w+)", written(CHECKOUT / "infra" / "main.parameters.json")))
    for hook in (CHECKOUT / "infra" / "hooks").glob("*.py"):
        read |= set(re.findall(r"\"([A-Z][A-Z_]+)\"", written(hook)))
    read |= set(re.findall(r"GUARD_CONFIGURATION", written(CHECKOUT / "infra" / "package.py")))
    named = {
        (name, variable)
        for name, path in BY_NAME.items()
        for variable in re.findall(r"(?<![A-Z_])((?:GUARD|AUTH)_[A-Z_]+[A-Z])", written(path))
    }
    assert {("docs/deploy.md", "GUARD_MODE"), ("docs/deploy.md", "GUARD_REGIONS")} <= named
    assert sorted(f"{name}: {variable}" for name, variable in named if variable not in read) == []


def test_what_only_the_hooks_read_is_in_the_guide() -> None:
    of_template = set(re.findall(r"\$\{(\w+)", written(CHECKOUT / "infra" / "main.parameters.json")))
    of_hooks = set(re.findall(r"\"(GUARD_[A-Z_]+)\"", written(CHECKOUT / "infra" / "hooks" / "installation.py")))
    told = set(re.findall(r"(?m)^\| `(GUARD_[A-Z_]+)` \|", written(BY_NAME["docs/deploy.md"])))
    assert told == of_hooks - of_template


def test_every_alert_of_the_apps_own_has_its_heading() -> None:
    linked: set[str] = set()
    for path in (CHECKOUT / "infra" / "health").glob("*.bicep"):
        linked |= set(re.findall(r"docs/operations\.md#([a-z-]+)", written(path)))
        linked |= set(re.findall(r"(?m)^\s*heading: '([a-z-]+)'", written(path)))
    assert {"poison-messages", "dead-letters", "no-sweep-for-a-day"} <= linked
    assert linked <= anchors(BY_NAME["docs/operations.md"])


def test_the_page_of_costs_is_as_reckoned() -> None:
    assert written(BY_NAME["docs/costs.md"]) == page(json.loads(written(MEASURED))), (
        "python -m infra.costs > docs/costs.md"
    )


def test_a_bill_that_can_be_checked_by_hand() -> None:
    measured = {
        "clusters": 10,
        "events_a_cluster": 2,
        "executions": {
            "cluster_events": {"count": 20, "seconds": 0},
            "reconcile": {"count": 80, "seconds": 160},
            "job_watch": {"count": 100, "seconds": 50},
        },
        "calls": {"arm": 300, "tables": 400, "queues": 100},
    }
    prices = dict.fromkeys(PRICES, 1.0)
    given = {name: value for name, (value, _) in ASSUMED.items()} | {
        **{"clusters": 20, "subscriptions": 3, "days": 10, "memory_gb": 4, "always_ready": 2, "backups": 1},
        **{"least_seconds": 0, "storage_seconds": 0.1, "rows_an_execution": 2, "log_kb": 1000, "metric_rows": 40},
        **{"query_rule_count": 5, "metric_rules": 2},
    }
    amounts = {line.what: line.amount for line in bill(measured, prices, given)}
    executions = 10 * (2 * 20 + 2 * 80 + 100 + 20)
    assert amounts == pytest.approx(
        {
            "executions": executions / 1e6,
            "time on demand": 10 * (2 * 160 + 50 + 2 * 500 * 0.1) * 4,
            "always-ready instances": 2 * 10 * 86400 * 4,
            "storage calls": 10 * 2 * 500 / 1e4,
            "Event Grid": 2 * 10 * (20 * 2 + 20) / 1e6,
            "Log Analytics": (executions * 2 + 10 * 2 * 300 + 10 * 40) * 1000 / 1e6,
            "alert rules": 5 + 2 * 4,
        }
    )
    by_the_second = {line.what: line.amount for line in bill(measured, prices, {**given, "least_seconds": 3})}
    assert by_the_second["time on demand"] == pytest.approx(amounts["time on demand"] + executions * 3 * 4)


def test_the_bill_with_prices_of_ones_own() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infra.costs", *arguments]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    free = [f"--price={name}=0" for name in PRICES]
    costly = run(*free, "--price=executions=1000000").stdout.splitlines()
    assert [line for line in costly if " 0.00 " not in line] == [costly[0], costly[-1]]
    assert "0.00   USD a month, 42 clusters" in run(*free, "--clusters=42").stdout.splitlines()[-1]
    assert run("--price=beer=1").returncode == 2
    assert run("--assume=days=many").returncode == 2
    assert run("--clusters=-5").returncode == run("--clusters=nan").returncode == 2
