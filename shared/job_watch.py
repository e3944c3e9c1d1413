"""Finds jobs that have ended and hands them on, at least once, whatever fails or dies on the way: an outbox row is
written before the watermark moves, and it stays until the history knows the job."""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.announce import own_alert, own_alert_over
from shared.domain.alerts import Cause
from shared.domain.errors import GuardError, RecordConflict
from shared.domain.jobs import EndedJob, job_key
from shared.domain.time import Moment
from shared.hand_on import Failures, hand_on
from shared.ports import JobSource, News, OutgoingNews, Watermark
from shared.telemetry import count
from shared.telemetry.catalogue import JOB_SOURCES
from shared.world import World

log = logging.getLogger(__name__)

FIRST_LOOK = timedelta(days=1)
"""How far back a source is read that was never read before."""
LOOK_BACK_EVERY, LOOK_BACK = timedelta(days=1), timedelta(days=2)
"""Once a day a source is read this far back, for rows that came later than its overlap allows for."""
FAILING_SAID_AFTER = 3600.0
"""Azure's seconds for which a source may fail before somebody is told."""
_AT_ONCE = 16
"""Rows that are looked up in storage at the same time."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What one run did: new jobs and signs found, published (or taken in, without a topic), those that wait for their
    details, times nobody can tell about any more, and sources that could not be read."""

    found: int = 0
    published: int = 0
    waiting: int = 0
    gaps: int = 0
    failing: int = 0


@dataclass(frozen=True, slots=True)
class _Reading:
    found: int = 0
    gap: bool = False
    failed: bool = False


async def watch_jobs(world: World) -> Watched:
    """One run. A source that cannot be read is tried again by the next, and hinders no other. Raises TransientError
    when storage is not to be had, and TimeoutError; then the next run goes on from where this one came."""
    failures, readings = Failures(), [_Reading()]
    async with asyncio.timeout(world.pass_seconds):
        entries = {entry.key: entry async for entry in world.outbox.outgoing_news()}
        for source in world.job_sources:
            with failures.kept(source.name):
                readings.append(await _read(source, entries, world))
        published, waiting = await hand_on(tuple(entries.values()), world, failures)
    failures.raise_first()
    return Watched(
        found=sum(reading.found for reading in readings),
        published=published,
        waiting=waiting,
        gaps=sum(reading.gap for reading in readings),
        failing=sum(reading.failed for reading in readings),
    )


async def mention_job(job_id: str, world: World) -> None:
    """Somebody says that the job with this ARM id has ended: the next run asks Azure about it, once however often it is
    said, and forgets it when Azure knows nothing of it."""
    key = job_key(job_id)
    async for entry in world.outbox.outgoing_news():
        if entry.key == key:
            return
    await world.outbox.put_news(OutgoingNews(key, job_id, world.clock.now(), None))


async def _read(source: JobSource, entries: dict[str, OutgoingNews], world: World) -> _Reading:
    """Notes what is new in `entries` and in the outbox, and only then moves the watermark."""
    moment = world.moment()
    mark = await world.watermarks.get(source.name)
    looked_back = await world.watermarks.get(_looked_back(source))
    back = looked_back is None or moment.now - looked_back.through >= LOOK_BACK_EVERY
    since = read_since(mark, source.overlap, moment, look_back=back)
    try:
        ended = [news async for news in source.ended_since(since)]
    except GuardError as error:
        log.warning("%s could not be read for ended jobs: %s", source.name, error)
        count(JOB_SOURCES, outcome="failed")
        await _keep_as_failing(source, mark, since, error, world)
        return _Reading(failed=True)
    count(JOB_SOURCES, outcome="read")
    found = await _note(ended, entries, world)
    gap = find_gap(mark, looked_back, source.keeps, moment.now)
    if gap is not None:
        log.error("%s: ended jobs from %s to %s are lost to it", source.name, *gap)
        count(JOB_SOURCES, outcome="gap")
        await own_alert(_gap_cause(source, *gap), world)
    elif back:
        await own_alert_over(_gap_key(source), world)
    if mark is not None and mark.failing_since is not None:
        await own_alert_over(_failing_key(source), world)
    newest = max((min(ended_at(news), moment.now) for news in ended), default=since)
    await _move(source.name, newest, world)
    if back:
        await _move(_looked_back(source), moment.now, world)
    return _Reading(found, gap is not None)


def read_since(mark: Watermark | None, overlap: float, moment: Moment, *, look_back: bool) -> datetime:
    """From where a source is read. The watermark is Azure's own time, so that a step of our clock skips nothing; what
    the source has forgotten by now is no reason to leave out the rest."""
    if mark is None:
        return moment.now - FIRST_LOOK
    since = min(mark.through, moment.now) - timedelta(seconds=overlap / moment.scale)
    return min(since, moment.now - LOOK_BACK) if look_back else since


