"""The memory ladder over histories nobody thought of: jobs and kills that come twice, late, in any order; looks that
die before or after what they decided was kept."""

import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.facts import Fact, Present, Unobserved
from shared.domain.jobs import ClusterHistory, EndedJob, JobIssue, OutOfMemorySign
from shared.domain.observed import Cluster, Extension, Job, NodePool, ObservedCluster, ObservedRegion, RunningJob
from shared.domain.profile import MemoryLadder, ProtectionProfile, VaultSettings
from shared.domain.quantity import mebibytes
from shared.domain.record import ExtensionMemory, Record, Rung
from shared.domain.steps import Accepted, UpdateExtension
from shared.domain.time import Moment
from shared.plan.cluster import subject_of
from shared.plan.evidence import limit_of
from shared.plan.extension_memory import decided, memory_reads
from shared.plan.memory_part import memory_part
from shared.plan.outcomes import absorb, intended, remember
from shared.plan.subject import Subject
from tests.property.strategies import CLUSTER, REGION, VAULT, configuration_of

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODE = "UserErrorBackupPluginPodRestartedDuringBackup"
UPDATE_TAKES = 60.0


@dataclass
class World:
    """One cluster, its extension as Azure has it, and a record that only changes when a look is not killed."""

    profile: ProtectionProfile
    now: datetime = START
    limit: str = ""
    cpu: str = ""
    changed_at: datetime = START - timedelta(days=1)
    updating_until: datetime = START
    vm_size: str = "standard_d4s_v5"
    memory: dict[str, int] = field(default_factory=lambda: {"standard_d4s_v5": 16384})
    image: str = "one"
    record: Record = field(default_factory=lambda: Record(CLUSTER, START, ObservedCluster()))
    jobs: dict[str, EndedJob] = field(default_factory=dict)
    told: list[EndedJob | OutOfMemorySign] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    patches: int = 0
    runs: Literal["nothing", "a backup", "nobody knows"] = "nothing"

    def extension(self) -> Extension:
        state = "Updating" if self.now < self.updating_until else "Succeeded"
        return Extension(
            "e", "azure-aks-backup", state, "p", "c", "a", "g", "s", True, "", self.limit, self.cpu, "", self.changed_at
        )

    def cluster(self) -> Cluster:
        pools = (NodePool("system", self.vm_size, 3, self.image, takes_pods=True),)
        return Cluster(
            CLUSTER.arm_id, "shop", "westeurope", "uid", {}, "Running", "Succeeded", "1.33.5", "i", False, True, True,
            True, False, False, None, pools,
        )  # fmt: skip

    def history(self) -> ClusterHistory:
        return ClusterHistory(
            tuple(each for each in self.told if isinstance(each, EndedJob)),
            tuple(each for each in self.told if isinstance(each, OutOfMemorySign)),
        )

    def subject(self, record: Record) -> Subject:
        configuration = configuration_of(self.profile)
        region = Record(REGION, self.now, ObservedRegion())
        return subject_of(record, region, self.profile, configuration, Moment(self.now), self.history())

    def look(self, killed: Literal["", "before", "after"] = "") -> None:
        """Read, decide, plan, keep, act, keep; a killed one loses what it had not kept."""
        moment = Moment(self.now)
        observed = ObservedCluster(
            cluster=Present(self.cluster(), self.now),
            extension=Present(self.extension(), self.now),
            running_jobs=self.running_jobs(),
        )
        known = self.record.observed
        assert isinstance(known, ObservedCluster)
        observed = replace(observed, evidence=known.evidence)
        record = replace(self.record, observed=observed)
        asked = memory_reads(self.subject(record))
        evidence = observed.evidence
        if asked.evidence_id is not None:
            job = self.jobs[asked.evidence_id]
            codes = tuple(issue.code for issue in job.errors)
            found = Job(job.arm_id, job.status, False, job.started_at, job.ended_at, None, codes)
            evidence = Present(found, self.now)
        observed = replace(observed, evidence=evidence, node_memory=Present(self.memory, self.now))
        record = absorb(replace(record, observed=observed), moment)
        once = decided(self.subject(record))
        again = decided(self.subject(once)).memory  # it may take note of a further job, and decide nothing
        assert (again.limit, again.cpu, again.rungs) == (once.memory.limit, once.memory.cpu, once.memory.rungs)
        part = memory_part(self.subject(once))
        if killed == "before":
            return
        self.record = intended(once, part.steps, moment)
        for step in part.steps:
            assert isinstance(step, UpdateExtension)
            assert self.runs == "nothing"
            self._patch(step)
            if killed == "after":
                return
            self.record = remember(self.record, step, Accepted(), moment)

    def running_jobs(self) -> Fact[tuple[RunningJob, ...]]:
        if self.runs == "nobody knows":
            return Unobserved("Azure does not say")
        jobs = (RunningJob("x", "Backup", self.now),) if self.runs == "a backup" else ()
        return Present(jobs, self.now)

    def _patch(self, step: UpdateExtension) -> None:
        self.patches += 1
        self.limit = step.settings.get("resources.limits.memory", self.limit)
        self.cpu = step.settings.get("resources.limits.cpu", self.cpu)
        self.changed_at, self.updating_until = self.now, self.now + timedelta(seconds=UPDATE_TAKES)
        self.limits.append(mebibytes(self.limit) or 0.0)

    def job(self, number: int, outcome: str, *, sign: bool, resources: int | None = None) -> list[Any]:
        """One that runs for three minutes and has just ended."""
        errors = (JobIssue(CODE),) if outcome == "restarted" else (JobIssue("Other"),) if outcome == "failed" else ()
        status = "failed" if errors else "completed"
        started = self.now - timedelta(seconds=184)
        arm_id = f"{VAULT}/backupJobs/{number}"
        job = EndedJob(
            arm_id, CLUSTER, "", "Backup", status, False, started, self.now, errors, resources=resources, detailed=True
        )
        self.jobs[arm_id] = job
        kill = OutOfMemorySign(CLUSTER, "agent", "manager", self.now - timedelta(seconds=60))
        return [job, kill] if sign else [job]


