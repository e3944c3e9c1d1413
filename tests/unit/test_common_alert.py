"""Azure Monitor's common alert names a job of a Backup vault, or it is nothing for the Guard."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from shared.domain.errors import MalformedEventError
from shared.events.common_alert import parse_common_alert

ROOT = "/subscriptions/00000000-0000-0000-0000-00000000000A"
VAULT = f"{ROOT}/resourcegroups/rg-vaults/providers/microsoft.dataprotection/backupvaults/vault-01"
RECOVERY_SERVICES = f"{ROOT}/resourcegroups/rg-vaults/providers/microsoft.recoveryservices/vaults/vault-01"
CLUSTER = f"{ROOT}/resourceGroups/apps/providers/Microsoft.ContainerService/managedClusters/shop"
JOB = "22222222-2222-2222-2222-222222222222"
ALERT: dict[str, Any] = {
    "schemaId": "azureMonitorCommonAlertSchema",
    "data": {
        "essentials": {
            "alertId": f"{ROOT}/providers/Microsoft.AlertsManagement/alerts/11111111-1111-1111-1111-111111111111",
            "alertRule": "Backup Failure",
            "severity": "Sev1",
            "signalType": "Log",
            "monitorCondition": "Fired",
            "monitoringService": "Azure Backup",
            "alertTargetIDs": [VAULT],
            "targetResourceType": "microsoft.dataprotection/backupvaults",
            "firedDateTime": "2026-03-13T11:56:13.9392346Z",
        },
        "alertContext": {
            "category": "Jobs",
            "linkedResourceId": CLUSTER,
            "extendedInfo": {"jobId": JOB, "possibleCauses": None, "occurrenceCount": 1},
        },
        "customProperties": None,
    },
}
SAMPLE = Path(__file__).parents[3] / "shared/samples/alerts/azure_backup_common_alert_rsv_redacted.json"


def alert(**changes: Any) -> str:
    """`essentials__x=…` sets a field, `None` removes it."""
    body = deepcopy(ALERT)
    for path, value in changes.items():
        place = body
        *parents, last = path.split("__")
        for parent in parents:
            place = place[parent] if parent in place else place["data"][parent]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return json.dumps(body)


def test_an_alert_names_the_job_of_its_vault() -> None:
    found = parse_common_alert(alert())
    assert found is not None
    assert found.job_id == f"{VAULT}/backupJobs/{JOB}"
    assert found.subscription_id == "00000000-0000-0000-0000-00000000000a"


def test_a_job_may_be_named_by_its_whole_id() -> None:
    whole = f"{VAULT.upper()}/backupJobs/{JOB}"
    found = parse_common_alert(alert(alertContext__extendedInfo={"jobId": whole}))
    assert found is not None
    assert found.job_id == whole


def test_an_alert_without_a_linked_resource_is_looked_into() -> None:
    assert parse_common_alert(alert(alertContext__linkedResourceId=None)) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"essentials__monitoringService": "Platform"},
        {"essentials__monitorCondition": "Resolved"},
        {"essentials__alertTargetIDs": [RECOVERY_SERVICES]},
        {"alertContext__category": "Security"},
        {"alertContext__linkedResourceId": f"{ROOT}/resourceGroups/a/providers/Microsoft.Compute/disks/d"},
    ],
)
def test_an_alert_about_something_else_is_none(changes: dict[str, Any]) -> None:
    assert parse_common_alert(alert(**changes)) is None


@pytest.mark.skipif(not SAMPLE.exists(), reason="the received alert lies beside the checkout")
def test_the_alert_that_was_received_of_another_kind_of_vault_is_none_and_of_ours_it_would_count() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    assert parse_common_alert(text) is None
    body = json.loads(text)
    body["data"]["essentials"]["alertTargetIDs"] = [VAULT]
    body["data"]["alertContext"]["linkedResourceId"] = CLUSTER
    found = parse_common_alert(json.dumps(body))
    assert found is not None
    assert found.job_id.endswith(f"/backupJobs/{body['data']['alertContext']['extendedInfo']['jobId']}")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("schemaId", {"schemaId": None}),
        ("schemaId", {"schemaId": "AzureMonitorMetricAlert"}),
        ("essentials", {"data__essentials": []}),
        ("monitoringService", {"essentials__monitoringService": None}),
        ("monitorCondition", {"essentials__monitorCondition": 1}),
        ("alertTargetIDs", {"essentials__alertTargetIDs": None}),
        ("alertTargetIDs", {"essentials__alertTargetIDs": VAULT}),
        ("alertTargetIDs", {"essentials__alertTargetIDs": [VAULT + "/../x"]}),
        ("alertContext", {"data__alertContext": None}),
        ("extendedInfo", {"alertContext__extendedInfo": None}),
        ("jobId", {"alertContext__extendedInfo": {}}),
        ("jobId", {"alertContext__extendedInfo": {"jobId": ".."}}),
        ("jobId", {"alertContext__extendedInfo": {"jobId": "a/../../x"}}),
        ("jobId", {"alertContext__extendedInfo": {"jobId": f"{VAULT}2/backupJobs/{JOB}"}}),
        ("jobId", {"alertContext__extendedInfo": {"jobId": CLUSTER}}),
        ("jobId", {"alertContext__extendedInfo": {"jobId": "x" * 2000}}),
    ],
)
def test_a_malformed_alert_is_refused_and_the_field_is_named(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedEventError, match=field):
        parse_common_alert(alert(**changes))


@pytest.mark.parametrize("payload", ["", "[]", "{", "\ufffd", "[" * 100_000, "x" * 1_100_000])
def test_what_is_no_alert_is_refused(payload: str) -> None:
    with pytest.raises(MalformedEventError):
        parse_common_alert(payload)
