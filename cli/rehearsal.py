"""What the loop would do, step by step: its own look at the real Azure, and each step imagined instead of sent."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

from cli.imagined import Imagination, ImaginingReader
from cli.memory import MemoryRecords, MemoryRollouts, NoHold
from shared.arm.client import ArmClient
from shared.domain.conditions import Condition
from shared.domain.facts import UNOBSERVED, Absent, Unobserved, value_of
from shared.domain.ids import ClusterId, RegionId
from shared.domain.observed import ObservedCluster, ObservedRegion
from shared.domain.profile import Configuration
from shared.domain.record import Record
from shared.domain.steps import Step
from shared.look import Look, look_at_cluster, look_at_region
from shared.observe.reader import ArmReader
from shared.plan.cluster import region_of
from shared.world import World

_MOST_ROUNDS = 30
"""Looks at one subject; a cluster from nothing takes about six."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would be done to one cluster or region, in order. `in_the_way` are the conditions that a person must act on
    or that Azure must end; `unread` says why it cannot be told."""

    subject: ClusterId | RegionId
    name: str
    profile: str
    mode: str
    steps: tuple[Step, ...] = ()
    in_the_way: tuple[Condition, ...] = ()
    left_alone: str = ""
    unread: str = ""
    gone: bool = False
    """There is no such cluster."""
    identities: Mapping[str, str] = field(default_factory=dict)
    """Whose the principal ids in the steps are."""


class StillClock:
    """One moment for a whole rehearsal: what was read in it is not read again."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


class Rehearsals:
    """Over one fleet. A cluster whose profile audits is rehearsed as if the profile enforced; one that enforces beside
    it is rehearsed by the configuration as it stands."""

    def __init__(
        self, arm: ArmClient, configuration: Configuration, *, scale: float = 1.0, now: datetime | None = None
    ) -> None:
        self._clock = StillClock(now or datetime.now(UTC))
        self._configuration = configuration
        enforcing = {name: replace(profile, mode="enforce") for name, profile in configuration.profiles.items()}
        by_mode = {"enforce": configuration, "audit": replace(configuration, profiles=enforcing)}
        reader = ArmReader(arm, self._clock)
        self._worlds = {mode: self._world(reader, known, scale) for mode, known in by_mode.items()}
        self._imaginations = {mode: Imagination(known, self._worlds[mode].moment) for mode, known in by_mode.items()}
        for mode, world in self._worlds.items():
            imagining = ImaginingReader(reader, self._imaginations[mode], world.moment)
            self._worlds[mode] = replace(world, reader=imagining)
        self._regions: dict[tuple[str, RegionId], asyncio.Task[Rehearsed]] = {}

    async def cluster(self, cluster: ClusterId) -> Rehearsed:
        """Raises GuardError when the emergency stop or such cannot be read; single reads are in the answer."""
        record = Record(cluster, self._clock.now(), ObservedCluster())
        look = await look_at_cluster(record, self._worlds["audit"])
        name = _name_of(look)
        if look.profile is None:
            return _left(cluster, name, look)
        profile = self._configuration.profiles[look.profile.name]
        region = region_of(look.record, profile)
        world = self._worlds[profile.mode]
        if look.plan.wakes is not None:
            await self._region(profile.mode, region)
        steps, look = await self._played(look.record, profile.mode)
        return Rehearsed(
            cluster,
            name,
            profile.name,
            profile.mode,
            steps,
            _in_the_way(look),
            unread=_unread(look),
            identities=_identities(look.record, await world.records.get(region)),
        )

    async def regions(self) -> Mapping[tuple[str, RegionId], Rehearsed]:
        """Those the clusters so far share, by the mode of who needs them. What an enforcing profile makes anyway is
        not listed once more for an audited one."""
        done = {key: await task for key, task in sorted(self._regions.items(), key=lambda item: item[0][1].key)}
        for (mode, region), found in list(done.items()):
            acting = done.get(("enforce", region))
            if mode == "audit" and acting is not None:
                known = {step.key for step in acting.steps}
                done[mode, region] = replace(found, steps=tuple(s for s in found.steps if s.key not in known))
        return done

    async def _region(self, mode: str, region: RegionId) -> Rehearsed:
        key = (mode, region)
        if key not in self._regions:
            self._regions[key] = asyncio.create_task(self._played_region(mode, region))
        return await self._regions[key]

    async def _played_region(self, mode: str, region: RegionId) -> Rehearsed:
        steps, look = await self._played(Record(region, self._clock.now(), ObservedRegion()), mode)
        conditions = {condition.type: condition for condition in look.plan.conditions}
        await self._worlds[mode].records.save(replace(look.record, conditions=conditions))
        name = f"{region.location} ({region.vault_class})"
        profile = look.profile.name if look.profile else ""
        return Rehearsed(
            region,
            name,
            profile,
            mode,
            steps,
            _in_the_way(look),
            unread=_unread(look),
            identities=_identities(look.record),
        )

    async def _played(self, record: Record, mode: str) -> tuple[tuple[Step, ...], Look]:
        """Look, imagine, look again, until nothing new is to be started."""
        world, imagination = self._worlds[mode], self._imaginations[mode]
        look_at = look_at_cluster if isinstance(record.subject, ClusterId) else look_at_region
        steps: dict[str, Step] = {}
        for _ in range(_MOST_ROUNDS):
            look = await look_at(record, world)
            record = look.record
            fresh = [step for step in look.plan.next_steps if step.key not in steps]
            if not fresh:
                break
            for step in fresh:
                steps[step.key] = step
                record = imagination.after(record, step)
        return tuple(steps.values()), look

    def _world(self, reader: ArmReader, configuration: Configuration, scale: float) -> World:
        """Only what a look needs; whatever else it might touch is not there."""
        given: dict[str, Any] = {
            "clock": self._clock,
            "reader": reader,
            "records": MemoryRecords(),
            "rollouts": MemoryRollouts(),
            "breaker": NoHold(),
            "configuration": configuration,
            "time_scale": scale,
        }
        defaults = {"lease_seconds", "pass_seconds", "stopped", "emergency_stop"}
        missing = {
            field.name: _NOT_HERE for field in fields(World) if field.name not in given | dict.fromkeys(defaults)
        }
        return World(**given, **missing)


