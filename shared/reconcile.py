"""The loop: observe, plan, record, act, record. It is level-triggered: a request only says whom to look at."""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from shared.domain.conditions import Condition, carried_over, summary_of
from shared.domain.errors import RecordConflict
from shared.domain.ids import ClusterId, Subject
from shared.domain.record import ReconcileRequest, Record
from shared.domain.steps import Failed, Step, StepOutcome
from shared.domain.time import Moment
from shared.look import Look, look_at_cluster, look_at_region
from shared.plan.outcomes import intended, remember
from shared.plan.parts import Plan, sooner
from shared.telemetry import count, span
from shared.telemetry.catalogue import LOOK, RECONCILES, STEP, STEPS_SENT, WAITS
from shared.tell import TELLING_SECONDS, alerts_change_in, judged, tell
from shared.wake import in_a_story, request_look, saved, send_wake_up
from shared.world import World

log = logging.getLogger(__name__)

FAILURES_UNTIL_SAID = 3
"""Passes in a row that may end in an error nobody expected before a condition says so."""
STORY_PAUSE = 900.0
"""Azure's seconds: what goes on after a longer pause is a story, and a trace, of its own."""
LONGEST_STORY = 86400.0
"""Azure's seconds: what is asked about every minute for days is a trace a day."""

type Ended = Literal["acted", "waiting", "at_rest", "stale", "held", "lost", "unknown", "failed"]
"""As the metric `reconciles` counts it."""


async def reconcile(request: ReconcileRequest, world: World) -> None:
    """One pass over one cluster or region. What nobody expected, or a storage that is down, is raised after the record
    was released, as far as that went; what could not be released is free when the lease ends."""
    kind = "cluster" if isinstance(request.subject, ClusterId) else "region"
    try:
        record = await world.records.get(request.subject)
    except Exception:
        count(RECONCILES, subject=kind, outcome="failed")
        raise
    story = request.traceparent or (record.traceparent if record else "")
    ended: Ended = "failed"
    with span(LOOK, kind, parent=story, subject=request.subject.key) as note:
        try:
            ended = await _pass(request, record, world)
        finally:
            note.say(outcome=ended)
            count(RECONCILES, subject=kind, outcome=ended)


async def _pass(request: ReconcileRequest, record: Record | None, world: World) -> Ended:
    if record is None:
        return "unknown"
    if record.wake_id != request.wake_id:
        # A newer wake-up is on its way. If this one came back from a pass that died, it may have left a word unread.
        await _answer_requests(request.subject, world)
        return "stale"
    now = world.clock.now()
    if record.lease_until is not None and record.lease_until > now:
        # The holder's own wake-up makes this one stale; if the holder died, this one takes over.
        await world.queue.send(request, (record.lease_until - now).total_seconds() + 1)
        return "held"
    try:
        record = await _with_lease(record, world)
    except RecordConflict:
        return "lost"  # whoever wrote first has sent, or will send, a message of its own
    failure: Exception | None = None
    look = Look(record, Plan((), ("Look",), (), 60))
    try:
        async with asyncio.timeout(world.pass_seconds):
            look = await _look(record, world)
            record = look.record
            if look.plan.next_steps:
                record = await world.records.save(intended(record, look.plan.next_steps, world.moment()))
                record, failure = await _act(record, look.plan.next_steps, world)
    except RecordConflict:
        return "lost"  # the lease ran out and another pass has it: what it needs stands in the record
    except Exception as error:  # noqa: BLE001 - the record is released first, then it is raised
        failure = error
    record = _with_conditions(record, look.plan, world, failure)
    try:
        async with asyncio.timeout(TELLING_SECONDS):
            record = await tell(record, look, world)  # what a pass that died has left
            record = await judged(record, look, world)
            record = await tell(record, look, world)
    except RecordConflict:
        if failure is None:
            return "lost"  # as above
        raise failure from None
    except Exception as error:  # noqa: BLE001 - as above
        failure = failure or error
    if failure is not None:
        log.error("%s: the look ended in an error, and is had again: %s", request.subject, failure)
    try:
        await _release(record, look, world, failed=failure is not None)
    except RecordConflict:
        if failure is None:
            return "lost"  # as above
        raise failure from None
    for condition in look.plan.conditions:
        if condition.status != "True":
            count(WAITS, condition=condition.type, reason=condition.reason)
    if look.plan.wakes is not None:
        await request_look(look.plan.wakes, world)
    await _answer_requests(request.subject, world)
    if failure is not None:
        raise failure
    return "acted" if look.plan.next_steps else "waiting" if look.plan.remaining else "at_rest"


async def _answer_requests(subject: Subject, world: World) -> None:
    """What was asked for during a pass. While yet another pass holds the lease, the word stays for that one."""
    asked_at = await world.records.requested(subject)
    if asked_at is not None and await request_look(subject, world, asked_at):
        await world.records.clear_requested(subject, asked_at)


async def _look(record: Record, world: World) -> Look:
    if isinstance(record.subject, ClusterId):
        return await look_at_cluster(record, world)
    return await look_at_region(record, world)


