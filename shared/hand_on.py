"""What was found goes on its way: details are asked for, it is published, and what nobody heard is taken in here."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import batched

from shared.announce import own_alert, own_alert_over
from shared.domain.alerts import Cause
from shared.domain.errors import BlockedError, GuardError, TransientError
from shared.domain.jobs import EndedJob, OutOfMemorySign
from shared.domain.time import Moment
from shared.ports import EventTopic, News, OutgoingNews
from shared.telemetry import count
from shared.telemetry.catalogue import PUBLICATIONS
from shared.wake import request_look
from shared.world import World

log = logging.getLogger(__name__)

PATIENCE = 900.0
"""Azure's seconds for which news waits for its details before it is published without them."""
UNHEARD = 600.0
"""Azure's seconds after which published news that did not come back is taken in directly."""
LATE_DETAILS = 7200.0
"""Azure's seconds for which details of news that went without them are still asked for."""
GIVE_UP = 3 * 86400.0
"""Azure's seconds after which the topic is no longer tried for it: the Guard itself has long taken it in; nor the jobs
API for a job that somebody only mentioned."""
MOST_DETAILS = 60
"""Calls of the jobs API a run. A subscription's allowance was recorded as 200 in a window nobody publishes: the loop,
which watches its own backups, and people need the rest."""
_PUBLISHED_AT_ONCE = 100
_TOPIC_CAUSE = "EventTopic"


class Failures:
    """One job that cannot be handed on keeps no other back: its error is raised when everything else is done."""

    def __init__(self) -> None:
        self._first: Exception | None = None

    @contextmanager
    def kept(self, what: str, but: type[Exception] | tuple[()] = ()) -> Iterator[None]:
        """Log and keep an exception, unless it is one of `but`."""
        try:
            yield
        except but:
            raise
        except Exception as error:  # noqa: BLE001 - raised by `raise_first`
            log.error("%s: %s: %s", what, type(error).__name__, error)
            self._first = self._first or error

    def raise_first(self) -> None:
        if self._first is not None:
            raise self._first


async def take_in(news: News, world: World) -> None:
    """Keep it and have its cluster looked at. Both are done again when it comes again: a death between them, then,
    leaves nothing undone."""
    await world.history.add(news)
    await request_look(news.cluster, world, news=True)


async def hand_on(entries: Sequence[OutgoingNews], world: World, failures: Failures) -> tuple[int, int]:
    """How many were published, and how many wait for their details."""
    moment = world.moment()
    late = await _settle([entry for entry in entries if entry.published_at is not None], world, failures)
    fresh = [entry for entry in entries if entry.published_at is None]
    fresh = await _with_details(fresh, late, world, failures)
    ready = sorted((entry for entry in fresh if is_ready(entry, moment)), key=lambda entry: entry.found_at)
    published = await _publish(ready, world, failures)
    return published, len(fresh) - len(ready)


def lacks_details(entry: OutgoingNews) -> bool:
    return entry.news is None or (isinstance(entry.news, EndedJob) and entry.news.needs_details)


def is_ready(entry: OutgoingNews, moment: Moment) -> bool:
    """Whether it may be published as it is."""
    if entry.news is None:
        return False
    return not lacks_details(entry) or moment.since(entry.found_at) >= PATIENCE


async def _settle(published: Iterable[OutgoingNews], world: World, failures: Failures) -> list[OutgoingNews]:
    """Drop what the history knows, take in what it should know by now. The answer are those whose details are missed
    and may still be had."""
    moment, late = world.moment(), []
    for entry in published:
        if entry.news is None or entry.published_at is None:
            continue
        with failures.kept(entry.key):
            unheard = moment.since(entry.published_at) >= UNHEARD
            if not await world.history.knows(entry.news):
                if unheard:
                    log.warning("%s was published and did not come back: taken in directly", entry.key)
                    await _take_in_directly(entry, world)
            elif lacks_details(entry) and moment.since(entry.found_at) < LATE_DETAILS:
                late.append(entry)
            else:
                if unheard:  # perhaps taken in above by a run that died before it asked for a look
                    await request_look(entry.news.cluster, world, news=True)
                await world.outbox.drop_news(entry)
    return late


