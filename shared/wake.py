"""Wake-ups: whoever wants a cluster or region looked at asks here. One per subject, however often it is asked for."""

from dataclasses import replace
from datetime import datetime

from shared.domain.conditions import Condition
from shared.domain.errors import GuardError, RecordConflict
from shared.domain.ids import ClusterId, Subject
from shared.domain.observed import ObservedCluster, ObservedRegion
from shared.domain.record import ReconcileRequest, Record
from shared.telemetry import current_traceparent, link_to
from shared.world import World


async def send_wake_up(record: Record, world: World) -> None:
    if record.due_at is not None:
        delay = max(0.0, (record.due_at - world.clock.now()).total_seconds())
        await world.queue.send(ReconcileRequest(record.subject, record.wake_id, record.traceparent), delay)


async def request_look(
    subject: Subject,
    world: World,
    asked_at: datetime | None = None,
    *,
    news: bool = False,
    said: Condition | None = None,
) -> bool:
    """Ask for a look now. Any number of requests before the look make one look. `news`: only its history has something
    new; what was read from Azure stays good, and a cluster nobody knows is not made one of the fleet by it (its first
    look reads the history anyway). `said`: a condition that the look shall find in the record, in the same write; it is
    left out when False is answered. False when nothing was sent: the pass that holds the lease answers, or nobody needs
    to. A look that is not asked for in the middle of a story begins one, in the trace of whoever asks."""
    for _ in range(5):
        now = world.clock.now()
        record = await world.records.get(subject)
        if record is None and news:
            return False
        if record is not None and record.lease_until is not None and record.lease_until > now:
            await world.records.mark_requested(subject, asked_at or now)
            record = await world.records.get(subject)
            if record is not None and record.lease_until is not None and record.lease_until > now:
                link_to(record.traceparent)
                return False  # the holder answers when it is done
        try:
            record = await saved(_asked(_saying(record, said), subject, asked_at or now, world, news=news), world)
        except RecordConflict:
            continue
        link_to(record.traceparent)
        await send_wake_up(record, world)
        return True
    raise RecordConflict(f"{subject}: others kept writing first")


def _saying(record: Record | None, said: Condition | None) -> Record | None:
    if record is None or said is None:
        return record
    return replace(record, conditions={**record.conditions, said.type: said})


def _asked(record: Record | None, subject: Subject, asked_at: datetime, world: World, *, news: bool) -> Record:
    """A wake-up that is due already keeps its id, so that its copies stay copies. A request that is answered late
    never hides a newer one: what is older than the newest is read again."""
    now = world.clock.now()
    if record is None:
        observed = ObservedCluster() if isinstance(subject, ClusterId) else ObservedRegion()
        record = Record(subject, now, observed)
    record = replace(in_a_story(record, now), news_at=max(asked_at, record.news_at or asked_at))
    if not news:
        record = replace(record, requested_at=max(asked_at, record.requested_at or asked_at))
    if record.due_at is not None and record.due_at <= now and record.wake_id:
        return record
    return replace(record, due_at=now, wake_id=world.new_id())


def in_a_story(record: Record, now: datetime) -> Record:
    """In the one it is in, or else in one that begins with the span this is called in."""
    if record.traceparent or not (story := current_traceparent()):
        return record
    return replace(record, traceparent=story, story_since=now)


async def saved(record: Record, world: World) -> Record:
    """Save; after an answer that was lost, read whether it was written. Raises RecordConflict."""
    try:
        return await world.records.save(record)
    except (RecordConflict, GuardError):
        stored = await world.records.get(record.subject)
        if stored is not None and _same_write(stored, record):
            return replace(record, etag=stored.etag)
        raise


def _same_write(stored: Record, meant: Record) -> bool:
    def marks(record: Record) -> tuple[object, ...]:
        return record.lease_id, record.wake_id, record.due_at, record.requested_at, record.news_at

    return marks(stored) == marks(meant)