def profile(**ladder: Any) -> ProtectionProfile:
    return ProtectionProfile(
        "standard",
        VaultSettings("AlwaysOn"),
        mode="enforce",
        memory=MemoryLadder(**ladder),
        digest="first",
    )


events = st.lists(
    st.fixed_dictionaries(
        {
            "outcome": st.sampled_from(["clean", "clean", "failed", "restarted", "restarted"]),
            "sign": st.booleans(),
            "hours": st.floats(0.3, 30),
            "nodes_change": st.sampled_from([False, False, False, True]),
            "late": st.integers(0, 2),
            "doubled": st.booleans(),
            "kill": st.sampled_from(["", "", "before", "after"]),
            "runs": st.sampled_from(["nothing", "nothing", "a backup", "nobody knows"]),
        }
    ),
    min_size=1,
    max_size=14,
)


def lived(events: list[dict[str, Any]], world: World) -> World:
    """Each event is a job; news of it comes `late` events later; looks follow every event, the first two of them while
    the next job may be running."""
    waiting: list[tuple[int, Any]] = []
    for number, event in enumerate(events):
        world.now += timedelta(hours=float(event["hours"]))
        world.image = f"{world.image}+" if event["nodes_change"] else world.image
        sign = bool(event["sign"]) and event["outcome"] == "restarted"
        for news in world.job(number, str(event["outcome"]), sign=sign):
            waiting.append((number + int(event["late"]), news))
        for due, news in list(waiting):
            if due <= number:
                world.told += [news] * (2 if event["doubled"] else 1)
                waiting.remove((due, news))
        world.runs = event["runs"]
        world.look(event["kill"])
        world.look()
        world.runs = "nothing"
        settle(world)
    world.told += [news for _, news in waiting]
    settle(world)
    return world


