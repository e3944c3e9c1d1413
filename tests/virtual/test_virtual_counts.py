"""What the app counts is what has happened, and a fleet of strangers makes no more series than are documented."""

from collections import Counter

from shared.domain.profile import Notifications, Route
from shared.sweep import measure_age
from shared.take_event import take_cluster_event, take_event
from shared.telemetry.catalogue import METRICS
from tests.virtual.traces import TracedWorld, event_of, telling
from tests.virtual.world import QUICK, configuration_of, enforcing

DECLARED = {metric.name: metric for metric in METRICS}


async def test_every_step_is_counted_as_the_audit_trail_has_it() -> None:
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        cluster = world.create_cluster(settled=True)
        await world.notice(cluster)
        assert await world.run_until_ready(cluster)

    started = Counter(line.step.partition(":")[0] for line in world.trail.actions if line.outcome == "Started")
    ended = Counter(line.outcome.lower() for line in world.trail.actions if line.outcome != "Started")
    steps = told.counts("steps")
    assert sum(steps.values()) == started.total() > 10
    assert steps["StartBackup", "accepted"] == 1
    assert {step: count for (step, _), count in steps.items()} == started
    assert Counter({outcome: sum(n for (_, o), n in steps.items() if o == outcome) for _, outcome in steps}) == ended
    assert told.counts("events") == {("cluster_events", "taken"): 1}
    looks = told.counts("reconciles")
    assert sum(looks.values()) == len(told.named("look"))
    assert looks["cluster", "at_rest"] == looks["region", "at_rest"] == 1
    assert told.counts("waits")["ExtensionReady", "Installing"] == 3
    assert not told.counts("alerts")
    assert not told.counts("throttles")


async def test_a_failed_job_is_counted_until_somebody_was_told() -> None:
    notifications = Notifications((Route("shop", channels=("TEAMS_SHOP",)),), group_wait=30)
    with telling() as told:
        world = TracedWorld(configuration_of(enforcing(), notifications=notifications), timings=QUICK)
        cluster = world.create_cluster(settled=True)
        await world.notice(cluster)
        assert await world.run_until_ready(cluster)
        world.start_job_watch()
        world.channels.dead.add("TEAMS_SHOP")
        world.cloud.data_protection.add_job(cluster.arm_id, "Backup", "failed", None, "UserErrorHookExecutionFailed")
        await world.run(seconds=600)  # not so long that the Guard has an alert about the channel
        refused = len(world.channels.attempts)
        world.channels.dead.clear()
        await world.run(seconds=3600)

    [message] = world.channels.to("TEAMS_SHOP")
    [announcement] = message.announcements
    assert refused > 1
    assert told.counts("alerts") == {(announcement.alert.severity, "Opened"): 1}
    assert told.counts("deliveries") == {("failed",): refused, ("delivered",): 1}
    assert told.counts("job_sources")["read",] >= 10


async def test_events_are_counted_by_what_became_of_them() -> None:
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        cluster = world.create_cluster(settled=True)
        await take_event("not JSON", world.get_host)
        await take_cluster_event("[]", world.get_host)
        await take_cluster_event(event_of(cluster).replace("WriteSuccess", "WriteFailure"), world.get_host)
        await take_event(event_of(cluster), world.get_host, "events_poison")

    assert told.counts("events") == {
        ("queued_events", "malformed"): 1,
        ("cluster_events", "malformed"): 1,
        ("cluster_events", "ignored"): 1,
        ("events_poison", "taken"): 1,
    }
    assert [each.name for each in told.spans] == [
        "event queued_events",
        "event cluster_events",
        "event cluster_events",
        "event events_poison",
    ]


async def test_calls_that_find_no_quota_are_counted() -> None:
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        cluster = world.create_cluster(settled=True)
        world.fault(method="GET", path="managedclusters/[^/]+$", status=429, retry_after=60, times=1)
        await world.notice(cluster)
        assert await world.run_until_ready(cluster)

    throttled = told.counts("throttles")
    assert throttled["reads", "azure"] == 1
    assert not {quota for quota, _ in throttled} - {"reads", "writes"}
    assert any(
        each.attributes and each.attributes.get("http.response.status_code") == 429 for each in told.named("ARM")
    )


async def test_the_age_of_the_newest_sweep_is_measured() -> None:
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        await measure_age(world.host)
        assert not told.series()
        swept = await world.sweep()
        assert swept is not None
        assert swept.complete
        await world.clock.advance(7200)
        await measure_age(world.host)
        [(name, _)] = [series for series in told.series() if "sweep_age" in series[0]]
        counted = told.counts("sweeps")

    assert name == "aks_backup_guard.sweep_age"
    assert counted == {("complete",): 1}


async def test_a_thousand_strangers_make_no_more_series_than_are_documented() -> None:
    """Clusters with names that mean something elsewhere, and an Azure whose every error has a code of its own."""
    with telling() as told:
        world = TracedWorld(timings=QUICK)
        first = world.create_cluster(settled=True)
        await world.notice(first)
        assert await world.run_until_ready(first)
        refused = [world.create_cluster(settled=True) for _ in range(30)]
        for number, cluster in enumerate(refused):
            code, status = f"Strange{number}\N{SKULL AND CROSSBONES}", (400, 403, 409)[number % 3]
            world.fault(times=None, method="PUT", path=f"{cluster.name}/", status=status, code=code)
        await world.notice(*refused)
        await world.run(seconds=600, together=True)
        names = (f"{('ready', 'other', 'null', 'acted')[number % 4]}-{number:x}" for number in range(1000))
        await world.notice(*(world.create_cluster(settled=True, name=name) for name in names))
        for _ in range(40):
            await world.step_together(30)

    series = told.series()
    assert sum(told.counts("reconciles").values()) > 1000
    assert told.counts("waits")["ExtensionReady", "other"] >= len(refused)
    for name, metric in DECLARED.items():
        mine = [dict(attributes) for series_of, attributes in series if series_of == name]
        assert len(mine) <= metric.most_series
        for attributes in mine:
            assert attributes == metric.series(attributes), "nothing but what is declared"
    assert {name for name, _ in series} <= set(DECLARED)
    assert len(series) < 100
    assert len({each.name for each in told.spans}) < 100
