"""Jobs and refusals as they were recorded of the real Azure. Skipped where there are no recordings at hand."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.arm.answer import read_error
from shared.domain.jobs import EndedJob
from shared.observe.ended_jobs import parse_ended_job

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples"

if not SAMPLES.is_dir():
    pytest.skip(f"no recordings here: {SAMPLES} does not exist", allow_module_level=True)


def recorded(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def job(name: str) -> EndedJob | None:
    body = recorded(f"aks_backup_restore/{name}.response.json")
    return parse_ended_job(body["id"], body["properties"], detailed=True)


def test_a_backup() -> None:
    found = job("037_get_job_completed")
    assert found is not None
    assert (found.operation, found.status, found.user_triggered, found.clean) == ("Backup", "completed", True, True)
    assert found.cluster.name == "clitest-cluster1-donotdelete"
    assert found.ended_at == datetime(2024, 6, 26, 7, 56, 11, 426795, tzinfo=UTC)
    assert found.instance_id.endswith("-faec6818-0720-11ec-bd1b-c8f750f92764")
    assert (found.errors, found.warnings, found.resources) == ((), (), None)


def test_a_restore() -> None:
    found = job("067_get_restore_job_completed")
    assert found is not None
    assert (found.operation, found.status) == ("Restore", "completed")
    assert found.started_at == datetime(2024, 6, 26, 7, 57, 22, 999727, tzinfo=UTC)


@pytest.mark.parametrize("name", ["022_get_job_inprogress", "048_get_restore_job_inprogress"])
def test_a_job_that_runs(name: str) -> None:
    assert job(name) is None


def test_a_query_that_resource_graph_refused() -> None:
    error = read_error(recorded("resourcegraph_error/000_query_error_400.response.json"))
    assert error is not None
    assert error.inner_codes == ("InvalidQuery", "ParserFailure")
    assert error.details[1] == "ParserFailure: line 1, characterPositionInLine 11, token <EOF>"
