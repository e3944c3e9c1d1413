"""The app's own events: what is published comes back as it was, and nothing else comes in by that door."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.domain.alerts import About, Alert, Announcement, Cause, Kind
from shared.domain.errors import MalformedEventError
from shared.domain.ids import ClusterId
from shared.domain.jobs import EndedJob, JobIssue, OutOfMemorySign, bounded
from shared.events.app_events import (
    announcement_event,
    as_cloud_event,
    news_event,
)
from shared.events.job_events import parse_job_event

ROOT = "/subscriptions/00000000-0000-0000-0000-000000000001"
VAULT = f"{ROOT}/resourceGroups/Backup_(1)/providers/Microsoft.DataProtection/backupVaults/kv-One"
JOB_ID = f"{VAULT}/backupJobs/0a11fc24-4d8d-42bd-a8d9-309923d7d994"
CLUSTER = ClusterId.parse(f"{ROOT}/resourceGroups/über/providers/Microsoft.ContainerService/managedClusters/Shop")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = EndedJob(
    arm_id=JOB_ID,
    cluster=CLUSTER,
    instance_id=f"{VAULT}/backupInstances/shop-1",
    operation="Backup",
    status="completedwithwarnings",
    user_triggered=False,
    started_at=NOW - timedelta(minutes=9),
    ended_at=NOW - timedelta(minutes=3, microseconds=123456),
    warnings=(JobIssue("UserErrorPVSnapshotLimitReached", "no room", "delete snapshots", "ns/pvc-1"),),
    resources=412,
    detailed=True,
)
SIGN = OutOfMemorySign(CLUSTER, "dataprotection-microsoft-kubernetes-agent-1", "velero", NOW)
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


def published(news: EndedJob | OutOfMemorySign) -> dict[str, Any]:
    """As a reader gets it: through JSON."""
    event: dict[str, Any] = json.loads(json.dumps(as_cloud_event(news_event(news))))
    return event


def announced(kind: Kind = "Opened", **cause: Any) -> dict[str, Any]:
    reason = Cause("Backup:X", "X", "Error", "It failed", "Because.", "Mend it.", NOW, NOW, **cause)
    alert = Alert(CLUSTER.key, reason, "Resolved" if kind == "Resolved" else "Open", "Error", NOW)
    if kind == "Resolved":
        alert = replace(alert, resolved_at=NOW)
    about = About(CLUSTER.key, "Shop", tags={"owner": "team-a"})
    event: dict[str, Any] = json.loads(
        json.dumps(as_cloud_event(announcement_event(Announcement("key-1", kind, alert, about, NOW))))
    )
    return event


def check(name: str, event: dict[str, Any]) -> None:
    """Against the documented schema, which must say something of every field."""
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(event)] == []
    assert set(schema["properties"]) == set(event)
    assert set(schema["properties"]["data"]["properties"]) == set(event["data"])


@pytest.mark.parametrize("job", [JOB, replace(JOB, status="failed", errors=JOB.warnings, resources=None)])
def test_what_is_published_comes_back_as_it_was(job: EndedJob) -> None:
    assert parse_job_event(json.dumps(published(job)), NOW) == job


def test_nobody_is_believed_about_a_kill() -> None:
    assert parse_job_event(json.dumps(published(SIGN)), NOW) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("completed", "BackupJobCompleted"),
        ("completedwithwarnings", "BackupJobCompletedWithWarnings"),
        ("failed", "BackupJobFailed"),
        ("cancelled", "BackupJobFailed"),
    ],
)
def test_every_end_of_a_job_has_its_type_and_azures_spelling(status: str, kind: str) -> None:
    event = published(replace(JOB, status=status, operation="Restore"))
    assert event["type"] == f"AksBackupGuard.{kind}"
    assert event["data"]["status"].lower() == status
    assert event["data"]["operation"] == "Restore"
    check("backup_job.json", event)


def test_the_id_names_vault_and_job_however_they_are_spelled_and_whoever_tells() -> None:
    other = replace(JOB, arm_id=JOB_ID.upper(), status="failed", user_triggered=True)
    assert published(other)["id"] == published(JOB)["id"] == JOB.key
    assert published(replace(JOB, arm_id=f"{VAULT}/backupJobs/other"))["id"] != JOB.key


def test_an_event_has_its_vault_as_source_and_its_cluster_as_subject() -> None:
    event = published(JOB)
    assert (event["source"], event["subject"]) == (VAULT.lower(), CLUSTER.arm_id)
    sign = published(SIGN)
    assert sign["source"] == CLUSTER.arm_id.replace("ü", "%C3%BC"), "a source is a URI reference"
    assert sign["subject"] == CLUSTER.arm_id
    check("out_of_memory.json", sign)


@pytest.mark.parametrize(
    ("kind", "type"),
    [
        ("Opened", "AlertOpened"),
        ("Updated", "AlertUpdated"),
        ("Escalated", "AlertUpdated"),
        ("Resolved", "AlertResolved"),
    ],
)
def test_an_alert_is_told_in_plain_fields(kind: Kind, type: str) -> None:
    event = announced(kind, resources=JOB.warnings, did=("tried again",))
    assert event["type"] == f"AksBackupGuard.{type}"
    assert (event["id"], event["data"]["kind"], event["data"]["clusterId"]) == ("key-1", kind, CLUSTER.arm_id)
    check("alert.json", event)


def test_an_alert_with_thousands_of_resources_says_how_many_are_left_out() -> None:
    event = announced(resources=JOB.warnings * 3000, did=("x" * 10_000,) * 200)
    assert len(event["data"]["resources"]) + event["data"]["resourcesLeftOut"] == 3000
    assert len(json.dumps(event)) < 1_000_000


ISSUES = st.builds(
    JobIssue,
    st.text(max_size=300),
    st.text(max_size=50) | st.integers(0, 60_000).map("ü".__mul__),
    st.text(max_size=50) | st.just("\ud800" * 5000),
    st.text(max_size=700),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ISSUES, max_size=20), st.integers(0, 300))
def test_whatever_a_job_says_fits_into_an_event_and_what_is_left_out_is_counted(
    issues: list[JobIssue], times: int
) -> None:
    job = replace(JOB, errors=tuple(issues), warnings=tuple(issues) * times)
    event = published(job)
    assert len(json.dumps(event)) < 1_000_000
    back = parse_job_event(json.dumps(event), NOW)
    assert back == bounded(job)
    assert isinstance(back, EndedJob)
    assert back.left_out == len(job.errors) + len(job.warnings) - len(back.errors) - len(back.warnings)


def test_bounding_twice_is_bounding_once() -> None:
    job = replace(JOB, warnings=(JobIssue("c", "m" * 9000),) * 700)
    assert bounded(bounded(job)) == bounded(job)


@pytest.mark.parametrize(
    "payload",
    [
        '{"type": "Microsoft.Storage.BlobCreated", "specversion": "1.0"}',
        '{"eventType": "Microsoft.Resources.ResourceWriteSuccess"}',
        json.dumps({"type": "AksBackupGuard.AlertOpened", "specversion": "1.0", "data": {}}),
    ],
)
def test_an_event_of_another_type_is_none(payload: str) -> None:
    assert parse_job_event(payload, NOW) is None


FORGERIES: list[tuple[str, dict[str, Any]]] = [
    ("specversion", {"specversion": "0.3"}),
    ("id", {"id": "another"}),
    ("id", {"id": None}),
    ("data", {"data": "text"}),
    ("data", {"data": [1]}),
    ("jobId", {"jobId": f"{VAULT}/backupInstances/x"}),
    ("jobId", {"jobId": f"{VAULT}/backupJobs/.."}),
    ("jobId", {"jobId": f"{VAULT}/backupJobs/a/../../b"}),
    ("jobId", {"jobId": f"{VAULT}/backupJobs/a?b=c"}),
    ("jobId", {"jobId": JOB_ID.replace("/subscriptions/", "/subscriptions/x")}),
    ("jobId", {"jobId": 5}),
    ("clusterId", {"clusterId": "/subscriptions/x"}),
    ("clusterId", {"clusterId": VAULT}),
    ("status", {"status": "InProgress"}),
    ("status", {"status": "Completed"}),
    ("endedAt", {"endedAt": "2026-03-01T12:00:00"}),
    ("endedAt", {"endedAt": "2026-03-03T12:00:00Z"}),
    ("endedAt", {"endedAt": "0001-01-01T00:00:00+14:00"}),
    ("endedAt", {"endedAt": "yesterday"}),
    ("startedAt", {"startedAt": None}),
    ("isUserTriggered", {"isUserTriggered": "yes"}),
    ("warnings", {"warnings": None}),
    ("warnings", {"warnings": [{}] * 10_001}),
    ("warnings", {"warnings": ["x"]}),
    ("code", {"warnings": [{"code": "x" * 301}]}),
    ("message", {"warnings": [{"code": "x", "message": "\ud800"}]}),
    ("resourceCount", {"resourceCount": True}),
    ("resourceCount", {"resourceCount": -1}),
    ("resourceCount", {"resourceCount": 1e3}),
    ("leftOut", {"leftOut": 10**30}),
    ("operation", {"operation": "x" * 301}),
]


@pytest.mark.parametrize(("names", "changes"), FORGERIES)
def test_a_forged_event_is_refused_and_what_is_wrong_is_named(names: str, changes: dict[str, Any]) -> None:
    event = published(JOB)
    for name, value in changes.items():
        (event if name in event else event["data"])[name] = value
    with pytest.raises(MalformedEventError, match=names):
        parse_job_event(json.dumps(event), NOW)


def test_a_truncated_event_is_refused_wherever_it_was_cut() -> None:
    payload = json.dumps(published(JOB))
    for length in range(0, len(payload), 7):
        with pytest.raises(MalformedEventError):
            parse_job_event(payload[:length], NOW)


@pytest.mark.parametrize("payload", ["null", "[]", "[" * 100_000, '{"a": ' + "1" * 5000 + "}", '{"type": 1}', "{}"])
def test_what_is_no_event_is_refused(payload: str) -> None:
    with pytest.raises(MalformedEventError):
        parse_job_event(payload, NOW)


def test_an_event_beyond_a_megabyte_is_refused_unread() -> None:
    event = published(JOB) | {"more": "x" * 1_100_000}
    with pytest.raises(MalformedEventError, match="larger"):
        parse_job_event(json.dumps(event), NOW)


@pytest.mark.parametrize("field", ["jobId", "clusterId", "status", "startedAt", "endedAt", "errors", "detailed"])
def test_every_field_that_a_decision_needs_must_be_there(field: str) -> None:
    event = published(JOB)
    del event["data"][field]
    with pytest.raises(MalformedEventError, match=field):
        parse_job_event(json.dumps(event), NOW)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_event_crashes_the_parser(data: st.DataObject) -> None:
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
    event = published(JOB if data.draw(st.booleans()) else SIGN)
    place = event if data.draw(st.booleans()) else event["data"]
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(anything)
    try:
        news = parse_job_event(json.dumps(event), NOW)
    except MalformedEventError:
        return
    assert news is None or news.key == event["id"]
