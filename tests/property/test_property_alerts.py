"""Alerts under any history of jobs and conditions, learned in any order, late, twice and in any number of looks."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.alerts import About, Alert, Announcement, Hold, Word
from shared.domain.conditions import (
    BACKUP_HEALTHY,
    EXTENSION_MEMORY_SUFFICIENT,
    PROTECTION_CONFIGURED,
    READY,
    Condition,
    Status,
    carried_over,
)
from shared.domain.ids import ClusterId
from shared.domain.jobs import ClusterHistory, EndedJob, JobIssue
from shared.domain.profile import Alerting, ProtectionProfile, VaultSettings
from shared.domain.record import ExtensionMemory
from shared.domain.time import Moment
from shared.plan.alert_causes import FROM_JOBS, NEVER, condition_causes, job_causes
from shared.plan.alerts import announcements, next_change_in, settle

CLUSTER = ClusterId("00000000-0000-0000-0000-000000000001", "apps", "shop")
VAULT = "/subscriptions/s/resourceGroups/b/providers/Microsoft.DataProtection/backupVaults/v"
START = datetime(2026, 3, 1, tzinfo=UTC)
PROFILE = ProtectionProfile("gold", VaultSettings("On"), mode="enforce")
ALERTING = Alerting(escalate_after_failures=3, escalate_after=86400)
ABOUT = About(CLUSTER.key, "shop")
HOLD = Hold("The cluster is stopped.")


@st.composite
def ended_jobs(draw: st.DrawFn) -> EndedJob:
    """One of a dozen names: the same job has the same end, whoever tells of it and however much he knows."""
    number = draw(st.integers(0, 11))
    chance = draw(st.randoms(use_true_random=False))
    chance.seed(number + draw(st.shared(st.integers(0, 10_000), key="world")))
    status = chance.choice(["completed", "completed", "failed", "failed", "completedwithwarnings", "cancelled"])
    ended_at = START + timedelta(hours=chance.randrange(24))
    kind = chance.choice(["Backup", "Backup", "Backup", "backup", "Restore"])
    found = tuple(
        JobIssue(
            chance.choice(["hook", "Hook", "CSISnapshottingTimedOut", ""]), "text", "", f"pvc-{chance.randrange(3)}"
        )
        for _ in range(chance.randrange(3))
    )
    detailed = draw(st.booleans())
    return EndedJob(
        f"{VAULT}/backupJobs/{number}",
        CLUSTER,
        "i",
        kind,
        status,
        False,
        ended_at - timedelta(minutes=5),
        ended_at,
        errors=found if detailed and status == "failed" else (),
        warnings=found if detailed and status == "completedwithwarnings" else (),
        detailed=detailed,
    )


@dataclass
class Guard:
    """What outlives a look: the record's alerts, what was handed over for telling (each key once), people's words."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    outbox: dict[str, Announcement] = field(default_factory=dict)
    words: dict[str, Word] = field(default_factory=dict)
    handed: list[str] = field(default_factory=list)

    def look(
        self,
        now: datetime,
        jobs: Iterable[EndedJob] | None = None,
        conditions: Mapping[str, Condition] | None = None,
        hold: Hold | None = None,
        *,
        dies: bool = False,
    ) -> None:
        """`dies`: after handing over, before the record is saved."""
        moment = Moment(now)
        history = None if jobs is None else ClusterHistory(tuple(jobs))
        causes = job_causes(history, PROFILE, (), ExtensionMemory(), moment) if history else ()
        causes += condition_causes(conditions or {}, ALERTING, moment)
        alerts = settle(
            CLUSTER.key,
            self.alerts,
            causes,
            words=self.words,
            hold=hold,
            alerting=ALERTING,
            moment=moment,
            judged=frozenset({"Condition:"}) if history is None else None,
        )
        for key, alert in alerts.items():
            before = self.alerts.get(key)
            if alert.acknowledged_by and alert.escalated_at is not None:
                assert before is not None, "acknowledged, yet it escalated"
                assert before.escalated_at == alert.escalated_at, "acknowledged, yet it escalated"
            if alert.held:
                assert before is None or before.episode != alert.episode or before.escalated_at == alert.escalated_at
        news, alerts = announcements(alerts, ABOUT, moment)
        assert not any(a.alert.held for a in news)
        assert len({a.key for a in news}) == len(news)
        for announcement in news:
            self.outbox.setdefault(announcement.key, announcement)
        if not dies:
            self.alerts = alerts
            self.handed += [a.key for a in news]

    def say(self, now: datetime, *, acknowledged: bool = False, snoozed_until: datetime | None = None) -> None:
        for alert in self.alerts.values():
            if alert.state == "Open":
                self.words[alert.id] = Word("anna", now, acknowledged, snoozed_until)

    def assert_told_well(self) -> None:
        """Each episode: opened at most once and first, escalated at most once, resolved at most once and last."""
        by_episode: dict[tuple[str, int], list[Announcement]] = {}
        for announcement in self.outbox.values():
            by_episode.setdefault((announcement.alert.id, announcement.alert.episode), []).append(announcement)
        for told in by_episode.values():
            kinds = [announcement.kind for announcement in told]
            assert kinds[0] == "Opened", kinds
            assert all(count == 1 for kind, count in Counter(kinds).items() if kind != "Updated"), kinds
            assert "Resolved" not in kinds[:-1], kinds
        once = [key for key in self.handed if ":updated:" not in key]
        assert len(once) == len(set(once)), "a later episode's announcements would be taken for an earlier one's"

    def assert_nothing_lost(self) -> None:
        """Once nothing is held, what is open has been told, and what was told and is over, too."""
        for alert in self.alerts.values():
            kinds = {a.kind for a in self.outbox.values() if (a.alert.id, a.alert.episode) == (alert.id, alert.episode)}
            if alert.state == "Open":
                assert "Opened" in kinds
                assert (alert.escalated_at is None) or "Escalated" in kinds or alert.severity == _opened_as(self, alert)
            elif "Opened" in kinds:
                assert "Resolved" in kinds