class _NotHere:
    """A port that no look uses: an actor above all."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a rehearsal has no {name}: it changes nothing")


_NOT_HERE: Any = _NotHere()


def _name_of(look: Look) -> str:
    assert isinstance(look.record.subject, ClusterId)  # noqa: S101 - the caller looked at a cluster
    observed = look.record.observed
    there = isinstance(observed, ObservedCluster) and observed.cluster.kind == "present"
    return observed.cluster.value.name if there else look.record.subject.name  # type: ignore[union-attr]


def _left(cluster: ClusterId, name: str, look: Look) -> Rehearsed:
    said = look.plan.conditions[0]
    if isinstance(look.record.observed.cluster, Unobserved):  # type: ignore[union-attr]
        return Rehearsed(cluster, name, "", "", unread=said.message, in_the_way=(said,))
    person = (said,) if said.recommended_action else ()
    gone = isinstance(look.record.observed.cluster, Absent)  # type: ignore[union-attr]
    return Rehearsed(cluster, name, "", "", left_alone=said.message, in_the_way=person, gone=gone)


def _in_the_way(look: Look) -> tuple[Condition, ...]:
    """What is not true after all that can be done has been imagined; the summary only repeats it."""
    wrong = [c for c in look.plan.conditions if c.status != "True" and c.type != "Ready"]
    return tuple(c for c in wrong if c.recommended_action) or tuple(wrong[:1])


def _unread(look: Look) -> str:
    """Why something that the plan needs could not be read; empty when nothing is missing."""
    said = next((c.message for c in look.plan.conditions if c.reason == "Unobserved"), "")
    if not said:
        return ""
    observed = look.record.observed
    facts = {field.name: getattr(observed, field.name) for field in fields(observed)}
    failed = [
        f"{name.replace('_', ' ')}: {fact.reason}"
        for name, fact in facts.items()
        if isinstance(fact, Unobserved) and fact.reason != UNOBSERVED.reason
    ]
    return "; ".join(failed) or said


def _identities(*records: Record | None) -> dict[str, str]:
    named: dict[str | None, str] = {}
    for observed in (record.observed for record in records if record is not None):
        if isinstance(observed, ObservedCluster):
            cluster, extension = value_of(observed.cluster), value_of(observed.extension)
            named[cluster.identity_principal_id if cluster else None] = "the cluster's identity"
            named[extension.principal_id if extension else None] = "the backup extension's identity"
        vault = value_of(observed.vault)
        named[vault.principal_id if vault else None] = "the vault's identity"
    return {principal_id.lower(): whose for principal_id, whose in named.items() if principal_id}
