"""Out-of-memory kills of the backup extension's containers, where Container insights watches the cluster (table
KubePodInventory): they show before the job that they broke has ended."""

from collections.abc import AsyncIterator
from datetime import datetime

from shared.arm.log_analytics import LogAnalytics
from shared.domain.jobs import OutOfMemorySign
from shared.observe.ended_jobs import cluster_of
from shared.observe.fields import JsonObject, last_segment, needed_moment, needed_text
from shared.observe.queries import POD_INVENTORY, out_of_memory_kills
from shared.observe.rows import Rows

_DAY = 24 * 3600.0


class ContainerInsightsSigns:
    """`ports.JobSource` of one workspace, of all clusters that send to it."""

    keeps = 30 * _DAY
    """The shortest interactive retention a workspace may have."""
    overlap = 30 * 60.0

    def __init__(self, logs: LogAnalytics, workspace_id: str) -> None:
        self._logs, self._workspace_id = logs, workspace_id
        self.rows = Rows(self.name)

    @property
    def name(self) -> str:
        return f"container-insights:{self._workspace_id}"

    async def ended_since(self, since: datetime) -> AsyncIterator[OutOfMemorySign]:
        found = await self._logs.query(self._workspace_id, out_of_memory_kills(since), POD_INVENTORY)
        signs = sorted(self.rows.read(found, _parse), key=lambda sign: (sign.at, sign.pod, sign.container))
        for sign in signs:
            if sign.at >= since:  # a container shows its last end for as long as its pod lives
                yield sign


def _parse(row: JsonObject) -> OutOfMemorySign:
    """ContainerName is `<uid>/<container>`. Raises UnreadableBodyError."""
    return OutOfMemorySign(
        cluster=cluster_of(needed_text(row, "aksCluster")),
        pod=needed_text(row, "Name"),
        container=last_segment(needed_text(row, "ContainerName")),
        at=needed_moment(row, "finishedAt"),
    )