def settle(world: World) -> None:
    """Looks until nothing changes any more, as wake-ups bring them."""
    for _ in range(8):
        world.now += timedelta(seconds=90)
        before = world.record.memory
        world.look()
        if world.record.memory == before and before.in_effect:
            return


@given(events)
def test_one_rung_for_one_failure_whatever_comes_twice_late_or_is_killed(events: list[dict[str, Any]]) -> None:
    world = lived(events, World(profile()))
    rungs = world.record.memory.rungs
    keys = {each.key for each in world.told}
    assert len({rung.evidence for rung in rungs}) == len(rungs)
    assert {rung.evidence for rung in rungs} <= keys
    restarted = [event for event in events if event["outcome"] == "restarted"]
    assert len(rungs) <= len(restarted)


@given(events)
def test_the_limit_never_falls_and_never_passes_the_ceiling(events: list[dict[str, Any]]) -> None:
    world = lived(events, World(profile(ceiling="6Gi")))
    assert world.limits == sorted(set(world.limits)), "each change raised it"
    assert all(limit <= 6144 for limit in world.limits)
    assert limit_of(world.extension()) >= 1280


@given(events)
def test_what_was_decided_comes_into_effect(events: list[dict[str, Any]]) -> None:
    world = lived(events, World(profile()))
    memory = world.record.memory
    assert memory.in_effect
    assert world.limit == memory.limit
    assert (world.limit or "1280Mi") == (memory.rungs[-1].after if memory.rungs else "1280Mi")
    assert world.patches <= 2 * len(memory.rungs)


@given(events, st.randoms(use_true_random=False))
def test_the_same_jobs_in_another_order_and_often_give_the_same_memory(
    events: list[dict[str, Any]], chance: Any
) -> None:
    def shuffled(world: World) -> ClusterHistory:
        jobs = [each for each in world.told if isinstance(each, EndedJob)] * 2
        signs = [each for each in world.told if isinstance(each, OutOfMemorySign)] * 2
        chance.shuffle(jobs)
        chance.shuffle(signs)
        return ClusterHistory(tuple(jobs), tuple(signs))

    class Disorderly(World):
        def history(self) -> ClusterHistory:
            return shuffled(self)

    assert lived(events, World(profile())).record.memory == lived(events, Disorderly(profile())).record.memory


@given(events)
def test_deaths_doubles_and_other_jobs_change_nothing_of_the_limit(events: list[dict[str, Any]]) -> None:
    quiet = [{**event, "kill": "", "doubled": False, "runs": "nothing"} for event in events]
    disturbed, undisturbed = lived(events, World(profile())), lived(quiet, World(profile()))
    assert disturbed.limit == undisturbed.limit
    climbed = [(rung.before, rung.after) for rung in disturbed.record.memory.rungs]
    assert climbed == [(rung.before, rung.after) for rung in undisturbed.record.memory.rungs]


@given(events)
def test_audit_and_a_ladder_that_is_off_decide_nothing(events: list[dict[str, Any]]) -> None:
    for left_alone in (replace(profile(), mode="audit"), profile(automatic=False)):
        world = lived(events, World(left_alone))
        assert world.record.memory.rungs == ()
        assert world.patches == 0


def oom(world: World, number: int, *, sign: bool = True, told: int = 1) -> None:
    world.now += timedelta(hours=1)
    world.told += world.job(number, "restarted", sign=sign) * told


def test_a_kill_counts_at_once_and_climbs_rung_by_rung_to_the_end() -> None:
    world = World(profile())
    for number in range(5):
        oom(world, number)
        settle(world)
    memory = world.record.memory
    assert [rung.after for rung in memory.rungs] == ["2560Mi", "4400Mi", "6Gi", "8Gi"]
    assert memory.exhausted
    part = memory_part(world.subject(world.record))
    assert [(said.reason, said.status) for said in part.said] == [("RemediationExhausted", "False")]
    assert all(rung.after in part.said[0].message for rung in memory.rungs)


