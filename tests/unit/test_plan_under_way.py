"""The proof that no backup runs grows old while a look takes its time."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.facts import UNOBSERVED, Fact, Present
from shared.domain.observed import ObservedCluster, RunningJob
from shared.domain.steps import DeleteExtension, StartBackup, Step, UpdateExtension
from shared.plan.under_way import PROOF_HOLDS, still_quiet

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BACKUP = StartBackup("/instance", "BackupDaily", "On")
STEPS: tuple[Step, ...] = (UpdateExtension("/extension", {}), DeleteExtension("/extension"), BACKUP)


@pytest.mark.parametrize(
    ("proof", "left"),
    [
        (Present[tuple[RunningJob, ...]]((), NOW - PROOF_HOLDS), STEPS),
        (Present[tuple[RunningJob, ...]]((), NOW - PROOF_HOLDS - timedelta(seconds=1)), (BACKUP,)),
        (UNOBSERVED, (BACKUP,)),
    ],
)
def test_what_would_cut_a_backup_needs_a_proof_that_is_fresh(
    proof: Fact[tuple[RunningJob, ...]], left: tuple[Step, ...]
) -> None:
    assert still_quiet(STEPS, ObservedCluster(running_jobs=proof), NOW) == left
