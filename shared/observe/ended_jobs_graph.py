"""Ended jobs in Resource Graph: minutes old, and kept for 14 days (Azure Backup: query jobs by Resource Graph page)."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from shared.arm.client import ArmClient
from shared.arm.resource_graph import query
from shared.domain.jobs import EndedJob
from shared.observe.ended_jobs import parse_ended_job
from shared.observe.fields import JsonObject, needed_text
from shared.observe.queries import ended_jobs_in_graph
from shared.observe.rows import Rows

_DAY = 24 * 3600.0


class ResourceGraphJobs:
    """`ports.JobSource`. Without subscriptions every one is asked that the app's identity may read."""

    name = "resource-graph"
    keeps = 14 * _DAY
    overlap = 3600.0
    """How late a change is seen is promised nowhere: usually seconds to minutes."""

    def __init__(self, arm: ArmClient, subscriptions: Sequence[str] = ()) -> None:
        self._arm, self._subscriptions = arm, tuple(subscriptions)
        self.rows = Rows(self.name)

    async def ended_since(self, since: datetime) -> AsyncIterator[EndedJob]:
        found = await query(self._arm, ended_jobs_in_graph(since), self._subscriptions)
        for job in sorted(self.rows.read(found, _parse), key=lambda job: (job.ended_at, job.arm_id)):
            yield job


def _parse(row: JsonObject) -> EndedJob | None:
    """The columns are named as the job's properties are."""
    return parse_ended_job(needed_text(row, "id"), row)