def test_a_higher_ceiling_is_a_new_chance_for_the_same_failure() -> None:
    world = World(profile(ceiling="2560Mi"))
    for number in range(2):
        oom(world, number)
        settle(world)
    assert world.record.memory.exhausted
    world.profile = profile(ceiling="8Gi")
    settle(world)
    assert world.record.memory.exhausted == ""
    assert world.limit == "4400Mi"


def test_what_turns_out_to_be_enough_is_no_longer_exhausted() -> None:
    world = World(profile(ceiling="1280Mi"))
    oom(world, 0)
    settle(world)
    assert world.record.memory.exhausted
    world.now += timedelta(hours=3)
    world.told += world.job(1, "clean", sign=False)
    settle(world)
    assert world.record.memory.exhausted == ""


def test_the_code_alone_counts_from_the_second_failure_in_a_row() -> None:
    world = World(profile())
    oom(world, 0, sign=False, told=3)
    settle(world)
    assert world.limit == ""
    oom(world, 1, sign=False)
    settle(world)
    assert world.limit == "2560Mi"


def test_the_code_alone_does_not_count_when_the_nodes_changed_between() -> None:
    world = World(profile())
    for number in range(4):
        world.image = f"image-{number}"
        oom(world, number, sign=False)
        settle(world)
    assert world.limit == ""


def test_a_clean_job_between_breaks_the_row() -> None:
    world = World(profile())
    for number in range(0, 8, 2):
        oom(world, number, sign=False)
        settle(world)
        world.now += timedelta(hours=1)
        world.told += world.job(number + 1, "clean", sign=False)
        settle(world)
    assert world.limit == ""


def test_a_backup_that_came_through_with_warnings_breaks_the_row_too() -> None:
    world = World(profile())
    oom(world, 0, sign=False)
    settle(world)
    assert [said.reason for said in memory_part(world.subject(world.record)).said] == ["OutOfMemoryOnce"]
    world.now += timedelta(hours=1)
    (clean,) = world.job(1, "clean", sign=False)
    world.told.append(replace(clean, status="completedwithwarnings"))
    settle(world)
    assert [said.reason for said in memory_part(world.subject(world.record)).said] == ["Sufficient"]
    oom(world, 2, sign=False)
    settle(world)
    assert world.limit == ""


def test_a_sign_that_comes_late_makes_the_lone_failure_count() -> None:
    world = World(profile())
    world.now += timedelta(hours=1)
    job, kill = world.job(0, "restarted", sign=True)
    world.told.append(job)
    settle(world)
    assert world.limit == ""
    world.told.append(kill)
    settle(world)
    assert world.limit == "2560Mi"


def test_a_kill_without_a_failed_job_counts_once() -> None:
    world = World(profile())
    world.now += timedelta(hours=1)
    world.told += [OutOfMemorySign(CLUSTER, "agent", "manager", world.now - timedelta(seconds=s)) for s in (5, 60, 90)]
    settle(world)
    settle(world)
    assert world.limit == "2560Mi"
    assert world.patches == 1


def test_a_job_that_a_change_of_the_extension_cut_is_no_evidence() -> None:
    world = World(profile())
    world.now += timedelta(hours=1)
    world.told += world.job(0, "restarted", sign=True)
    world.changed_at = world.now - timedelta(seconds=30)  # a person's, while it ran
    settle(world)
    assert world.record.memory.rungs == ()


def test_a_job_that_began_before_the_change_was_over_is_no_evidence_although_it_ended_after_it() -> None:
    world = World(profile())
    world.now += timedelta(hours=1)
    world.changed_at = world.now
    world.now += timedelta(seconds=70)
    world.look()
    world.now += timedelta(seconds=100)
    world.told.append(world.job(0, "restarted", sign=False)[0])
    kill = OutOfMemorySign(CLUSTER, "agent", "manager", world.changed_at - timedelta(seconds=5))
    world.told.append(kill)
    settle(world)
    assert world.record.memory.rungs == ()
    assert world.record.memory.judged == ()


