"""Telling after a look, and hosts that die while they tell: at every moment, once and twice."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.alerts import Announcement, in_order
from shared.domain.conditions import EXTENSION_READY, READY, Condition, Status
from shared.domain.destinations import TOPIC
from shared.domain.ids import ClusterId
from shared.domain.jobs import ClusterHistory, EndedJob, JobIssue
from shared.domain.observed import ObservedCluster
from shared.domain.profile import Notifications
from shared.domain.record import Record
from shared.look import Look
from shared.plan.parts import Plan
from shared.tell import judged, tell
from shared.wake import saved
from shared.world import World
from tests.fakes.announcements import NOON, VAULT, about
from tests.fakes.storage import FakeRecords
from tests.virtual.post import PLATFORM, Killed, Mortal, Post

CLUSTER = ClusterId.parse(about().subject)
HOUR = timedelta(hours=1)
DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
FAILED, CLEAN, NO_JOB = "failed", "completed", ""

type Fact = tuple[str, Status]
"""What a look finds: the status of a job that has ended since the last one, and how the extension is."""

LIVES: dict[str, Sequence[Fact]] = {
    "a job fails": [(FAILED, "True")],
    "a job fails, the next is clean": [(FAILED, "True"), (CLEAN, "True")],
    "one failure after the other": [(FAILED, "True")] * 4,
    "over, and back": [(FAILED, "True"), (CLEAN, "True"), (FAILED, "True"), (CLEAN, "True")],
    "a condition comes and goes": [(NO_JOB, "False"), (NO_JOB, "True"), (NO_JOB, "False"), (NO_JOB, "True")],
    "a condition goes and comes": [(NO_JOB, "False"), (NO_JOB, "True"), (NO_JOB, "False")],
}


class Telling:
    """One cluster whose looks find one fact after another, an hour apart. `deaths` are the moments of telling (counted
    from the death before) at which a host dies."""

    def __init__(self, *deaths: int) -> None:
        self.post, self.records = Post(Notifications((PLATFORM,))), FakeRecords()
        self.records.put(Record(CLUSTER, NOON, ObservedCluster()))
        self.died = 0
        self._deaths = list(deaths)
        self._jobs: list[EndedJob] = []
        self._extension: Status = "True"
        self._since = NOON - HOUR
        self._next_death()

    async def live(self, facts: Sequence[Fact], *, at_once: bool) -> "Telling":
        """`at_once`: a pass that died is had again before the next fact, else only with it."""
        for job, extension in facts:
            self.post.clock.advance(3600)
            if job:
                self._jobs.append(_job(len(self._jobs), job, self.post.clock.now()))
            if extension != self._extension:
                self._extension, self._since = extension, self.post.clock.now() - HOUR
            done = await self._pass()
            while at_once and not done:
                done = await self._pass()
        while not await self._pass():
            continue
        return self

    async def _pass(self) -> bool:
        """As the loop does after a look."""
        self.post.clock.advance(60)
        conditions = {
            READY: Condition(READY, "True", "Protected", "It is protected.", NOON),
            EXTENSION_READY: Condition(EXTENSION_READY, self._extension, "Odd", "Odd.", self._since, "Mend it."),
        }
        record = replace(self.record, conditions=conditions)
        look = Look(record, Plan(), None, ClusterHistory(tuple(self._jobs)))
        host = self.host()
        try:
            record = await tell(record, look, host)
            record = await judged(record, look, host)
            record = await tell(record, look, host)
            await saved(record, host)
        except Killed:
            self.died += 1
            self._next_death()
            return False
        return True

    def host(self) -> World:
        records: Any = Mortal(self.records, self.post._moment)
        return replace(self.post.host(), records=records)

    @property
    def record(self) -> Record:
        return self.records.now_of(CLUSTER.key)

    def _next_death(self) -> None:
        self.post.kill_at = len(self.post.moments) + self._deaths.pop(0) if self._deaths else 0

    async def told(self) -> Sequence[Announcement]:
        return in_order(await self.post.outbox.pending(TOPIC))

    async def keys(self) -> set[str]:
        return {announcement.key for announcement in await self.told()}


def _job(number: int, status: str, ended_at: datetime) -> EndedJob:
    issue = JobIssue("UserErrorHookExecutionFailed", "The command returned 1.", "", "shop/Pod/database-0")
    return EndedJob(
        arm_id=f"{VAULT}/backupJobs/{number}",
        cluster=CLUSTER,
        instance_id=f"{VAULT}/backupInstances/shop",
        operation="Backup",
        status=status,
        user_triggered=False,
        started_at=NOON,
        ended_at=ended_at,
        errors=(issue,) if status == FAILED else (),
        detailed=True,
    )


def deaths_from(first: int) -> Sequence[tuple[int, ...]]:
    """One alone, and another soon after it."""
    seconds = range(1, 16) if DEEP else (1 + first % 15,)
    return [(first,), *((first, second) for second in seconds)]


def complete(told: Sequence[Announcement]) -> bool:
    """Whether every episode that was told to open is told to be over, but for a last one that lasts."""
    opened = [(a.alert.id, a.alert.episode) for a in told if a.kind == "Opened"]
    over = [(a.alert.id, a.alert.episode) for a in told if a.kind == "Resolved"]
    return len(set(over)) == len(over) and set(over) <= set(opened) and len(set(opened) - set(over)) <= 1


@pytest.mark.parametrize("name", LIVES)
async def test_a_death_while_telling_loses_nothing_and_tells_nothing_else(name: str) -> None:
    whole = await Telling().live(LIVES[name], at_once=True)
    keys, moments = await whole.keys(), len(whole.post.moments)
    assert {key.rsplit(":", 1)[-1] for key in keys} >= {"opened"}
    for first in range(1, moments + 1):
        for deaths in deaths_from(first):
            life = await Telling(*deaths).live(LIVES[name], at_once=True)
            assert life.died
            assert await life.keys() == keys, deaths
            assert life.record.alerts.keys() == whole.record.alerts.keys()


@pytest.mark.parametrize("name", LIVES)
async def test_what_changes_before_the_next_pass_leaves_nobody_with_half_a_story(name: str) -> None:
    whole = await Telling().live(LIVES[name], at_once=False)
    lasting = {alert.id for alert in whole.record.alerts.values() if alert.state == "Open"}
    for first in range(1, len(whole.post.moments) + 1):
        for deaths in deaths_from(first):
            life = await Telling(*deaths).live(LIVES[name], at_once=False)
            told = await life.told()
            assert complete(told), (deaths, [a.key for a in told])
            ends = {a.alert.id: a.kind for a in told}
            assert {id for id, kind in ends.items() if kind != "Resolved"} == lasting, deaths


async def test_news_is_kept_until_what_follows_from_it_is_written_down() -> None:
    life = Telling()
    record = replace(life.record, news_at=NOON)
    look = Look(record, Plan(), None, ClusterHistory((_job(1, FAILED, NOON),)))
    assert (await judged(record, replace(look, history=None), life.host())).news_at == NOON
    assert (await judged(record, look, life.host())).news_at is None
    assert life.record.news_at is None
    assert [alert.state for alert in life.record.alerts.values()] == ["Open"]


async def test_what_was_written_down_is_told_although_the_look_comes_to_nothing() -> None:
    life = Telling()
    look = Look(life.record, Plan(), None, ClusterHistory((_job(1, FAILED, NOON),)))
    record = await judged(life.record, look, life.host())
    assert not await life.told()
    record = await tell(record, Look(record, Plan()), life.host())
    assert [announcement.kind for announcement in await life.told()] == ["Opened"]
    assert record.untold == ()
    assert [alert.state for alert in life.post.book.all_now()] == ["Open"]
