"""A sweep from its beginning to its end, over as many invocations as it takes.

The run's row says how far it came; every other write comes before the row moves on, under a key that follows from the
sweep and the batch. So whatever dies, the next invocation does the same again from there."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.announce import own_alert, own_alert_over
from shared.domain.alerts import THE_APP, Cause
from shared.domain.compliance import Finding
from shared.domain.errors import GuardError, RecordConflict
from shared.domain.fleet import FleetScope, Remembered, Scope
from shared.domain.ids import ClusterId
from shared.domain.sweeps import SweepRun
from shared.judge_fleet import (
    MOST_CONFIRMED,
    MOST_DIAGNOSED,
    AskAgainLater,
    FleetJudge,
    calls_of,
    exemption_findings,
    sweep_id_of,
)
from shared.plan import repairs
from shared.plan.compliance.findings import READABLE, bounded, not_listed
from shared.plan.compliance.scope import halves, planned
from shared.plan.compliance.trend import found_since
from shared.sweep.after import BREAKER_CAUSE, settle, told
from shared.sweep.batch import MOST_FINDINGS, do_batch
from shared.telemetry import count
from shared.telemetry.catalogue import SWEEPS
from shared.world import World

log = logging.getLogger(__name__)

GIVEN_UP_AFTER = timedelta(hours=24)
"""By the calendar: a sweep that is not complete by then is begun anew."""
MISSED_AFTER = timedelta(hours=26)
"""By the calendar: when none has begun for so long, the daily timer has failed, and whoever comes next begins one."""
CLAIMS_UNTIL_HALVED, CLAIMS_UNTIL_SAID = 3, 6
"""Invocations without progress after which a batch is divided, and after which somebody is told."""
MOST_WAITS = 3
"""Invocations of one sweep that end because Azure does not answer everything; from then on it counts as unread."""
_CAUSE = "ComplianceSweep"


@dataclass(frozen=True, slots=True)
class Swept:
    """What one invocation did. `complete`: the sweep is done, and shows."""

    sweep_id: str
    complete: bool
    batches: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class Requested:
    """`begun` is False when that sweep was under way already."""

    sweep_id: str
    begun: bool


async def sweep(world: World, *, begin: bool, since: datetime | None = None) -> Swept | None:
    """Go on with the sweep that is under way, or `begin` one, for as long as an invocation may take that runs `since`
    then. None: there is nothing to do, no time for it, or another host is at it. Raises what storage and Azure raise;
    the next invocation goes on."""
    now = world.clock.now()
    since = since or now
    left = world.pass_seconds - (now - since).total_seconds()
    run = await _claimed(world, begin=begin) if left > world.pass_seconds / 4 else None
    if run is None:
        return None
    running = _Running(world, run, since)
    try:
        async with asyncio.timeout(left):
            await running.go_on()
    except RecordConflict:
        log.warning("sweep %s: another host has it", run.sweep_id)
        count(SWEEPS, outcome="lost")
        return None
    except AskAgainLater as error:
        log.warning("sweep %s: the next invocation asks again: %s", run.sweep_id, error)
        running.run = replace(running.run, waits=running.run.waits + 1)
    except TimeoutError:
        log.warning("sweep %s takes longer than an invocation: the next one goes on", run.sweep_id)
    except Exception as error:
        count(SWEEPS, outcome="failed")
        await running.release()
        await running.say_if_stuck(error)
        raise
    await running.release()
    done = running.run
    count(SWEEPS, outcome="complete" if done.stage == "done" else "partial")
    return Swept(done.sweep_id, done.stage == "done", done.done, len(done.batches))


async def ask_for_sweep(world: World) -> Requested:
    """Have the fleet judged soon: the timer `requeue_overdue` goes on with it within five minutes, or whoever asks
    calls `sweep` next. Raises TransientError and RecordConflict."""
    run = await world.sweeps.run()
    if run is not None and run.stage != "done":
        return Requested(run.sweep_id, begun=False)
    run = await world.sweeps.save_run(_new(run, world))
    return Requested(run.sweep_id, begun=True)


async def notice_approval(world: World) -> bool:
    """A person has let the repairs go on: the alert about them is over, and a sweep asks for them. Whether that was
    so."""
    if await world.breaker.held() is not None:
        return False
    async for alert in world.alert_book.all_of(THE_APP, open_only=True):
        if alert.cause.key == BREAKER_CAUSE:
            await ask_for_sweep(world)
            await own_alert_over(BREAKER_CAUSE, world)
            return True
    return False


async def _claimed(world: World, *, begin: bool) -> SweepRun | None:
    """The run under a lease of ours; None when there is nothing to do, or somebody else does it."""
    run, now = await world.sweeps.run(), world.clock.now()
    if run is not None and run.lease_until is not None and run.lease_until > now:
        return None
    if run is None or run.stage == "done":
        if not begin and (run is None or now - run.started_at < MISSED_AFTER):
            return None
        run = _new(run, world)
    elif now - run.started_at > GIVEN_UP_AFTER:
        log.warning("sweep %s is begun anew: it is too old", run.sweep_id)
        latest = await world.sweeps.latest() if run.stage == "telling" else None
        run = _new(run, world, shows=latest is not None and latest.sweep_id == run.sweep_id)
    elif run.stage == "judging":
        if run.configuration_revision < world.configuration.revision:
            log.warning("sweep %s is begun anew: guard.yaml has changed", run.sweep_id)
            run = _new(run, world)
        elif run.configuration_revision > world.configuration.revision:
            return None  # a host with the newer guard.yaml goes on with it
    until = now + timedelta(seconds=world.lease_seconds)
    try:
        return await world.sweeps.save_run(
            replace(run, lease_id=world.new_id(), lease_until=until, claims=run.claims + 1)
        )
    except RecordConflict:
        return None


def _new(old: SweepRun | None, world: World, *, shows: bool = False) -> SweepRun:
    """`shows`: the old one, which is not done, is complete so far that it shows."""
    now = world.clock.now()
    unfinished = old.unfinished if old else ()
    if old is not None and old.stage != "done" and not shows:
        unfinished = (*unfinished, old.sweep_id)
    return SweepRun(
        sweep_id_of(now, world.new_id()),
        now,
        world.configuration.revision,
        newest_extension=old.newest_extension if old else "",
        unfinished=unfinished,
        etag=old.etag if old else "",
    )


class _Running:
    """One invocation's part of a run."""

    def __init__(self, world: World, run: SweepRun, since: datetime) -> None:
        self._world, self.run, self._begun = world, run, since
        self._remembered: dict[ClusterId, Remembered] | None = None
        self._judge: FleetJudge | None = None

    async def go_on(self) -> None:
        world = self._world
        if not self.run.planned:
            await self._plan()
        while self.run.stage == "judging" and self.run.done < len(self.run.batches):
            if (world.clock.now() - self._begun).total_seconds() >= world.pass_seconds:
                raise TimeoutError
            await self._judge_batch()
        if self.run.stage == "judging":
            await self._close()
        if self.run.stage == "telling":
            await settle(self.run, world)
            await own_alert_over(_CAUSE, world)
            await self._save(stage="done", unfinished=())
            log.info("sweep %s is complete: %d clusters", self.run.sweep_id, self.run.totals.overall.clusters)
            await told(world)

    async def _plan(self) -> None:
        world, now = self._world, self._world.clock.now()
        before = await world.sweeps.latest()
        scope = world.scope
        if not scope.subscriptions and not scope.management_groups:
            known = (cluster.subscription_id for cluster, of in (await self._known()).items() if of.deleted_at is None)
            scope = Scope(tuple(sorted(set(known))))
        shown = await world.fleet.scope(scope) if scope != Scope() else FleetScope(())
        batches, findings = planned(scope, shown, before, now)
        names = before.subscription_names if before else {}
        lost = {name: names[name] for batch in batches if batch.lost for name in batch.subscriptions if name in names}
        await self._save(
            planned=True,
            before=before.sweep_id if before else "",
            batches=batches,
            findings=findings,
            sources=shown.sources,
            calls=calls_of(shown.sources),
            names=lost | {each.subscription_id: each.name for each in shown.subscriptions},
        )

    async def _judge_batch(self) -> None:
        world, run = self._world, self.run
        batch = run.batches[run.done]
        if run.claims > CLAIMS_UNTIL_HALVED and not batch.lost:
            parts = halves(batch)
            log.warning("sweep %s: a batch of %d subscriptions does not end", run.sweep_id, len(batch.subscriptions))
            if len(parts) == 1 and run.claims > CLAIMS_UNTIL_SAID:
                subscription = batch.subscriptions[0]
                why = f"Judging it did not end in {run.claims} invocations of {world.pass_seconds:.0f} s."
                parts = (replace(batch, lost=why),)
                run = replace(run, findings=(*run.findings, not_listed(subscription, why)))
            if parts != (batch,):
                batches = (*run.batches[: run.done], *parts, *run.batches[run.done + 1 :])
                self.run = await world.sweeps.save_run(replace(run, batches=batches))
                return
        judge = None if batch.lost else await self._prepared()
        read = judge.diagnoses if judge else 0
        run = await do_batch(self.run, judge, await self._known(), world)
        if judge is not None:
            if judge.diagnoses != read:
                await world.sweeps.keep_diagnostics(judge.diagnostics)
            run = replace(
                run,
                confirmed=MOST_CONFIRMED - judge.confirmations,
                diagnosed=MOST_DIAGNOSED - judge.diagnoses,
                newest_extension=judge.newest_extension,
            )
        self.run = await world.sweeps.save_run(run)

    async def _prepared(self) -> FleetJudge:
        if self._judge is None:
            world, run = self._world, self.run
            self._judge = FleetJudge(
                world.fleet,
                world.configuration,
                world.controls,
                world.moment,
                await self._known(),
                await world.sweeps.diagnostics(),
                confirmations=MOST_CONFIRMED - run.confirmed,
                diagnoses=MOST_DIAGNOSED - run.diagnosed,
                newest_extension=run.newest_extension,
                patient=run.waits < MOST_WAITS,
            )
            asked = [name for batch in run.batches if not batch.lost for name in batch.subscriptions]
            sources = await self._judge.prepare(asked)
            self.run = replace(run, sources=(*run.sources, *sources), calls=run.calls + calls_of(sources))
        return self._judge

    async def _known(self) -> Mapping[ClusterId, Remembered]:
        """Read once an invocation: what an earlier one wrote into the records is in it."""
        if self._remembered is None:
            self._remembered = {cluster: known async for cluster, known in self._world.records.remembered()}
        return self._remembered

    async def _close(self) -> None:
        """Everything is judged: what is to be done about drift is decided, once."""
        world, run, now = self._world, self.run, self._world.clock.now()
        all_read = not any(finding.control == READABLE for finding in run.findings)
        all_read = all_read and not any(batch.lost for batch in run.batches)
        findings = (*run.findings, *exemption_findings(world.configuration, run.matched, now, all_read=all_read))
        findings, left_out = bounded(findings, MOST_FINDINGS)
        before = await world.sweeps.latest()
        hold = await world.breaker.held()
        decision = repairs.decide(
            run.drift,
            world.configuration.sweep,
            held=f"{hold.at:%Y-%m-%d %H:%M} UTC" if hold else None,
            approved_until=await world.breaker.approved_until(),
            now=now,
        )
        await self._save(
            stage="telling",
            findings=found_since(_with_left_out(findings, {**run.left_out, **left_out}), _findings(before), now),
            repairs=decision.repairs,
            opens_breaker=decision.opens,
            ended_at=now,
        )

    async def _save(self, **changes: Any) -> None:
        self.run = await self._world.sweeps.save_run(replace(self.run, claims=0, **changes))

    async def release(self) -> None:
        """So that the next invocation need not wait for the lease's end, unless somebody else has it."""
        try:
            self.run = await self._world.sweeps.save_run(replace(self.run, lease_id="", lease_until=None))
        except (RecordConflict, GuardError) as error:
            log.warning("sweep %s goes on when its lease has ended: %s", self.run.sweep_id, error)

    async def say_if_stuck(self, error: Exception) -> None:
        if self.run.claims < CLAIMS_UNTIL_SAID:
            return
        guard_error = error if isinstance(error, GuardError) else None
        cause = Cause(
            key=_CAUSE,
            code=guard_error.code if guard_error else type(error).__name__,
            severity="Error",
            title="The compliance sweep does not get on",
            message=f"{self.run.claims} invocations brought it no further, the last one ended so: {error}"[:2000],
            recommended_action=(guard_error.recommended_action if guard_error else "") or "See the app's log.",
            first_at=self.run.started_at,
            last_at=self._world.clock.now(),
            will_do="The Guard tries again every five minutes; until then the last complete sweep is shown.",
        )
        await own_alert(cause, self._world)


def _findings(before: Any) -> tuple[Finding, ...]:
    return before.findings if before else ()


def _with_left_out(findings: tuple[Finding, ...], left_out: Mapping[str, int]) -> tuple[Finding, ...]:
    """The last one of a control says how many more there are."""
    last = {finding.control: number for number, finding in enumerate(findings)}
    more = {last[control]: count for control, count in left_out.items() if count}
    return tuple(
        replace(finding, message=f"{finding.message} ({more[number]} more like this one are not listed.)")
        if number in more
        else finding
        for number, finding in enumerate(findings)
    )
