"""The story's end: the whole fleet is judged, people break what was set up, and the next sweep finds it and has it put
back."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from demo import azure_now, rest
from demo.azure_now import AzureNow
from demo.fleet import ELIGIBLE, FLEET, Member
from demo.live import View
from demo.operator import DATA_PROTECTION, ROLES
from demo.scenario import StuckError
from demo.stack import Stack, is_change

_LONGEST = 150.0
_SWEEP_EVERY = 3.0
"""Seconds on the wall between two sweeps. Its schedule is daily, so the story runs it."""
_READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
LOST_A_ROLE, SUSPENDED, NARROWED = (
    next(member for member in ELIGIBLE if member.name == name) for name in ("web", "orders", "nightly")
)
"""What people break, one thing at each."""
BROKEN = (
    (LOST_A_ROLE, "somebody deletes the vault's role on it"),
    (SUSPENDED, "somebody suspends its backups"),
    (NARROWED, "somebody narrows its backup to one namespace"),
)


@dataclass(frozen=True, slots=True)
class Swept:
    """What was seen: the first sweep and the last, everything set up before the breaking and after the repair, and
    the Guard's own changing calls between the two."""

    first: dict[str, Any]
    last: dict[str, Any]
    before: AzureNow
    after: AzureNow
    repairs: tuple[str, ...]
    dashboard: rest.Answer


def play_sweep(stack: Stack, view: View) -> Swept:
    """Needs a fleet at rest. Raises StuckError."""
    story = _SweepStory(stack, view)
    first = story.the_fleet_is_judged()
    before = story.setting()
    calls = len(stack.calls())
    story.people_break_things()
    story.the_sweep_has_them_put_back()
    repairs = tuple(_change(call) for call in stack.calls()[calls:] if is_change(call))
    last = story.the_fleet_is_judged_again()
    return Swept(first, last, before, story.setting(), repairs, rest.call("GET", f"{stack.api}/api/dashboard"))


class _SweepStory:
    def __init__(self, stack: Stack, view: View) -> None:
        self._stack, self._view = stack, view
        self._known = ""
        self._swept = 0.0

    def the_fleet_is_judged(self) -> dict[str, Any]:
        """A sweep that sees all that is so: Resource Graph is a minute of Azure's behind."""
        found = self._sweep_until(
            lambda sweep: sweep["overall"]["clusters"] == len(FLEET) and sweep["overall"]["yes"] == len(ELIGIBLE),
            "every protected cluster to count as restorable",
        )
        tally = found["overall"]
        self._view.say(
            f"The fleet is judged in {found['calls']} calls: [b]{tally['yes']} of {tally['clusters']} clusters could "
            f"be restored today[/], {tally['no']} could not, {tally['exempt']} exempt, score {tally['score']:.0f}."
        )
        return found

    def people_break_things(self) -> None:
        self._delete_a_role(self._id(LOST_A_ROLE))
        self._stack.operator.post(f"{self._instance(SUSPENDED)}/suspendBackups", DATA_PROTECTION, {})
        self._narrow(self._instance(NARROWED))
        for member, what in BROKEN:
            self._view.say(f"[b]{member.name}[/]: {what}.")

    def the_sweep_has_them_put_back(self) -> None:
        self._sweep_until(lambda sweep: sweep["repairs"]["asked"] >= len(BROKEN), "a sweep to find all of it")
        self._view.say("A sweep finds all three and asks the loop to look at those clusters.")
        self._until(self._all_put_back, "the Guard to put it back")
        self._view.say("Each is as its profile says again.")

    def the_fleet_is_judged_again(self) -> dict[str, Any]:
        found = self._sweep_until(
            lambda sweep: sweep["overall"]["yes"] == len(ELIGIBLE) and sweep["changes"] > 0, "the verdicts to turn"
        )
        self._view.say("The next sweep says so, and the history of these clusters has both turns.")
        return found

    def setting(self) -> AzureNow:
        return azure_now.read(self._stack.operator, self._stack.subscription)

    def _all_put_back(self) -> bool:
        role = bool(self._roles_of_the_vault(self._id(LOST_A_ROLE)))
        resumed = self._properties(SUSPENDED)["currentProtectionState"] == "ProtectionConfigured"
        narrowed = _scope_of(self._properties(NARROWED))["includedNamespaces"] == ["default"]
        return role and resumed and not narrowed

    def _delete_a_role(self, cluster: str) -> None:
        for found in self._roles_of_the_vault(cluster):
            self._stack.operator.delete(found["id"], ROLES)

    def _roles_of_the_vault(self, cluster: str) -> list[dict[str, Any]]:
        path = f"{cluster}/providers/Microsoft.Authorization/roleAssignments"
        return [
            found
            for found in self._stack.operator.list(path, ROLES)
            if found["properties"]["scope"].lower() == cluster
            and found["properties"]["roleDefinitionId"].endswith(_READER)
        ]

    def _narrow(self, instance: str) -> None:
        body = copy.deepcopy(self._stack.operator.get(instance, DATA_PROTECTION))
        _scope_of(body["properties"])["includedNamespaces"] = ["default"]
        wanted = ("objectType", "friendlyName", "dataSourceInfo", "dataSourceSetInfo", "policyInfo")
        properties = {name: body["properties"][name] for name in wanted if name in body["properties"]}
        self._stack.operator.put(instance, DATA_PROTECTION, {"properties": properties})

    def _properties(self, member: Member) -> dict[str, Any]:
        found: dict[str, Any] = self._stack.operator.get(self._instance(member), DATA_PROTECTION)["properties"]
        return found

    def _instance(self, member: Member) -> str:
        path = f"{self._id(member)}/providers/Microsoft.DataProtection/backupInstances"
        return str(next(self._stack.operator.list(path, DATA_PROTECTION))["id"])

    def _id(self, member: Member) -> str:
        return member.arm_id(self._stack.subscription)

    def _sweep_until(self, seen: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """Sweeps until one has seen it; that one."""
        found: list[dict[str, Any]] = []

        def happened() -> bool:
            if time.monotonic() - self._swept > _SWEEP_EVERY:
                self._swept = time.monotonic()
                self._stack.run_timer("compliance_sweep")
            sweep = rest.call("GET", f"{self._stack.api}/api/v1/sweeps/latest")
            if sweep.status == 200 and sweep.body["sweepId"] != self._known:
                self._known = sweep.body["sweepId"]
                found.append(sweep.body)
                return seen(sweep.body)
            return False

        self._until(happened, what, lambda: f"the last sweep said {found[-1]['overall']}" if found else "no sweep")
        return found[-1]

    def _until(self, happened: Callable[[], bool], what: str, now: Callable[[], str] = str) -> None:
        began = time.monotonic()
        while not happened():
            if time.monotonic() - began > _LONGEST:
                raise StuckError(f"waited {_LONGEST:.0f} s for {what}; {now()}")
            time.sleep(0.25)


def _scope_of(properties: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = properties["policyInfo"]["policyParameters"]["backupDatasourceParametersList"][0]
    return found


def _change(call: dict[str, Any]) -> str:
    return f"{call['method']} {str(call['path']).lower()}"
