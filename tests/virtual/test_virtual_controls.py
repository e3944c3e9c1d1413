"""Each control: a cluster complies; then somebody changes something in Azure, and that control says so, and no other
but those that look at the same thing."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.domain.ids import ClusterId
from shared.plan import roles
from shared.plan.compliance.catalogue import CONTROLS
from simulator.providers.resource_graph import job_index, sources
from tests.virtual.azure import AKS, EXTENSIONS, ROLES
from tests.virtual.controls_world import BACKUP_OLD, DAY, ControlsWorld

type Break = Callable[[ControlsWorld, ClusterId], Awaitable[None]]
BREAKS: dict[str, tuple[Break, set[str]]] = {}
"""By control: what makes it fail, and which others must then not be Compliant either."""


def breaks(control: str, *also: str) -> Callable[[Break], Break]:
    def keep(change: Break) -> Break:
        BREAKS[control] = change, {control, *also}
        return change

    return keep


@breaks("selected-by-a-profile")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    """The tag by which guard.yaml knows it is taken off."""
    await world.operator.tag_cluster(cluster, other="x")


@breaks("prerequisites-met")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    body = await world.operator.get(cluster.arm_id, AKS)
    profile = {**(body["properties"].get("storageProfile") or {}), "diskCSIDriver": {"enabled": False}}
    sent = {"location": body["location"], "tags": body["tags"], "identity": {"type": "SystemAssigned"}}
    properties = {**body["properties"], "storageProfile": profile}
    await world.operator.do("PUT", cluster.arm_id, AKS, {**sent, "properties": properties}, wait=900)


@breaks(
    "protected",
    "protection-healthy",
    "recovery-point-within-rpo",
    "right-scope",
    "last-job-clean",
    "volumes-supported",
    "right-policy",
    "schedule-as-promised",
    "retention-as-promised",
    "vault-tier-copy",
    "vault-soft-delete",
    "vault-immutability",
    "vault-redundancy",
    "vault-cross-region-restore",
    "vault-multi-user-authorisation",
    "vault-diagnostics",
)
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    """Without an instance nothing that an instance promises holds."""
    for instance in await world.operator.instances(cluster):
        await world.operator.do("DELETE", instance["id"], BACKUP_OLD, wait=900)


@breaks("protection-healthy")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    (instance,) = await world.operator.instances(cluster)
    await world.operator.do("POST", f"{instance['id']}/suspendBackups", BACKUP_OLD, wait=900)


@breaks("recovery-point-within-rpo")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    """Two days without a backup."""
    await world.clock.advance(2 * DAY)
    await world.look(cluster)


@breaks("right-scope")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    await world.change_instance(cluster, includedNamespaces=["shop"])


@breaks("last-job-clean")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    await world.job(cluster, outcome="warnings", code="UserErrorHookExecutionFailed")


@breaks("volumes-supported", "last-job-clean")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    await world.job(cluster, outcome="warnings", code="UserErrorPVCHasNoVolume")


@breaks("right-policy")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    """One of the same content, made by hand."""
    policy = await world.policy_of(cluster)
    other = f"{world.vault.id}/backupPolicies/by-hand"
    await world.put_policy(other, policy["properties"])
    await world.change_instance(cluster, policyId=other)


@breaks("schedule-as-promised")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    policy = await world.policy_of(cluster)
    for rule in policy["properties"]["policyRules"]:
        if rule["objectType"] == "AzureBackupRule":
            rule["trigger"]["schedule"]["repeatingTimeIntervals"] = ["R/2024-01-01T02:00:00+00:00/P1D"]
    await world.put_policy(policy["id"], policy["properties"])


@breaks("retention-as-promised")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    policy = await world.policy_of(cluster)
    for rule in policy["properties"]["policyRules"]:
        if rule.get("isDefault"):
            rule["lifecycles"][0]["deleteAfter"]["duration"] = "P3D"
    await world.put_policy(policy["id"], policy["properties"])


@breaks("vault-tier-copy")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    policy = await world.policy_of(cluster)
    rules = [rule for rule in policy["properties"]["policyRules"] if rule.get("isDefault") is not False]
    for rule in rules:
        tags = (rule.get("trigger") or {}).get("taggingCriteria") or []
        tags[:] = [tag for tag in tags if tag["isDefault"]]
    await world.put_policy(policy["id"], {**policy["properties"], "policyRules": rules})


async def patch_vault(world: ControlsWorld, **security: Any) -> None:
    body = {"properties": {"securitySettings": security}}
    await world.operator.do("PATCH", world.vault.id, BACKUP_OLD, body)


@breaks("vault-soft-delete")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    await patch_vault(world, softDeleteSettings={"state": "Off"})


@breaks("vault-immutability")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    await patch_vault(world, immutabilitySettings={"state": "Disabled"})


@breaks("vault-redundancy")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    """Azure changes it of no vault that is in use: this one had it from the beginning."""
    world.vault.properties["storageSettings"] = [{"datastoreType": "VaultStore", "type": "LocallyRedundant"}]
    world.cloud.resource_graph.told(world.vault.id)


@breaks("vault-cross-region-restore")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    """Nor can that be undone."""
    world.vault.properties["featureSettings"]["crossRegionRestoreSettings"] = {"state": "Disabled"}
    world.cloud.resource_graph.told(world.vault.id)


@breaks("vault-multi-user-authorisation")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    proxy = f"{world.vault.id}/backupResourceGuardProxies/DppResourceGuardProxy"
    await world.operator.do("DELETE", proxy, BACKUP_OLD)


@breaks("vault-diagnostics")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    setting = f"{world.vault.id}/providers/Microsoft.Insights/diagnosticSettings/archive"
    await world.operator.do("DELETE", setting, "2021-05-01-preview")


@breaks("extension-healthy")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    extension = world.cloud.kubernetes_configuration.backup_extension(cluster.arm_id)
    assert extension is not None
    extension.provisioning_state = "Failed"
    extension.error = {"code": "ExtensionOperationFailed", "message": "the agent does not answer"}
    world.cloud.resource_graph.told(extension.id)


@breaks("extension-current")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    """It is pinned, and another cluster of the fleet has a newer one."""
    (body,) = await world.operator.extensions(cluster)
    await world.operator.do("PATCH", body["id"], EXTENSIONS, {"properties": {"autoUpgradeMinorVersion": False}})
    other = world.create_cluster(settled=True, name="newer", tags={"left": "alone"})
    account = (await world.operator.accounts())[0]["id"]
    await world.operator.install_extension(other, account, (await world.operator.containers())[0]["name"])
    newer = world.cloud.kubernetes_configuration.backup_extension(other.arm_id)
    assert newer is not None
    newer.version = "99.1.0"


@breaks("memory-adequate")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    """A kill; that the backup after it was clean proves little."""
    await world.job(cluster, outcome="oom")
    await world.job(cluster)


@breaks("roles-present")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    path = f"{cluster}/providers/Microsoft.Authorization/roleAssignments"
    own = [
        each
        for each in await world.operator.all_of(path, ROLES)
        if each["properties"]["scope"].lower() == cluster.arm_id
    ]
    assert own
    for each in own:
        await world.operator.do("DELETE", each["id"], ROLES)
    assert all(each["properties"]["roleDefinitionId"].endswith(roles.READER) for each in own)


@breaks("trusted-access")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    for binding in await world.operator.bindings(cluster):
        await world.operator.do("DELETE", f"{cluster}/trustedAccessRoleBindings/{binding['name']}", AKS)
    await world.look(cluster)


@breaks("restored-lately")
async def _(world: ControlsWorld, cluster: ClusterId) -> None:
    """A month in which backups went on, and nobody restored anything."""
    for _ in range(32):
        await world.clock.advance(DAY)
    await world.job(cluster)
    await world.look(cluster)


OTHERWISE = {"exemption-valid"}
"""Controls with a test of another shape."""


@pytest.fixture(autouse=True)
def warnings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether rows of jobs have what `extendedInfo` has is not known: here they do."""
    plain = sources.job_row

    def told(cloud: Any, vault: Any, job: Any, *, running: bool) -> dict[str, Any]:
        row = plain(cloud, vault, job, running=running)
        if not running:
            details = [{"resourceName": w.resource_name, "warning": {"code": w.error.code}} for w in job.warnings]
            row["properties"]["extendedInfo"] = {"warningDetails": details}
        return row

    monkeypatch.setattr(job_index, "job_row", told)


