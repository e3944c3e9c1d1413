"""Which right a call is asked for, where it differs from what the path would say, and rights at what it points to."""

import pytest

from simulator.arm.path import arm_path
from simulator.timings import Timings
from tests.contract.arm_caller import CONTRIBUTOR, READER, ROLES, SUBSCRIPTION, ArmCaller, code
from tests.contract.data_protection_world import BACKUP_GROUP, VAULT, World

GROUP = "/subscriptions/s/resourceGroups/g"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c"
BACKUP_VAULT = f"{GROUP}/providers/Microsoft.DataProtection/backupVaults/v"
LOCATION = "/subscriptions/s/providers/Microsoft.DataProtection/locations/westeurope"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/w"
WORKSPACE = f"{BACKUP_GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", f"{BACKUP_VAULT}/operationStatus/o", "Microsoft.DataProtection/backupVaults/operationStatus/read"),
        ("GET", f"{LOCATION}/operationStatus/o", "Microsoft.DataProtection/locations/operationStatus/read"),
        (
            "POST",
            f"{BACKUP_VAULT}/deletedBackupInstances/i/undelete",
            "Microsoft.DataProtection/backupVaults/deletedBackupInstances/undelete/action",
        ),
        (
            "GET",
            f"{CLUSTER}/providers/Microsoft.DataProtection/backupInstances",
            "Microsoft.DataProtection/backupInstances/read",
        ),
        (
            "GET",
            f"{CLUSTER}/providers/Microsoft.KubernetesConfiguration/extensions/e/operations/o",
            "Microsoft.KubernetesConfiguration/extensions/operations/read",
        ),
        (
            "PUT",
            f"{CLUSTER}/trustedAccessRoleBindings/b",
            "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings/write",
        ),
        (
            "PUT",
            f"{BACKUP_VAULT}/providers/Microsoft.Insights/diagnosticSettings/d",
            "Microsoft.Insights/diagnosticSettings/write",
        ),
        (
            "POST",
            "/subscriptions/s/providers/Microsoft.DataProtection/register",
            "Microsoft.DataProtection/register/action",
        ),
        (
            "GET",
            "/subscriptions/s/providers/Microsoft.DataProtection",
            "Microsoft.Resources/subscriptions/providers/read",
        ),
        ("POST", "/providers/Microsoft.ResourceGraph/resources", "Microsoft.ResourceGraph/resources/read"),
        (
            "POST",
            "/subscriptions/s/providers/Microsoft.Storage/CHECKNAMEAVAILABILITY",
            "Microsoft.Storage/checkNameAvailability/read",
        ),
        ("POST", f"{SITE}/config/appsettings/list", "Microsoft.Web/sites/config/list/action"),
        ("GET", f"{SITE}/config/authsettingsV2", "Microsoft.Web/sites/config/read"),
    ],
)
def test_the_right_has_the_name_that_azure_documents(method: str, path: str, action: str) -> None:
    assert arm_path(path).action(method) == action


async def test_a_diagnostic_setting_needs_the_right_at_its_workspace() -> None:
    world = World()
    await world.vault()
    made = await world.call("PUT", WORKSPACE, {"location": "westeurope", "properties": {}}, "2023-09-01")
    assert made.status == 201
    writer = world.cloud.identity.new_principal("writer")
    world.cloud.authorization.grant(writer.object_id, CONTRIBUTOR, VAULT)
    log = {"category": "AddonAzureBackupJobs", "enabled": True}
    body = {"properties": {"workspaceId": WORKSPACE, "logAnalyticsDestinationType": "Dedicated", "logs": [log]}}
    path = f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/backup"
    refused = await world.call("PUT", path, body, "2021-05-01-preview", writer)
    assert (refused.status, code(refused)) == (403, "LinkedAuthorizationFailed")
    assert "'Microsoft.OperationalInsights/workspaces/sharedKeys/action'" in refused.body["error"]["message"]
    assert f"on the linked scope(s) '{WORKSPACE}'" in refused.body["error"]["message"]
    assert (await world.call("GET", path, None, "2021-05-01-preview")).status == 404
    world.cloud.authorization.grant(writer.object_id, READER, WORKSPACE)
    assert (await world.call("PUT", path, body, "2021-05-01-preview", writer)).status == 403
    world.cloud.authorization.grant(writer.object_id, "749f88d5-cbae-40b8-bcfc-e573ddc772fa", WORKSPACE)
    assert (await world.call("PUT", path, body, "2021-05-01-preview", writer)).status == 200


async def test_permissions_are_the_callers_own_at_that_scope() -> None:
    arm = ArmCaller(Timings(role_propagation=0, directory_replication=0))
    group, person = await arm.group(), arm.cloud.identity.new_principal("person")
    path = f"{group}/providers/Microsoft.Authorization/permissions"
    assert (await arm.call("GET", path, version=ROLES, principal=person)).status == 403
    arm.cloud.authorization.grant(person.object_id, READER, SUBSCRIPTION)
    arm.cloud.authorization.grant(person.object_id, CONTRIBUTOR, group)
    found = (await arm.call("GET", path, version=ROLES, principal=person)).body["value"]
    assert sorted(each["actions"] for each in found) == [["*"], ["*/read"]]
    assert "Microsoft.Authorization/*/Write" in next(each for each in found if each["actions"] == ["*"])["notActions"]
    above = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/permissions"
    (only,) = (await arm.call("GET", above, version=ROLES, principal=person)).body["value"]
    assert only["actions"] == ["*/read"]