async def _with_details(
    fresh: Sequence[OutgoingNews], late: Sequence[OutgoingNews], world: World, failures: Failures
) -> list[OutgoingNews]:
    """The fresh ones that remain, with the details that could be had. First those that wait, the longest waiting
    first; then what somebody only mentioned, then what is late anyway."""
    moment = world.moment()
    remaining = {entry.key: entry for entry in fresh}
    waiting = sorted((entry for entry in fresh if lacks_details(entry)), key=lambda e: (e.news is None, e.found_at))
    troubles, answered = 0, set[str]()
    try:
        async with asyncio.timeout(world.pass_seconds / 3):
            for entry in (*waiting, *late)[:MOST_DETAILS]:
                try:
                    with failures.kept(entry.key, but=GuardError):
                        await _ask(entry, remaining, world)
                        answered.add(entry.key)
                    troubles = 0
                except TransientError as error:
                    troubles += 1
                    log.warning("details of %s are to be had later: %s", entry.job_id, error)
                    if error.retry_after is not None or troubles > 1:
                        break  # Azure wants to be left alone; one error alone may be that job's
                except GuardError as error:
                    log.warning("no details of %s: %s", entry.job_id, error)
    except TimeoutError:
        log.warning("details of jobs took too long; the next run goes on")
    for entry in waiting:
        patience = PATIENCE if entry.key in answered else GIVE_UP
        if remaining.get(entry.key) is entry and entry.news is None and moment.since(entry.found_at) >= patience:
            log.warning("dropped %s: somebody said that it ended, and Azure does not say so", entry.job_id)
            await world.outbox.drop_news(entry)
            del remaining[entry.key]
    return list(remaining.values())


async def _ask(entry: OutgoingNews, remaining: dict[str, OutgoingNews], world: World) -> None:
    """Put the job's details into its entry, or be done with it. Raises GuardError."""
    job = await world.job_reader.read(entry.job_id)
    if job is None or job.needs_details:
        return
    if entry.published_at is not None:
        await take_in(job, world)
    elif entry.news is not None or not await world.history.knows(job):
        remaining[entry.key] = replace(entry, job_id=job.arm_id, news=job)
        await world.outbox.put_news(remaining[entry.key])
        return
    await world.outbox.drop_news(entry)
    remaining.pop(entry.key, None)


async def _publish(ready: Sequence[OutgoingNews], world: World, failures: Failures) -> int:
    """How many went out. With no topic, or with one that does not work for long, they are taken in here."""
    if world.topic is None:
        for entry in ready:
            with failures.kept(entry.key):
                await _take_in_directly(entry, world)
        return len(ready)
    published = await _publish_to(world.topic, ready, world)
    moment = world.moment()
    for entry in ready[published:]:
        age = moment.since(entry.found_at)
        if entry.news is None or age < PATIENCE + UNHEARD:
            continue
        with failures.kept(entry.key):
            if not await world.history.knows(entry.news):
                await take_in(entry.news, world)
            if age >= GIVE_UP:
                log.error("%s was never published: the topic did not take it for days", entry.key)
                await request_look(entry.news.cluster, world, news=True)
                await world.outbox.drop_news(entry)
    return published


async def _publish_to(topic: EventTopic, ready: Sequence[OutgoingNews], world: World) -> int:
    published = 0
    for group in batched(ready, _PUBLISHED_AT_ONCE, strict=False):
        try:
            await topic.publish_news([entry.news for entry in group if entry.news is not None])
        except GuardError as error:
            log.warning("news was not published: %s", error)
            count(PUBLICATIONS, len(group), outcome="refused")
            if isinstance(error, BlockedError):
                await own_alert(_topic_cause(error, group[0]), world)
            return published
        at = world.clock.now()
        await asyncio.gather(*(_published(entry, at, world) for entry in group))
        published += len(group)
        count(PUBLICATIONS, len(group), outcome="published")
    if published:
        await own_alert_over(_TOPIC_CAUSE, world)
    return published


async def _published(entry: OutgoingNews, at: datetime, world: World) -> None:
    """A job comes back as an event. A kill is taken in here: what an event says of it could not be checked."""
    if isinstance(entry.news, OutOfMemorySign):
        await _take_in_directly(entry, world)
    else:
        await world.outbox.put_news(replace(entry, published_at=at))


async def _take_in_directly(entry: OutgoingNews, world: World) -> None:
    """And be done with it, unless its details may still be had."""
    if entry.news is None:
        return
    await take_in(entry.news, world)
    if lacks_details(entry) and world.moment().since(entry.found_at) < LATE_DETAILS:
        await world.outbox.put_news(replace(entry, published_at=world.clock.now()))
    else:
        await world.outbox.drop_news(entry)


def _topic_cause(error: GuardError, first: OutgoingNews) -> Cause:
    return Cause(
        key=_TOPIC_CAUSE,
        code=error.code,
        severity="Error",
        title="The Guard's events are not published",
        message=error.message,
        recommended_action=error.recommended_action,
        first_at=first.found_at,
        last_at=first.found_at,
    )
