"""What the app may do in Azure: the reviewed lists of this folder, which the deployment reads as well."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).parent

Mode = Literal["audit", "enforce"]


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a custom role. `shown_by` is the scenario of tests/rights/scenarios.py that fails without it; None
    when none does. `audit`: wanted by an app that only looks, too."""

    action: str
    why: str
    shown_by: str | None
    audit: bool
    covers: tuple["Action", ...] = ()
    """Of a pattern, which stands for anything where it has `*`: what is called by it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A built-in role that the deployment, or a person, gives at one scope."""

    who: Literal["app", "deployer", "topics"]
    role: str
    guid: str
    scope: str
    when: str
    why: str


def _read(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return [_named(row) for row in found]


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """`for` is a keyword of Python."""
    return {("why" if key == "for" else key): value for key, value in row.items()}


def _action(row: Mapping[str, Any]) -> Action:
    return Action(**{**_named(row), "covers": tuple(_action(each) for each in row.get("covers", ()))})


ACTIONS = tuple(_action(row) for row in _read("actions.json"))
"""Of the custom role in each monitored subscription."""
WORKSPACE_ACTIONS = tuple(_action(row) for row in _read("workspace-actions.json"))
"""Of the custom role at each workspace that a profile's vaults send their jobs to."""
GRANTS = tuple(Grant(**row) for row in _read("app.json"))

ASSIGN_ROLES = (FOLDER / "assign-roles.condition").read_text(encoding="utf-8")
"""When the app may give and take roles in a monitored subscription; `{appPrincipalId}` stands for its own id."""
ASSIGN_CONTRIBUTOR = (FOLDER / "assign-contributor.condition").read_text(encoding="utf-8")
"""The same, in a snapshot group alone."""


def actions(mode: Mode) -> tuple[str, ...]:
    """What the custom role of a monitored subscription gives."""
    return tuple(each.action for each in ACTIONS if mode == "enforce" or each.audit)


def called(listed: Iterable[Action]) -> tuple[Action, ...]:
    """What the app asks Azure for: a pattern gives way to what it covers."""
    return tuple(each for row in listed for each in row.covers or (row,))
