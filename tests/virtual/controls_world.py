"""A cluster that the real loop protected to every promise a profile can make, as a sweep judges it. The Guard only
looks from then on (`audit`), so that what a person breaks stays broken."""

from dataclasses import replace
from typing import Any

from shared.domain.compliance import JudgedCluster
from shared.domain.ids import ClusterId
from shared.domain.profile import (
    BackupSchedule,
    ComplianceRules,
    Configuration,
    Exemption,
    Retention,
    Rule,
    Selector,
    VaultSettings,
)
from shared.judge_fleet import JudgedBatch, judged_fleet
from shared.plan.compliance.catalogue import CONTROLS
from simulator.providers.data_protection.models import Vault
from tests.contract.fleet_under_test import share_translations
from tests.virtual.azure import ROOT
from tests.virtual.world import QUICK, VirtualWorld, configuration_of, enforcing

DAY = 86400.0
BACKUP_OLD = "2025-07-01"
"""The api-version for a vault whose soft delete can be undone."""
PROMISE = enforcing(
    vault=VaultSettings("On", immutability="Unlocked", cross_region_restore=True),
    retention=Retention(7, 30),
    schedule=BackupSchedule("PT12H"),
    compliance=ComplianceRules(multi_user_authorisation=True, diagnostics=True, restored_within=30 * DAY),
)
WATCHED = Rule(Selector(tags={"team": "*"}), PROMISE.name)
GUARD = f"{ROOT}/resourceGroups/security/providers/Microsoft.DataProtection/resourceGuards/guard"


class ControlsWorld(VirtualWorld):
    def __init__(self) -> None:
        super().__init__(configuration_of(PROMISE, rules=(WATCHED,)), timings=QUICK)
        share_translations(self.cloud.kql)

    async def promised(self, name: str = "shop") -> ClusterId:
        """A protected cluster, with what people add to what the Guard makes."""
        cluster = self.create_cluster(settled=True, name=name, tags={"team": "shop"})
        await self.notice(cluster)
        assert await self.run_until_ready(cluster, seconds=6 * 3600)
        await self.operator.do(
            "PUT",
            f"{self.vault.id}/backupResourceGuardProxies/DppResourceGuardProxy",
            BACKUP_OLD,
            {"properties": {"resourceGuardResourceId": GUARD}},
        )
        account = (await self.operator.accounts())[0]["id"]
        logs = [{"category": "AddonAzureBackupJobs", "enabled": True}]
        await self.operator.do(
            "PUT",
            f"{self.vault.id}/providers/Microsoft.Insights/diagnosticSettings/archive",
            "2021-05-01-preview",
            {"properties": {"storageAccountId": account, "logs": logs}},
        )
        await self.job(cluster, operation="Restore")
        self.only_watch()
        return cluster

    def only_watch(self, **changes: Any) -> None:
        profile = replace(PROMISE, mode="audit", digest="watching")
        fresh = {"revision": self.configuration.revision + 1, "rules": (WATCHED,), **changes}
        fresh["digest"] = f"configuration-{fresh['revision']}"
        self.restart(configuration_of(profile, **fresh))

    def exempt_until(self, days: float) -> None:
        self.only_watch(exemptions=(Exemption(Selector(names=("shop",)), "moving", self.clock.after(days * DAY)),))

    @property
    def vault(self) -> Vault:
        """As the simulated Azure holds it: for what Azure lets nobody undo."""
        (found,) = self.cloud.data_protection.vaults.all()
        return found

    async def job(self, cluster: ClusterId, **order: Any) -> None:
        self.cloud.data_protection.add_job(cluster.arm_id, **order)
        await self.clock.advance(900)

    async def look(self, *clusters: ClusterId) -> None:
        """The Guard reads them once more, and changes nothing."""
        await self.notice(*clusters)
        await self.run(seconds=1200)

    async def change_instance(self, cluster: ClusterId, **changes: Any) -> None:
        """PUT it again: `policyId`, or what the parameters of the cluster's backup shall say."""
        (body,) = await self.operator.instances(cluster)
        info = body["properties"]["policyInfo"]
        if "policyId" in changes:
            info["policyId"] = changes.pop("policyId")
        info["policyParameters"]["backupDatasourceParametersList"][0] |= changes
        await self.operator.do("PUT", body["id"], BACKUP_OLD, {"properties": body["properties"]}, wait=600)

    async def policy_of(self, cluster: ClusterId) -> Any:
        (body,) = await self.operator.instances(cluster)
        return await self.operator.get(body["properties"]["policyInfo"]["policyId"], BACKUP_OLD)

    async def put_policy(self, policy_id: str, properties: Any) -> None:
        await self.operator.do("PUT", policy_id, BACKUP_OLD, {"properties": properties})

    async def batches(self) -> list[JudgedBatch]:
        """Judged now, once Resource Graph shows what has happened."""
        await self.clock.advance(600)
        configuration: Configuration = self.configuration
        remembered = {cluster: known async for cluster, known in self.host.records.remembered()}
        sweep = judged_fleet(self.host.fleet, self.scope, configuration, CONTROLS, self.host.moment, remembered)
        return [batch async for batch in sweep]

    async def judged(self, cluster: ClusterId) -> JudgedCluster:
        found = [each for batch in await self.batches() for each in batch.clusters]
        return next(each for each in found if each.cluster_id.lower() == cluster.arm_id)

    async def statuses(self, cluster: ClusterId) -> dict[str, str]:
        return {verdict.control: verdict.status for verdict in (await self.judged(cluster)).verdicts}
