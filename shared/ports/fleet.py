"""What a sweep needs: the fleet as Azure shows it, where its results lie, and the circuit breaker of repairs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.compliance import JudgedCluster, SweepSummary, VerdictChange
from shared.domain.facts import Fact
from shared.domain.fleet import FleetBatch, FleetScope, Scope, SharedFacts, Source
from shared.domain.ids import ClusterId
from shared.domain.sweeps import Batch, SweepRun


class FleetReader(Protocol):
    """Asks Resource Graph about many clusters at once. An answer is whole, or it is an Unobserved fact (or an error in
    its Source) that says why not."""

    async def scope(self, scope: Scope) -> FleetScope:
        """The subscriptions in scope and how many clusters each has. Raises GuardError."""
        ...

    async def shared(self) -> SharedFacts:
        """Vaults and policies of everything the caller may read."""
        ...

    async def batch(self, subscriptions: Sequence[str]) -> FleetBatch:
        """Every cluster of these subscriptions. Raises GuardError when the clusters themselves cannot be listed."""
        ...

    async def cluster_ids(self, subscriptions: Sequence[str]) -> Sequence[ClusterId]:
        """Only who is there. Raises GuardError."""
        ...

    async def matching(self, query: str, subscriptions: Sequence[str]) -> tuple[Mapping[str, str], Source]:
        """Of a user's own query: what it says (`message`, or nothing) by lower-case `id`. Raises GuardError."""
        ...

    async def diagnosed(self, vault_id: str) -> bool:
        """Whether a diagnostic setting sends the vault's backup jobs anywhere; one call of ARM. Raises GuardError."""
        ...

    async def exists(self, cluster: ClusterId) -> bool:
        """Whether ARM has the cluster: one call. Raises GuardError, also when the caller may not know."""
        ...


@dataclass(frozen=True, slots=True)
class RepairHold:
    """Why drift is not repaired until a person says so. `clusters` of `fleet` would have changed at once."""

    sweep_id: str
    at: datetime
    clusters: int
    fleet: int


class RepairBreaker(Protocol):
    """The circuit breaker of repairs (table `switches`)."""

    async def held(self) -> RepairHold | None: ...

    async def hold(self, hold: RepairHold) -> None: ...

    async def approve(self, by: str, at: datetime, until: datetime) -> RepairHold | None:
        """Let the repairs go on, and keep the breaker from opening again before `until`. The hold that was lifted; None
        when there was none."""
        ...

    async def approved_until(self) -> datetime | None: ...


class SweepBook(Protocol):
    """The sweeps (table `sweeps`). A sweep shows only when it is complete."""

    async def latest(self) -> SweepSummary | None: ...

    async def summaries(self, limit: int) -> Sequence[SweepSummary]:
        """The newest, newest first."""
        ...

    def clusters(self, sweep_id: str) -> AsyncIterator[JudgedCluster]:
        """Everything the sweep judged; nothing when it is no longer kept."""
        ...

    def changes(self, since: datetime, cluster_id: str | None = None) -> AsyncIterator[VerdictChange]:
        """What changed between sweeps, newest first; of one cluster (any spelling), or of all."""
        ...


class SweepStore(SweepBook, Protocol):
    """The same for who writes them. A batch shows only with the summary, so that writing it again replaces it."""

    async def run(self) -> SweepRun | None:
        """The sweep under way, or the last one that was."""
        ...

    async def save_run(self, run: SweepRun) -> SweepRun:
        """Raises RecordConflict when somebody else wrote first."""
        ...

    async def write_batch(
        self, sweep_id: str, number: int, clusters: Sequence[JudgedCluster], changes: Sequence[VerdictChange]
    ) -> tuple[int, int]:
        """How many rows the clusters, and the changes, have become."""
        ...

    async def finish(self, summary: SweepSummary, batches: Sequence[Batch]) -> None:
        """From now on the sweep shows."""
        ...

    def before(self, sweep_id: str, subscriptions: Sequence[str]) -> AsyncIterator[JudgedCluster]:
        """What a finished sweep judged of these subscriptions (lower-case)."""
        ...

    def changes_of(self, sweep_id: str) -> AsyncIterator[VerdictChange]:
        """Of a finished sweep, those of one cluster behind each other."""
        ...

    async def diagnostics(self) -> Mapping[str, Fact[bool]]:
        """What single reads of vaults have said, by lower-case vault id."""
        ...

    async def keep_diagnostics(self, diagnostics: Mapping[str, Fact[bool]]) -> None: ...

    async def drop(self, sweep_id: str) -> None:
        """Forget a sweep that never finished."""
        ...

    async def forget(self, clusters_before: datetime, all_before: datetime) -> None:
        """Forget the clusters of finished sweeps that began before the one, and all of those before the other."""
        ...