def _opened_as(guard: Guard, alert: Alert) -> str:
    return guard.outbox[f"{alert.id}:{alert.episode}:opened"].alert.severity


def open_of(alerts: Mapping[str, Alert]) -> dict[str, tuple[object, ...]]:
    return {
        key: (alert.cause.occurrences, alert.cause.first_at, alert.cause.last_at, alert.cause.resources)
        for key, alert in alerts.items()
        if alert.state == "Open"
    }


def expected(jobs: Sequence[EndedJob]) -> dict[str, tuple[object, ...]]:
    """Worked out anew and otherwise: what ended badly at or after the last clean end of its kind."""
    best = {job.arm_id: job for job in sorted(jobs, key=lambda job: job.detailed)}
    found: dict[str, list[EndedJob]] = {}
    for job in best.values():
        kind = job.operation.lower()
        clean = [j.ended_at for j in best.values() if j.status == "completed" and j.operation.lower() == kind]
        if job.status not in ("failed", "completedwithwarnings") or any(end > job.ended_at for end in clean):
            continue
        nameless = "failed" if job.status == "failed" else "completedwithwarnings"
        for code in {(issue.code or nameless).lower() for issue in (*job.errors, *job.warnings)} or {nameless}:
            found.setdefault(f"{kind.capitalize()}:{code}", []).append(job)
    return {
        key: (len(bad), min(job.ended_at for job in bad), max(job.ended_at for job in bad))
        for key, bad in found.items()
    }


@given(data=st.data(), reports=st.lists(ended_jobs(), min_size=8, max_size=25))
def test_the_same_set_of_jobs_gives_the_same_alerts(data: st.DataObject, reports: list[EndedJob]) -> None:
    """However it was cut into looks, some of them held back, some dying, with people talking in between."""
    guard, at_once = Guard(), Guard()
    now = START + timedelta(hours=1)
    arrived: list[EndedJob] = []
    for report in reports:
        arrived.append(report)
        arrived = data.draw(st.permutations(arrived)) if len(arrived) < 6 else arrived
        now += timedelta(hours=data.draw(st.sampled_from([0, 1, 30])))
        hold = data.draw(st.sampled_from([None, None, HOLD]))
        for dies in [True] * data.draw(st.integers(0, 1)) + [False] * data.draw(st.integers(0, 1)):
            guard.look(now, arrived, hold=hold, dies=dies)
            if dies:
                guard.look(now + timedelta(seconds=1), arrived, hold=hold)
        if data.draw(st.booleans()):
            until = data.draw(st.sampled_from([None, now + timedelta(hours=20)]))
            guard.say(now, acknowledged=data.draw(st.booleans()), snoozed_until=until)
    end = now + timedelta(days=3)
    guard.look(end, arrived)
    at_once.look(end, reversed(arrived))

    guard.assert_told_well()
    guard.assert_nothing_lost()
    assert open_of(guard.alerts) == open_of(at_once.alerts)
    assert {key: value[:3] for key, value in open_of(guard.alerts).items()} == expected(reports)


@given(reports=st.lists(ended_jobs(), min_size=8, max_size=25), chance=st.randoms(use_true_random=False))
def test_the_same_jobs_give_the_same_causes(reports: list[EndedJob], chance: Random) -> None:
    moment = Moment(START + timedelta(days=5))
    shuffled = [*reports, *reports]
    chance.shuffle(shuffled)
    causes = job_causes(ClusterHistory(tuple(reports)), PROFILE, (), ExtensionMemory(), moment)
    assert job_causes(ClusterHistory(tuple(shuffled)), PROFILE, (), ExtensionMemory(), moment) == causes
    assert len({cause.key for cause in causes}) == len(causes)
    for cause in causes:
        assert cause.key.partition(":")[2] == cause.code.lower()
        assert cause.first_at <= cause.last_at
        assert cause.resolved_at is None or cause.resolved_at > cause.last_at
        assert cause.message
        assert cause.recommended_action


