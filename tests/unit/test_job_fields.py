"""What a job's JSON says, however it is written: ends, durations, errors within errors, warnings, odd rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.jobs import EndedJob, JobIssue
from shared.observe.ended_jobs import duration, ended_status, parse_ended_job
from shared.observe.fields import UnreadableBodyError
from shared.observe.rows import Rows

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
CLUSTER = f"{SUBSCRIPTION}/resourceGroups/Shop/providers/Microsoft.ContainerService/managedClusters/Shop"
VAULT = f"{SUBSCRIPTION}/resourceGroups/backup/providers/Microsoft.DataProtection/backupVaults/vault"
JOB = f"{VAULT}/backupJobs/0a11fc24-4d8d-42bd-a8d9-309923d7d994"
END = datetime(2026, 3, 1, 12, 3, 4, 502954, tzinfo=UTC)


def properties(**changed: Any) -> dict[str, Any]:
    return {
        "dataSourceId": CLUSTER,
        "backupInstanceId": f"{VAULT}/backupInstances/shop-1",
        "operationCategory": "Backup",
        "operation": "Backup:full",
        "status": "Completed",
        "isUserTriggered": True,
        "startTime": "2026-03-01T12:00:00Z",
        "endTime": "2026-03-01T12:03:04.5029540Z",
        "duration": "PT3M4.5029540S",
        "errorDetails": None,
        "extendedInfo": None,
        **changed,
    }


def parsed(**changed: Any) -> EndedJob:
    job = parse_ended_job(JOB, properties(**changed), detailed=True)
    assert job is not None
    return job


def test_a_job_as_azure_writes_it() -> None:
    job = parsed()
    assert (job.arm_id, job.cluster.arm_id) == (JOB, CLUSTER.lower())
    assert (job.operation, job.status, job.user_triggered, job.detailed) == ("Backup", "completed", True, True)
    assert (job.started_at, job.ended_at) == (datetime(2026, 3, 1, 12, tzinfo=UTC), END)
    assert (job.errors, job.warnings, job.resources) == ((), (), None)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Completed", "completed"),
        ("CompletedWithWarnings", "completedwithwarnings"),
        ("Completed with warnings", "completedwithwarnings"),
        ("COMPLETED_WITH_WARNINGS", "completedwithwarnings"),
        ("Failed", "failed"),
        ("Cancelled", "cancelled"),
        ("Canceled", "cancelled"),
        ("InProgress", None),
        ("Cancelling", None),
        ("Quiesced", None),
        ("", None),
    ],
)
def test_which_words_are_an_end(written: str, meant: str | None) -> None:
    assert ended_status(written) == meant


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("PT3M4.5029547S", 184.502955),
        ("PT0S", 0),
        ("P1DT2H", 93600),
        ("00:03:04.5", 184.5),
        ("1.02:03:04", 93784),
        ("", None),
        ("soon", None),
        ("-00:00:01", None),
        ("P99999999999D", None),
    ],
)
def test_durations(written: str, seconds: float | None) -> None:
    assert duration(written) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize("no_end", [None, "", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000Z"])
def test_an_end_that_is_missing_is_the_start_and_the_duration(no_end: str | None) -> None:
    assert parsed(endTime=no_end).ended_at == END
    with pytest.raises(UnreadableBodyError, match="does not say when"):
        parsed(endTime=no_end, duration="PT0S")
    with pytest.raises(UnreadableBodyError, match="does not say when"):
        parsed(endTime=no_end, duration="P999999999D")


def test_a_start_that_is_missing_is_the_end_less_the_duration() -> None:
    assert parsed(startTime=None).started_at == END - timedelta(seconds=184.502954)
    assert parsed(startTime=None, duration=None).started_at == END
    assert parsed(startTime=None, duration="P900000D").started_at == END


def test_what_runs_is_no_ended_job() -> None:
    assert parse_ended_job(JOB, properties(status="InProgress", endTime="0001-01-01T00:00:00Z")) is None
    assert parse_ended_job(JOB, properties(status="cancelling")) is None
    assert parse_ended_job(JOB, properties(status="Quiesced", endTime=None)) is None
    with pytest.raises(UnreadableBodyError, match="Quiesced"):
        parse_ended_job(JOB, properties(status="Quiesced"))


def test_the_operation_goes_by_its_category() -> None:
    assert parsed(operationCategory="Restore").operation == "Restore"
    assert parsed(operationCategory=None, operation="Management:ConfigureProtection").operation == "Management"


def test_an_error_with_errors_in_it() -> None:
    inner = {"code": "UserErrorBackupPluginPodRestartedDuringBackup", "message": "restarted", "details": None}
    outer = {
        "code": "UserErrorOuter",
        "message": " It failed. ",
        "recommendedAction": ["Look at the pod.", " Try again. "],
        "target": "shop",
        "details": [inner],
        "innerError": {"code": "UserErrorOuter", "embeddedInnerError": {"code": "Deepest", "additionalInfo": {}}},
    }
    job = parsed(status="Failed", errorDetails=[outer])
    assert [issue.code for issue in job.errors] == [
        "UserErrorOuter",
        "UserErrorBackupPluginPodRestartedDuringBackup",
        "Deepest",
    ]
    assert job.errors[0] == JobIssue("UserErrorOuter", "It failed.", "Look at the pod. Try again.", "shop")
    assert job.failed_with("usererrorbackuppluginpodrestartedduringbackup")


def test_warnings_name_what_was_missed() -> None:
    def warning(code: str, resource: str | None) -> dict[str, Any]:
        error = {"code": code, "message": "no volume", "recommendedAction": ["Bind it."], "details": [{"code": "In"}]}
        return {"resourceName": resource, "warning": error}

    found = [
        warning("UserErrorPVCHasNoVolume", "shop/cart"),
        warning("UserErrorPVCHasNoVolume", "shop/stock"),
        warning("usererrorpvchasnovolume", "shop/CART"),
        {"resourceName": "shop/odd", "warning": None},
        {"resourceName": "shop/plain", "warning": {"message": "left out"}},
        {"warning": {"code": "KubernetesBackupGenericWarning", "target": "web"}},
        "text",
    ]
    job = parsed(status="CompletedWithWarnings", extendedInfo={"warningDetails": found})
    assert [(issue.code, issue.resource) for issue in job.warnings] == [
        ("UserErrorPVCHasNoVolume", "shop/cart"),
        ("UserErrorPVCHasNoVolume", "shop/stock"),
        ("", "shop/odd"),
        ("", "shop/plain"),
        ("KubernetesBackupGenericWarning", "web"),
    ]
    assert job.warnings[0].recommended_action == "Bind it."
    assert job.warnings[3].message == "left out"


@pytest.mark.parametrize(
    ("details", "resources"),
    [
        ({"NumberOfResourcesBackedUp": "3000"}, 3000),
        ({"totalResourceCount": 12, "RetentionTag": "default"}, 12),
        ({"FailedResourceCount": "7"}, None),
        ({"ResourceCount": "many"}, None),
        ({"ResourceCount": "99999999999999999999"}, None),
        ({"ResourceCount": True}, None),
        ({"OriginalDatasourceSizeInBytes": "1"}, None),
        (["ResourceCount"], None),
    ],
)
def test_how_many_resources(details: Any, resources: int | None) -> None:
    assert parsed(extendedInfo={"additionalDetails": details}).resources == resources
    assert parsed(extendedInfo={"subTasks": [{"taskId": 1, "additionalDetails": details}]}).resources == resources


def test_the_largest_number_of_resources_counts() -> None:
    tasks = [{"additionalDetails": {"ResourceCount": "5"}}, {"additionalDetails": {"ResourceCount": "1200"}}]
    assert parsed(extendedInfo={"additionalDetails": {"ResourceCount": "7"}, "subTasks": tasks}).resources == 1200


@pytest.mark.parametrize("odd", [None, "text", 7, [None, 7, "text", []], {"code": 7, "details": "x"}, [[]]])
def test_errors_and_details_of_another_shape_are_none(odd: Any) -> None:
    job = parsed(status="Failed", errorDetails=odd, extendedInfo={"warningDetails": odd, "subTasks": odd})
    assert job.errors == ()
    assert {issue.code for issue in job.warnings} <= {""}
    assert parsed(extendedInfo=odd).warnings == ()


def test_errors_that_nest_without_end_do_not_stop_anything() -> None:
    error: dict[str, Any] = {"code": "0"}
    for number in range(1, 200):
        error = {"code": str(number), "details": [error]}
    assert [issue.code for issue in parsed(status="Failed", errorDetails=[error]).errors][:2] == ["199", "198"]


@pytest.mark.parametrize(
    "changed",
    [
        {"dataSourceId": None},
        {"dataSourceId": f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/disks/disk"},
        {"dataSourceId": ["x"]},
        {"status": 7},
        {"endTime": "yesterday"},
        {"endTime": "9999-12-31T23:59:59-12:00"},
        {"endTime": 12},
        {"operationCategory": None, "operation": None},
    ],
)
def test_what_cannot_be_read_is_named(changed: dict[str, Any]) -> None:
    with pytest.raises(UnreadableBodyError):
        parsed(**changed)


@pytest.mark.parametrize("job_id", ["", "/", VAULT, f"{JOB}/x", f"{VAULT}/backupJobs/..", f"{JOB}?a=b", f"{JOB}' or 1"])
def test_a_job_whose_id_is_none_cannot_be_read(job_id: str) -> None:
    with pytest.raises(UnreadableBodyError, match="ARM id"):
        parse_ended_job(job_id, properties())


def test_a_row_that_cannot_be_read_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    rows = Rows("the source")
    found = [properties(), properties(endTime="yesterday"), properties(status="InProgress"), properties()]
    jobs = list(rows.read(found, lambda row: parse_ended_job(JOB, row)))
    assert len(jobs) == 2
    assert rows.unreadable == 1
    assert "the source has a row that cannot be read (1 so far): endTime is not a time: 'yesterday'" in caplog.text
