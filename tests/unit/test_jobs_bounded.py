"""A job of any size becomes one that fits into a row, and says how much is missing."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import ClusterId
from shared.domain.jobs import EndedJob, JobIssue, bounded

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLUSTER = ClusterId("00000000-0000-0000-0000-000000000001", "rg", "aks-1")

texts = st.text(max_size=30) | st.builds(str.__mul__, st.text(min_size=1, max_size=3), st.integers(1, 20_000))
issues = st.builds(JobIssue, texts, texts, texts, texts)
many = st.builds(lambda few, times: tuple(few * times), st.lists(issues, max_size=3), st.integers(1, 500))


def a_job(errors: tuple[JobIssue, ...] = (), warnings: tuple[JobIssue, ...] = ()) -> EndedJob:
    return EndedJob("/vault/backupJobs/j", CLUSTER, "/i", "Backup", "failed", True, NOW, NOW, errors, warnings)


@given(many, many)
def test_a_bounded_job_is_small_counted_and_bounded_once(
    errors: tuple[JobIssue, ...], warnings: tuple[JobIssue, ...]
) -> None:
    job = a_job(errors, warnings)
    kept = bounded(job)
    size = len(json.dumps([[i.code, i.message, i.recommended_action, i.resource] for i in kept.errors + kept.warnings]))
    assert size < 120_000
    assert len(kept.errors) + len(kept.warnings) + kept.left_out == len(errors) + len(warnings)
    assert bounded(kept) == kept
    assert kept.key == job.key
    assert not kept.warnings or len(kept.errors) == len(errors), "errors come first"


def test_an_ordinary_job_stays_as_it_is() -> None:
    warnings = tuple(JobIssue("PVNotSupported", "Grüße 😀", "do this", f"web/data-{number}") for number in range(200))
    job = a_job((JobIssue("Code"),), warnings)
    assert bounded(job) == job