@given(reports=st.lists(ended_jobs(), min_size=8, max_size=25), later=st.lists(ended_jobs(), max_size=8))
def test_a_look_had_again_tells_the_same_under_the_same_keys(reports: list[EndedJob], later: list[EndedJob]) -> None:
    guard = Guard()
    guard.look(START + timedelta(days=2), reports)
    for seconds in (0, 1, 600):
        guard.look(START + timedelta(days=2, hours=1, seconds=seconds), [*reports, *later], dies=True)
    outbox = dict(guard.outbox)
    guard.look(START + timedelta(days=2, hours=1, seconds=700), [*reports, *later])
    assert guard.outbox == outbox
    assert len(guard.handed) == len(set(guard.handed))


reasons = st.sampled_from(
    [
        ("Waiting", ""),
        ("ProtectionError", "Repair it."),
        ("AuthorizationFailed", "Give the role."),
        ("TooManyRequests", "Nothing: the Guard tries again by itself."),
        ("RecoveryPointTooOld", "See the jobs."),
        ("RemediationExhausted", "Bigger nodes."),
        *((reason, "Do something.") for reason in sorted((NEVER | FROM_JOBS) - {"ClusterDeleted"})),
    ]
)
TYPES = (PROTECTION_CONFIGURED, BACKUP_HEALTHY, EXTENSION_MEMORY_SUFFICIENT, READY)


@st.composite
def seen(draw: st.DrawFn, now: datetime, before: Mapping[str, Condition]) -> dict[str, Condition]:
    """What the next look finds: most of it as it was."""
    after = dict(before)
    for kind in TYPES:
        if kind in before and draw(st.integers(0, 2)):
            continue
        status: Status = draw(st.sampled_from(["True", "False", "False", "Unknown"]))
        reason, action = (
            draw(reasons) if status == "False" else ("Unobserved", "") if status == "Unknown" else ("Ok", "")
        )
        after[kind] = carried_over(Condition(kind, status, reason, "message", now, action), before.get(kind))
    return after


@given(data=st.data())
def test_conditions_are_told_once_and_end_when_they_are_true(data: st.DataObject) -> None:
    guard, now, conditions = Guard(), START, dict[str, Condition]()
    ever_due: set[str] = set()
    for _ in range(data.draw(st.integers(1, 12))):
        now += timedelta(seconds=data.draw(st.sampled_from([1, 600, 1000, 4000, 8000, 100_000])))
        conditions = data.draw(seen(now, conditions))
        causes = condition_causes(conditions, ALERTING, Moment(now))
        ever_due |= {cause.key for cause in causes if cause.due}
        was_open = {key for key, alert in guard.alerts.items() if alert.state == "Open"}
        guard.look(now, None, conditions, data.draw(st.sampled_from([None, None, HOLD])))
        for key in was_open:
            condition = conditions[key.removeprefix("Condition:")]
            over = condition.status == "True" and condition.reason != "CircuitBreakerOpen"
            assert (guard.alerts[key].state == "Open") != over
    guard.look(now, None, conditions)

    assert set(guard.alerts) <= ever_due
    for alert in guard.alerts.values():
        assert alert.cause.code not in (NEVER | FROM_JOBS) - {"CircuitBreakerOpen"}
    guard.assert_told_well()
    guard.assert_nothing_lost()


@given(data=st.data(), hold=st.sampled_from([None, Hold("Maintenance.", START + timedelta(hours=5))]))
def test_a_look_when_the_next_change_is_due_finds_it(data: st.DataObject, hold: Hold | None) -> None:
    """Nothing changes before that time, by time alone; and following it ends, so that nobody looks for ever."""
    conditions = data.draw(seen(START, {}))
    guard, now = Guard(), START
    guard.look(now, [], conditions, hold)
    for _ in range(12):
        current = hold if hold is not None and hold.until is not None and now < hold.until else None
        wait = next_change_in(guard.alerts, conditions, ALERTING, current, Moment(now))
        before = dict(guard.alerts)
        soon = now + timedelta(seconds=wait - 0.5) if wait is not None else now + timedelta(days=300)
        if wait is None or wait > 1.0:
            guard.look(soon, [], conditions, current)
            assert guard.alerts == before
        if wait is None:
            break
        now += timedelta(seconds=wait)
        guard.look(
            now, [], conditions, hold if hold is not None and hold.until is not None and now < hold.until else None
        )
    else:
        raise AssertionError("there is always something due")
    guard.assert_nothing_lost()
