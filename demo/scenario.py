"""The story: a fleet appears, the host dies in the middle, and everything is protected all the same."""

import time
from collections.abc import Callable

from demo import by_hand
from demo.fleet import BY_HAND, FLEET, SLOW_ROLES, STOPPED, WORKSPACE, Member
from demo.live import Fleet, View
from demo.operator import CLUSTERS
from demo.stack import Stack

_LONGEST = 150.0
"""Seconds on the wall that any part of the story may take."""
_TIMER = 300.0
"""Azure's seconds between two runs of the timer. Its schedule goes by the wall's clock, so the story runs it."""
_SLOW = 600.0
"""Azure's seconds that the roles of one cluster need to act."""


class StuckError(RuntimeError):
    """Something that should have happened did not."""


def play(stack: Stack, view: View) -> None:
    """Needs a stack without a host; leaves it with one. Raises StuckError."""
    story = _Story(stack, view)
    story.a_person_protects_a_cluster()
    story.the_guard_starts()
    story.the_fleet_appears()
    story.the_host_is_killed()
    story.a_cluster_is_started()
    story.everything_comes_to_rest()


class _Story:
    def __init__(self, stack: Stack, view: View) -> None:
        self._stack, self._view = stack, view
        self._names = {member.arm_id(stack.subscription): member.name for member in FLEET}

    def a_person_protects_a_cluster(self) -> None:
        self._view.say(f"A person protects the cluster [b]{BY_HAND.name}[/] by hand, in a vault of its own.")
        cluster = self._create(BY_HAND, settled=True)
        by_hand.protect(self._stack, cluster, BY_HAND.location)

    def the_guard_starts(self) -> None:
        self._stack.prepare_topic_and_logs(WORKSPACE)
        host = self._stack.start_host()
        self._stack.subscribe()
        self._view.say(
            f"The Guard runs in the Functions host (process {host.pid}); Event Grid has shaken hands with it."
        )

    def the_fleet_appears(self) -> None:
        orders = SLOW_ROLES.arm_id(self._stack.subscription)
        self._stack.control("POST", "timings", {"scope": orders, "role_propagation": _SLOW})
        for member in FLEET:
            if member is not BY_HAND:
                self._create(member)
        self._view.say(
            f"{len(FLEET) - 1} clusters are being created in three regions; nobody does anything from here on."
        )
        self._stack.run_timer("requeue_overdue")
        self._view.say(f"No event tells of [b]{BY_HAND.name}[/]: the timer finds it in the list of clusters.")

    def the_host_is_killed(self) -> None:
        self._until(lambda fleet: sum(_reason(fleet, m) == "Installing" for m in FLEET) >= 3, "extensions to install")
        port = self._stack.kill_host()
        self._view.say("[red]The host is killed with SIGKILL[/] while extensions install and roles are assigned.")
        time.sleep(1)
        host = self._stack.start_host(port=port)
        self._view.say(
            f"[green]The host is started again[/] (process {host.pid}); it knows only what was written down."
        )

    def a_cluster_is_started(self) -> None:
        self._until(lambda fleet: _reason(fleet, STOPPED) == "ClusterStopped", f"{STOPPED.name} to be seen as stopped")
        self._stack.operator.post(f"{STOPPED.arm_id(self._stack.subscription)}/start", CLUSTERS)
        self._view.say(f"A person starts [b]{STOPPED.name}[/]; the event wakes the Guard.")

    def everything_comes_to_rest(self) -> None:
        self._until(at_rest, "every cluster to be protected or left alone for good")
        self._view.say("Every cluster has come to rest.")

    def _create(self, member: Member, *, settled: bool = False) -> str:
        wanted = {"name": member.name, "resource_group": member.resource_group, "settled": settled, **member.overrides}
        return self._stack.create_clusters(member.location, **wanted)[0]

    def _until(self, happened: Callable[[Fleet], bool], what: str) -> None:
        began = timer_ran = time.monotonic()
        while True:
            if time.monotonic() - timer_ran > _TIMER / self._stack.pace.speed:
                timer_ran = time.monotonic()
                self._stack.run_timer("requeue_overdue")
            known = self._stack.tables.conditions()
            fleet = {name: known[arm_id] for arm_id, name in self._names.items() if arm_id in known}
            self._view.show(fleet)
            if happened(fleet):
                return
            if time.monotonic() - began > _LONGEST:
                raise StuckError(f"waited {_LONGEST:.0f} s for {what}")
            time.sleep(0.25)


def at_rest(fleet: Fleet) -> bool:
    """Whether each cluster is protected, or left alone for the reason it should be."""
    return all(_reason(fleet, member) == (member.left_alone or "Protected") for member in FLEET)


def _reason(fleet: Fleet, member: Member) -> str:
    ready = fleet.get(member.name, {}).get("Ready")
    return ready.reason if ready else ""
