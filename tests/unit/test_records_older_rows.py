"""Rows that the first released version wrote are read by this one with everything that was in them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.alerts import Alert, Cause
from shared.domain.conditions import Condition
from shared.domain.facts import value_of
from shared.domain.ids import ClusterId
from shared.domain.observed import ObservedCluster
from shared.domain.record import Cure, ExtensionMemory, Record, Rung, Validation
from shared.domain.steps import Intent, StepHistory
from shared.record.entity import RecordUnreadableError, from_row, to_row

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLUSTER = ClusterId("00000000-0000-0000-0000-000000000001", "rg", "aks-1")
READ_AT = '"observed_at":"2026-03-01T12:00:00Z","kind":"present"'
OLD_ROW: dict[str, Any] = {
    "PartitionKey": "0e",
    "RowKey": "0eea64de27f2867122e64be162820b7a443f5d43a79fdc36fa70c774306ff053",
    "cluster_id": CLUSTER.arm_id,
    "backup_job_id": "/vault/backupJobs/j",
    "conditions": '{"Ready":{"type":"Ready","status":"True","reason":"Protected","message":"",'
    '"last_transition":"2026-03-01T12:00:00Z","recommended_action":""}}',
    "configuration_digest": "",
    "configuration_revision": 7,
    "due_at": NOW,
    "failures": 1,
    "first_seen_at": NOW,
    "lease_id": "",
    "observed": '{"cluster":{"value":{"arm_id":"/c","name":"aks-1","location":"westeurope","resource_uid":"uid",'
    '"tags":{"a":"b"},"power_state":"Running","provisioning_state":"Succeeded","kubernetes_version":"1.33",'
    '"identity_principal_id":"p","service_principal":false,"disk_csi_driver":true,"snapshot_controller":true,'
    '"has_x86_linux_pool":true,"network_isolated":false,"pod_identity":false,"created_at":null},'
    f"{READ_AT}}},"
    '"extension":{"value":{"arm_id":"/e","name":"azure-aks-backup","provisioning_state":"Succeeded",'
    '"principal_id":"p","container":"c","storage_account":"a","storage_resource_group":"g",'
    f'"storage_subscription_id":"s","uses_aad":true,"error":""}},{READ_AT}}},'
    '"bindings":{"reason":"not read yet","kind":"unobserved"},"grants":{},'
    '"backup_job":{"value":{"arm_id":"/vault/backupJobs/j","status":"Failed","user_triggered":true,'
    f'"started_at":"2026-03-01T12:00:00Z","ended_at":"2026-03-01T12:00:00Z","error":null}},{READ_AT}}},'
    '"operations":{}}',
    "profile": "gold",
    "profile_digest": "",
    "protected_uid": "",
    "requested_at": NOW,
    "resource_uid": "uid",
    "scope_digest": "",
    "steps": '{"intents":{"StartBackup":{"step":"StartBackup","at":"2026-03-01T12:00:00Z"}},'
    '"pending":{},"attempts":{},"started":{}}',
    "validation": '{"digest":"d","at":"2026-03-01T12:00:00Z"}',
    "wake_id": "w1",
}


def test_nothing_of_an_old_row_is_lost_and_what_is_new_takes_its_defaults() -> None:
    record = from_row(OLD_ROW)
    observed = record.observed
    assert isinstance(observed, ObservedCluster)
    cluster, extension, job = value_of(observed.cluster), value_of(observed.extension), value_of(observed.backup_job)
    assert cluster is not None
    assert (cluster.resource_uid, cluster.node_pools) == ("uid", ())
    assert extension is not None
    assert (extension.container, extension.memory_limit, extension.changed_at) == ("c", "", None)
    assert job is not None
    assert (job.status, job.error_codes) == ("Failed", ())
    assert record == Record(
        CLUSTER,
        first_seen_at=NOW,
        observed=observed,
        conditions={"Ready": Condition("Ready", "True", "Protected", "", NOW)},
        steps=StepHistory(intents={"StartBackup": Intent("StartBackup", NOW)}),
        validation=Validation("d", NOW),
        backup_job_id="/vault/backupJobs/j",
        resource_uid="uid",
        due_at=NOW,
        wake_id="w1",
        requested_at=NOW,
        profile="gold",
        configuration_revision=7,
        failures=1,
    )


def what_decides() -> Record:
    rung = Rung(NOW, "memory", "1280Mi", "2560Mi", "evidence")
    cause = Cause("Memory", "X", "Warning", "title", "message", "action", NOW, NOW)
    return Record(
        CLUSTER,
        NOW,
        ObservedCluster(),
        news_at=NOW,
        alerts={"Memory": Alert(CLUSTER.key, cause, "Open", "Warning", NOW)},
        memory=ExtensionMemory("2560Mi", rungs=(rung,), judged=("evidence",), nodes={"evidence": "x"}),
        cures=(Cure(NOW, "retry", "X", "evidence"),),
    )


@pytest.mark.parametrize("name", ["alerts", "memory", "cures"])
def test_what_decides_is_readable_or_the_row_is_not(name: str) -> None:
    """Forgetting a rung, a cure or what has been told would be doing it twice."""
    row = to_row(what_decides())
    assert from_row(row) == what_decides()
    broken = json.loads(row[name])
    (broken[0] if name == "cures" else broken.get("Memory", broken)).update(at="yesterday", subject=3, judged=7)
    with pytest.raises(RecordUnreadableError, match=r"the row of /subscriptions/\S+ cannot be read"):
        from_row(row | {name: json.dumps(broken)})


def test_when_news_came_is_a_column() -> None:
    assert to_row(what_decides())["news_at"] == NOW