async def _with_lease(record: Record, world: World) -> Record:
    """Takes the lease by a conditional write. `due_at` becomes the lease's end: that is when somebody must look again
    if this pass dies. Raises RecordConflict."""
    now = world.clock.now()
    until = now + timedelta(seconds=world.lease_seconds)
    if record.requested_at is not None:
        record = replace(record, requested_at=None, stale_before=now)
    record = replace(in_a_story(record, now), lease_id=world.new_id(), lease_until=until, due_at=until)
    return await saved(record, world)


async def _act(record: Record, steps: tuple[Step, ...], world: World) -> tuple[Record, Exception | None]:
    """Starts every step at once. An exception nobody expected keeps its intent; the other outcomes still count."""
    outcomes = await asyncio.gather(*(_apply(record.subject, s, world) for s in steps), return_exceptions=True)
    failure: Exception | None = None
    for step, outcome in zip(steps, outcomes, strict=True):
        if isinstance(outcome, Exception):
            failure = outcome
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            record = remember(record, step, outcome, world.moment())
    return record, failure


async def _apply(subject: Subject, step: Step, world: World) -> StepOutcome:
    name, said = type(step).__name__, "error"
    with span(STEP, name, subject=subject.key, key=step.key) as note:
        try:
            outcome = await world.actor.apply(subject, step)
            said = outcome.error.kind if isinstance(outcome, Failed) else type(outcome).__name__.lower()
        finally:
            note.say(outcome=said)
            count(STEPS_SENT, step=name, outcome=said)
        if isinstance(outcome, Failed):
            note.fail(outcome.error.code)
    return outcome


def _with_conditions(record: Record, plan: Plan, world: World, failure: Exception | None) -> Record:
    """What is true now, and how many looks in a row have failed."""
    failures = record.failures + 1 if failure else 0
    said = plan.conditions
    if failures >= FAILURES_UNTIL_SAID:
        why = f"{failures} looks in a row ended in an error ({type(failure).__name__})."
        said = (*said, _reconcile_failed(record.subject, why, world.clock.now()))
    conditions = {**record.conditions}
    for condition in said:
        conditions[condition.type] = carried_over(condition, record.conditions.get(condition.type))
    return replace(record, conditions=conditions, failures=failures)


async def _release(record: Record, look: Look, world: World, *, failed: bool) -> None:
    """Writes what was learned with the next wake-up in it, then sends that wake-up."""
    moment = world.moment()
    if failed:
        failures = max(1, record.failures)
        record, wait = replace(record, failures=failures), min(60.0 * 2**failures, 3600.0)
    else:
        wait = sooner(look.plan.requeue_after, alerts_change_in(record, look, world))
    due_at = None if wait is None else moment.after(wait * (1 + 0.1 * world.jitter()))
    if not (failed or look.plan.remaining) or wait is None or wait > STORY_PAUSE or _told_long(record, moment):
        record = replace(record, traceparent="", story_since=None)
    record = await saved(
        replace(record, due_at=due_at, wake_id=world.new_id(), lease_id="", lease_until=None),
        world,
    )
    await send_wake_up(record, world)


def _told_long(record: Record, moment: Moment) -> bool:
    return record.story_since is not None and moment.since(record.story_since) > LONGEST_STORY


async def requeue_overdue(world: World, limit: int = 200, grace: float = 30.0) -> int:
    """Send the wake-ups that were lost: at most `limit`, spread over a minute, and each not again for five. Returns
    how many. `grace` is in Azure's seconds."""
    now = world.clock.now()
    sent = 0
    async for record in world.records.overdue(world.moment().after(-grace), limit):
        if record.lease_until is not None and record.lease_until > now:
            continue
        later = replace(record, due_at=world.moment().after(300), wake_id=record.wake_id or world.new_id())
        try:
            await world.records.save(replace(later, lease_id="", lease_until=None))
        except RecordConflict:
            continue  # somebody is at it
        request = ReconcileRequest(record.subject, later.wake_id, later.traceparent)
        await world.queue.send(request, world.jitter() * 60 / world.time_scale)
        sent += 1
    return sent


async def set_aside(request: ReconcileRequest, world: World, why: str) -> None:
    """A message that failed too often: say so in a condition and come back in an hour. Nothing is forgotten."""
    for _ in range(5):
        record = await world.records.get(request.subject)
        if record is None or record.wake_id != request.wake_id:
            return  # nobody to look at, or a newer wake-up is on its way
        moment = world.moment()
        condition = _reconcile_failed(request.subject, why, moment.now)
        old = record.conditions.get(condition.type)
        conditions = {**record.conditions, condition.type: carried_over(condition, old)}
        late = replace(record, conditions=conditions, due_at=moment.after(3600), wake_id=world.new_id())
        late = replace(late, traceparent="", story_since=None)
        try:
            saved = await world.records.save(late)
        except RecordConflict:
            continue
        await send_wake_up(saved, world)
        return
    raise RecordConflict(f"{request.subject}: others kept writing first")


def _reconcile_failed(subject: Subject, why: str, now: datetime) -> Condition:
    return Condition(
        summary_of(subject),
        "Unknown",
        "ReconcileFailed",
        f"Looking at {subject} failed again and again: {why}",
        now,
        "See the app's log for the error; the Guard looks again within an hour.",
    )