def test_a_job_that_began_while_the_extension_was_seen_changing_is_no_evidence_however_long_that_took() -> None:
    world = World(profile())
    world.now += timedelta(hours=1)
    world.changed_at, world.updating_until = world.now, world.now + timedelta(minutes=15)
    world.now += timedelta(minutes=12)
    world.look()
    world.now += timedelta(seconds=30)
    world.told += world.job(0, "restarted", sign=True)
    world.now += timedelta(minutes=30)
    settle(world)
    assert world.record.memory.rungs == ()
    oom(world, 1)
    settle(world)
    assert world.limit == "2560Mi"


def test_a_ladder_that_is_turned_off_sends_nothing_that_was_decided_before() -> None:
    world = World(profile())
    oom(world, 0)
    world.runs = "a backup"
    world.look()
    assert not world.record.memory.in_effect
    world.runs, world.profile = "nothing", profile(automatic=False)
    settle(world)
    assert world.patches == 0
    (said,) = memory_part(world.subject(world.record)).said
    assert (said.reason, said.status) == ("OutOfMemory", "False")
    world.profile = profile()
    settle(world)
    assert world.limit == "2560Mi"


def test_an_event_that_the_jobs_api_does_not_bear_out_raises_nothing() -> None:
    world = World(profile())
    for number in range(2):
        oom(world, number, sign=False)
        (arm_id,) = list(world.jobs)[number:]
        world.jobs[arm_id] = replace(world.jobs[arm_id], status="completed", errors=())
        settle(world)
    assert len(world.record.memory.judged) == 2
    assert world.record.memory.rungs == ()


def test_a_limit_somebody_set_higher_is_the_start_of_the_next_rung() -> None:
    world = World(profile(), limit="5Gi")
    oom(world, 0)
    settle(world)
    assert world.limit == "6Gi"
    assert world.record.memory.rungs[0].before == "5Gi"


def test_a_lower_limit_that_a_person_sets_is_not_fought_and_a_lost_one_is_put_back() -> None:
    world = World(profile())
    for number in range(2):
        oom(world, number)
        settle(world)
    assert world.limit == "4400Mi"
    world.limit, world.changed_at = "3Gi", world.now
    settle(world)
    assert (world.limit, world.record.memory.limit) == ("3Gi", "3Gi")
    world.limit, world.changed_at = "", world.now + timedelta(seconds=30)
    settle(world)
    assert world.limit == "3Gi"


def test_the_smallest_node_that_may_hold_the_pod_bounds_the_limit() -> None:
    world = World(profile(), vm_size="small", memory={"small": 4096})
    for number in range(3):
        oom(world, number)
        settle(world)
    assert world.limit == "2560Mi"
    assert "node" in world.record.memory.exhausted
    (said,) = memory_part(world.subject(world.record)).said
    assert "larger nodes" in said.recommended_action


def test_nodes_of_unknown_size_leave_the_profiles_ceiling() -> None:
    world = World(profile(), memory={})
    for number in range(5):
        oom(world, number)
        settle(world)
    assert world.limit == "8Gi"


def test_the_cpu_follows_the_memory_once() -> None:
    world = World(profile(ceiling="2560Mi", cpu_limit_after="2000m"))
    for number in range(4):
        oom(world, number)
        settle(world)
    assert [rung.kind for rung in world.record.memory.rungs] == ["memory", "cpu"]
    assert (world.limit, world.cpu) == ("2560Mi", "2000m")
    assert world.record.memory.exhausted


def test_many_resources_raise_the_limit_ahead_of_time_once_and_only_where_the_profile_says_so() -> None:
    for ahead, limit in ((True, "2560Mi"), (False, "")):
        world = World(profile(raise_ahead=ahead))
        for number in range(3):
            world.now += timedelta(hours=20)
            world.told += world.job(number, "clean", sign=False, resources=1001)
            settle(world)
        assert world.limit == limit
        assert [rung.kind for rung in world.record.memory.rungs] == (["ahead"] if ahead else [])