def find_gap(
    mark: Watermark | None, looked_back: Watermark | None, keeps: float, now: datetime
) -> tuple[datetime, datetime] | None:
    """The time whose jobs ended unseen and that the source has forgotten. A watermark alone can be old because nothing
    ended since; a look back, once a day, says that somebody looked."""
    if mark is None:
        return None
    seen = max(mark.through, looked_back.through if looked_back else mark.through)
    forgotten = now - timedelta(seconds=keeps)
    return (seen, forgotten) if seen < forgotten else None


def ended_at(news: News) -> datetime:
    return news.ended_at if isinstance(news, EndedJob) else news.at


async def _note(ended: list[News], entries: dict[str, OutgoingNews], world: World) -> int:
    """Write an outbox row for each that neither the history nor the outbox knows; how many those are."""
    at_once = asyncio.Semaphore(_AT_ONCE)
    best: dict[str, News] = {}
    for news in ended:
        if news.key not in best or _says_more(news, best[news.key]):
            best[news.key] = news

    async def note(news: News) -> int:
        async with at_once:
            entry = entries.get(news.key)
            if entry is None and await world.history.knows(news):
                return 0
            if entry is not None and entry.news is not None and not _says_more(news, entry.news):
                return 0
            job_id = news.arm_id if isinstance(news, EndedJob) else ""
            new = OutgoingNews(news.key, job_id, world.clock.now(), news)
            if entry is not None:
                new = replace(entry, job_id=job_id, news=news)
            await world.outbox.put_news(new)
            entries[news.key] = new
            return int(entry is None)

    return sum(await asyncio.gather(*(note(news) for news in best.values())))


def _says_more(news: News, than: News) -> bool:
    """Whether the jobs API need not be asked, thanks to this one."""
    return isinstance(news, EndedJob) and isinstance(than, EndedJob) and than.needs_details and not news.needs_details


async def _keep_as_failing(
    source: JobSource, mark: Watermark | None, since: datetime, error: GuardError, world: World
) -> None:
    moment = world.moment()
    failing = mark or Watermark(source.name, since)
    if failing.failing_since is None:
        failing = replace(failing, failing_since=moment.now)
        try:
            failing = await world.watermarks.save(failing)
        except RecordConflict:
            return  # another host reads it too, and writes how it went
    if failing.failing_since is not None and moment.since(failing.failing_since) >= FAILING_SAID_AFTER:
        await own_alert(_failing_cause(source, failing.failing_since, error), world)


async def _move(name: str, through: datetime, world: World) -> None:
    """Never back, but for a watermark that lies ahead of our clock: nothing real has ended there."""
    for _ in range(5):
        mark = await world.watermarks.get(name)
        newest = through if mark is None else max(through, min(mark.through, world.clock.now()))
        moved = Watermark(name, newest, etag=mark.etag if mark else "")
        if moved == mark:
            return
        try:
            await world.watermarks.save(moved)
        except RecordConflict:
            continue  # another host moved it: what both have noted stands in the outbox
        return
    log.warning("%s: the watermark stays, others kept writing first", name)


def _looked_back(source: JobSource) -> str:
    """Under this name stands when, by our clock, the source was last read far back."""
    return f"{source.name}|looked-back"


def _gap_key(source: JobSource) -> str:
    return f"JobGap:{source.name}"


def _failing_key(source: JobSource) -> str:
    return f"JobSource:{source.name}"


def _gap_cause(source: JobSource, start: datetime, end: datetime) -> Cause:
    span = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    return Cause(
        key=_gap_key(source),
        code="JobsNotSeen",
        severity="Error",
        title="Ended backup jobs were not seen",
        message=f"{source.name} was not read for longer than it remembers: jobs that ended from {span} are unknown to "
        "the Guard, unless another source told of them.",
        recommended_action="Look through the vaults' jobs of that time, and see why the Guard did not run.",
        first_at=start,
        last_at=end,
    )


def _failing_cause(source: JobSource, since: datetime, error: GuardError) -> Cause:
    return Cause(
        key=_failing_key(source),
        code=error.code,
        severity="Error",
        title="Ended backup jobs cannot be read",
        message=f"{source.name} has not been readable since {since:%Y-%m-%d %H:%M} UTC: {error.message}",
        recommended_action=error.recommended_action or "See that the Guard's identity may read it.",
        first_at=since,
        last_at=since,
    )
