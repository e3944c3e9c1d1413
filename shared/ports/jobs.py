"""Where news of jobs comes from, and where it is kept."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.ids import ClusterId
from shared.domain.jobs import ClusterHistory, EndedJob, OutOfMemorySign

type News = EndedJob | OutOfMemorySign


class JobHistory(Protocol):
    """Every ended job and out-of-memory kill that is known, each once (table `jobs`)."""

    async def of(self, cluster: ClusterId, since: datetime) -> ClusterHistory:
        """What ended at or after `since`."""
        ...

    async def knows(self, news: News) -> bool:
        """Whether it is there, with details when `news` has details."""
        ...

    async def add(self, news: News) -> bool:
        """Keep it; False when it was there. A job without details gives way to the same one with details."""
        ...


class JobSource(Protocol):
    """One place that knows of ended jobs."""

    @property
    def name(self) -> str: ...

    @property
    def keeps(self) -> float:
        """Seconds it remembers."""
        ...

    @property
    def overlap(self) -> float:
        """Seconds by which a row may come later than others that ended after it."""
        ...

    def ended_since(self, since: datetime) -> AsyncIterator[News]:
        """What ended at or after `since`, oldest first as far as it can. Raises GuardError: an incomplete answer is
        never a short one."""
        ...


class JobReader(Protocol):
    """The jobs API of a vault."""

    async def read(self, job_id: str) -> EndedJob | None:
        """The job in every detail; None when it is not there or has not ended. Raises GuardError."""
        ...


@dataclass(frozen=True, slots=True)
class Watermark:
    """Up to where a source has been read: `through` is Azure's own time of the newest end seen; `failing_since` is set
    while the source cannot be read."""

    source: str
    through: datetime
    failing_since: datetime | None = None
    etag: str = ""


class Watermarks(Protocol):
    async def get(self, source: str) -> Watermark | None: ...

    async def save(self, watermark: Watermark) -> Watermark:
        """Raises RecordConflict when somebody else wrote first."""
        ...