def clean_days(world: World, days: int, first: int) -> None:
    for number in range(first, first + days):
        world.now += timedelta(days=1)
        world.told += world.job(number, "clean", sign=False)
        settle(world)


def test_after_a_long_clean_time_it_comes_down_and_once_it_was_too_low_it_stays_up_longer() -> None:
    week = 7 * 86400.0
    world = World(profile(come_down_after=week))
    for number in range(2):
        oom(world, number)
        settle(world)
    assert world.limit == "4400Mi"
    clean_days(world, 6, 10)
    assert world.limit == "4400Mi"
    clean_days(world, 3, 20)
    assert world.limit == "2560Mi"
    assert world.record.memory.rungs[-1].kind == "down"
    oom(world, 30)
    settle(world)
    assert world.limit == "4400Mi"
    clean_days(world, 27, 40)
    assert world.limit == "4400Mi"
    clean_days(world, 3, 80)
    assert world.limit == "2560Mi"


def test_it_never_comes_down_below_what_the_profile_asks_for_or_without_its_word() -> None:
    for ladder, floor in (({}, "2560Mi"), ({"come_down_after": 3 * 86400.0}, "1280Mi")):
        world = World(profile(**ladder))
        oom(world, 0)
        settle(world)
        clean_days(world, 20, 10)
        assert world.limit == floor
    asked = profile(come_down_after=3 * 86400.0)
    asked = replace(asked, extension=replace(asked.extension, memory_limit="2560Mi"))
    world = World(asked, limit="2560Mi")
    oom(world, 0)
    settle(world)
    clean_days(world, 20, 10)
    assert world.limit == "2560Mi"


def test_nothing_is_sent_while_a_backup_runs_or_when_that_is_not_known() -> None:
    world = World(profile())
    oom(world, 0)
    moment = Moment(world.now)
    memory = ExtensionMemory("2560Mi", rungs=(Rung(world.now, "memory", "1280Mi", "2560Mi", "k"),), in_effect=False)
    for running, sent in ((None, False), ((), True), ((RunningJob("x", "Backup", world.now),), False)):
        fact: Present[tuple[RunningJob, ...]] = Present((), START)
        fact = fact if running is None else Present(running, world.now)
        observed = ObservedCluster(
            cluster=Present(world.cluster(), world.now),
            extension=Present(world.extension(), world.now),
            running_jobs=fact,
        )
        record = Record(CLUSTER, START, observed, memory=memory)
        part = memory_part(world.subject(record))
        assert bool(part.steps) == sent, running
        assert part.remaining == ("UpdateExtension",)
    assert moment.now == world.now


@settings(max_examples=30)
@given(st.integers(0, 24 * 60 - 1))
def test_nothing_is_sent_around_the_time_the_schedule_starts_a_backup(minutes: int) -> None:
    world = World(profile())
    world.now = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=minutes)
    memory = ExtensionMemory("2560Mi", rungs=(Rung(world.now, "memory", "1280Mi", "2560Mi", "k"),), in_effect=False)
    observed = ObservedCluster(
        cluster=Present(world.cluster(), world.now),
        extension=Present(world.extension(), world.now),
        running_jobs=Present((), world.now),
    )
    part = memory_part(world.subject(Record(CLUSTER, START, observed, memory=memory)))
    near = 110 <= minutes < 125
    assert bool(part.steps) != near
    if near:
        assert part.requeue_after is not None
        assert part.requeue_after / 60 == 125 - minutes


def test_every_rung_is_told_with_both_limits() -> None:
    world = World(profile())
    oom(world, 0)
    world.look()
    part = memory_part(world.subject(world.record))
    assert [said.reason for said in part.said] == ["Raising"]
    assert "2560Mi" in part.said[0].message
    assert list(itertools.chain(part.remaining))