@pytest.mark.parametrize("control", BREAKS)
async def test_the_control_says_so_and_no_other(control: str) -> None:
    world = ControlsWorld()
    cluster = await world.promised()
    before = await world.statuses(cluster)
    assert set(before.values()) == {"Compliant"}, before
    assert control in before
    change, expected = BREAKS[control]

    await change(world, cluster)

    judged = await world.judged(cluster)
    if control == "selected-by-a-profile":
        assert [(each.control, each.status) for each in judged.verdicts] == [(control, "NonCompliant")]
        return
    verdicts = {verdict.control: verdict for verdict in judged.verdicts}
    assert {name for name, verdict in verdicts.items() if verdict.status != "Compliant"} == expected
    failed = verdicts[control]
    assert failed.status == "NonCompliant", failed
    assert failed.reason
    assert failed.message
    assert failed.remedy


async def test_an_exemption_that_runs_out_is_no_exemption() -> None:
    world = ControlsWorld()
    cluster = await world.promised()
    world.exempt_until(days=1)
    assert set((await world.statuses(cluster)).values()) == {"Exempt"}
    await world.clock.advance(DAY / 2)
    assert set((await world.statuses(cluster)).values()) == {"Exempt"}
    await world.clock.advance(DAY / 2)
    found = {name: status for name, status in (await world.statuses(cluster)).items() if status != "Compliant"}
    assert found["exemption-valid"] == "NonCompliant"
    assert set(found) <= {"exemption-valid", "recovery-point-within-rpo", "trusted-access"}


async def test_a_second_of_each_kind_of_thing_is_no_harm() -> None:
    """The other direction: what is more than promised complies."""
    world = ControlsWorld()
    cluster = await world.promised()
    await patch_vault(world, softDeleteSettings={"state": "AlwaysOn", "retentionDurationInDays": 30.0})
    policy = await world.policy_of(cluster)
    for rule in policy["properties"]["policyRules"]:
        if rule.get("isDefault"):
            rule["lifecycles"][0]["deleteAfter"]["duration"] = "P30D"
    await world.put_policy(policy["id"], policy["properties"])
    assert set((await world.statuses(cluster)).values()) == {"Compliant"}


def test_no_control_is_without_such_a_test() -> None:
    assert set(BREAKS) | OTHERWISE == {control.id for control in CONTROLS}
