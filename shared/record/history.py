"""Ended jobs and out-of-memory kills, one row each. The rows of one cluster are one partition, so that its history is
one query."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from shared.domain.errors import RecordConflict
from shared.domain.ids import ClusterId, row_key
from shared.domain.jobs import ClusterHistory, EndedJob, OutOfMemorySign, bounded
from shared.ports import News
from shared.record.entity import (
    RecordUnreadableError,
    as_column,
    dump,
    get_json,
    load,
    put_json,
)
from shared.record.keys import JOBS, RowAddress
from shared.record.retry import repeated
from shared.record.storage import Row, Storage

_JOB, _SIGN = "job", "out-of-memory"
_KINDS: Mapping[str, type[News]] = {_JOB: EndedJob, _SIGN: OutOfMemorySign}
_RACES = 5


class TableJobHistory:
    """`ports.JobHistory` on the table `jobs`. Everything raises TransientError, and RecordUnreadableError for a row
    that this version cannot read: a history with a hole would mislead whoever decides by it."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def of(self, cluster: ClusterId, since: datetime) -> ClusterHistory:
        async def once() -> list[Row]:
            async with self._storage.table(JOBS, "read a cluster's jobs") as client:
                rows = client.query_entities(
                    "PartitionKey eq @partition and ended_at ge @since",
                    parameters={"partition": row_key(cluster.key), "since": as_column(since)},
                )
                return [row async for row in rows]

        return history_of(await repeated()(once))

    async def knows(self, news: News) -> bool:
        row = await self._storage.read(JOBS, job_address(news))
        return row is not None and not tells_more(news, from_job_row(row))

    async def add(self, news: News) -> bool:
        """After a TransientError it may be there. Raises RecordConflict when others kept writing first."""
        for _ in range(_RACES):
            row = await self._storage.read(JOBS, job_address(news))
            if row is not None and not tells_more(news, from_job_row(row)):
                return False
            with suppress(RecordConflict):
                await self._storage.write(JOBS, to_job_row(news), row["etag"] if row else "")
                return True
        raise RecordConflict(f"{news.key}: others kept writing first")


def tells_more(news: News, known: News) -> bool:
    """Whether the details of a job, or at least the reason of its failure, come with `news` first."""
    return _told(news) > _told(known)


def _told(news: News) -> int:
    if isinstance(news, OutOfMemorySign) or news.detailed:
        return 2
    return 0 if news.needs_details else 1


def history_of(rows: list[Row]) -> ClusterHistory:
    """Raises RecordUnreadableError."""
    news = sorted((from_job_row(row) for row in rows), key=lambda one: (ended_at(one), one.key))
    return ClusterHistory(
        jobs=tuple(one for one in news if isinstance(one, EndedJob)),
        signs=tuple(one for one in news if isinstance(one, OutOfMemorySign)),
    )


def ended_at(news: News) -> datetime:
    return news.ended_at if isinstance(news, EndedJob) else news.at


def job_address(news: News) -> RowAddress:
    news = bounded(news)
    return RowAddress(row_key(news.cluster.key), row_key(news.arm_id if isinstance(news, EndedJob) else news.key))


def to_job_row(news: News) -> dict[str, Any]:
    """What is too much for a row is left out, and counted."""
    news = bounded(news)
    row: dict[str, Any] = job_address(news).as_columns()
    row |= {"cluster_id": news.cluster.arm_id, "ended_at": as_column(ended_at(news))}
    if isinstance(news, EndedJob):
        issues = news.errors or news.warnings
        row |= {
            "kind": _JOB,
            "status": news.status,
            "operation": news.operation,
            "code": issues[0].code if issues else "",
            "started_at": as_column(news.started_at),
            "vault_id": news.vault_id,
        }
    else:
        row["kind"] = _SIGN
    put_json(row, "document", dump(type(news), news))
    return row


def from_job_row(row: Row) -> News:
    """Raises RecordUnreadableError."""
    try:
        news: News = load(_KINDS[row["kind"]], get_json(row, "document"))
    except (KeyError, TypeError, ValueError) as error:
        whose = row.get("cluster_id") or row.get("PartitionKey")
        raise RecordUnreadableError(f"the job {row.get('RowKey')} of {whose} cannot be read: {error}") from error
    return news
