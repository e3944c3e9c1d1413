"""The memory ladder, one story at a time: what counts as an out-of-memory kill, how far it climbs, when it waits."""

import itertools
from dataclasses import replace
from datetime import timedelta

from shared.domain.facts import Present
from shared.domain.jobs import OutOfMemorySign
from shared.domain.observed import ObservedCluster, RunningJob
from shared.domain.record import ExtensionMemory, Record, Rung
from shared.domain.time import Moment
from shared.plan.memory_part import memory_part
from tests.property.memory_world import START, World, clean_days, oom, profile, settle
from tests.property.strategies import CLUSTER


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


def test_every_rung_is_told_with_both_limits() -> None:
    world = World(profile())
    oom(world, 0)
    world.look()
    part = memory_part(world.subject(world.record))
    assert [said.reason for said in part.said] == ["Raising"]
    assert "2560Mi" in part.said[0].message
    assert list(itertools.chain(part.remaining))
