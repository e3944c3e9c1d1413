"""What a sweep says of a mixed fleet adds up to what a plain count of the simulated Azure's own state says."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from shared.domain.compliance import JudgedCluster
from shared.domain.fleet import Scope
from shared.domain.profile import BackupSchedule, ProtectionProfile, Retention, Rule, Selector, VaultSettings
from shared.domain.sweeps import Totals
from shared.domain.time import Moment
from shared.judge_fleet import judged_fleet
from shared.plan import roles
from shared.plan.compliance.catalogue import CONTROLS
from shared.plan.compliance.tally import counted
from simulator.cloud import FIRST_SUBSCRIPTION, Cloud
from simulator.providers.container_service.models import Cluster
from simulator.providers.data_protection.models import BackupInstance, Job, Vault
from tests.contract.fleet_under_test import FleetUnderTest
from tests.virtual.world import configuration_of

OTHER = "00000000-0000-0000-0000-00000000000f"
DAY = timedelta(days=1)
PROFILE = ProtectionProfile(
    "standard", VaultSettings("On"), schedule=BackupSchedule("P1D"), retention=Retention(7), digest="first"
)
TROUBLES = {"share": 0.8, "warnings": 0.2, "failed": 0.2, "stale": 0.2, "suspended": 0.1}


async def mixed_fleet() -> FleetUnderTest:
    azure = FleetUnderTest()
    watched: dict[str, Any] = {"tags": {"team": "a"}}
    await azure.seed(40, protected=TROUBLES, **watched)
    sound = await azure.seed(12, subscription=OTHER, **watched)
    await azure.seed(3, subscription=OTHER, protected=False, power="Stopped", **watched)
    await azure.seed(2, disk_csi=False, **watched)
    await azure.seed(2, arm64_only=True, **watched)
    await azure.seed(4, tags={"left": "alone"})
    cloud = azure.cloud
    for cluster in sound[:2]:
        cloud.data_protection.add_job(cluster, outcome="oom")
    await azure.clock.advance(900)
    cloud.data_protection.add_job(sound[0])
    for cluster in sound[2:4]:
        extension = cloud.kubernetes_configuration.backup_extension(cluster)
        assert extension is not None
        extension.provisioning_state = "Failed"
        cloud.resource_graph.told(extension.id)
    for assignment in list(cloud.authorization.assignments()):
        if assignment.scope.lower() in sound[4:7]:
            answer = await azure.call("DELETE", assignment.id, "2022-04-01")
            assert answer.status == 200
    for cluster in sound[7:9]:
        (instance,) = cloud.data_protection.instances_of(cluster)
        parameters = instance.properties["policyInfo"]["policyParameters"]["backupDatasourceParametersList"]
        parameters[0] = {**parameters[0], "includedNamespaces": ["shop"]}
        cloud.resource_graph.told(instance.id)
    await azure.clock.advance(900)
    return azure


async def judged(azure: FleetUnderTest) -> list[JudgedCluster]:
    configuration = configuration_of(PROFILE, rules=(Rule(Selector(tags={"team": "*"}), PROFILE.name),))
    scope = Scope((FIRST_SUBSCRIPTION, OTHER))
    sweep = judged_fleet(azure.fleet, scope, configuration, CONTROLS, lambda: Moment(azure.clock.now()), {})
    return [cluster async for batch in sweep for cluster in batch.clusters]


class Count:
    """One question about each watched cluster, asked of the simulator's own lists."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._now = cloud, cloud.clock.now()
        self._held = {
            (each.principal_id.lower(), each.role_guid, each.scope.lower())
            for each in cloud.authorization.assignments()
        }

    def watched(self) -> list[Cluster]:
        return [cluster for cluster in self._cloud.container_service.clusters() if (cluster.tags or {}).get("team")]

    def failing(self, holds: Callable[[Cluster], bool]) -> int:
        return sum(not holds(cluster) for cluster in self.watched())

    def _instance(self, cluster: Cluster) -> BackupInstance | None:
        return next(iter(self._cloud.data_protection.instances_of(cluster.id)), None)

    def _vault(self, cluster: Cluster) -> Vault | None:
        instance = self._instance(cluster)
        return self._cloud.data_protection.vault(instance.vault_id) if instance else None

    def _backups(self, cluster: Cluster) -> list[Job]:
        of = [each for each in self._cloud.data_protection.all_jobs() if each.ended and each.operation == "Backup"]
        mine = [each for each in of if each.instance.datasource_id.lower() == cluster.id.lower()]
        kept = [each for each in mine if each.started > self._now - 14 * DAY]
        return sorted(kept, key=lambda job: job.ended or self._now)

    def protected(self, cluster: Cluster) -> bool:
        return self._instance(cluster) is not None

    def healthy(self, cluster: Cluster) -> bool:
        instance = self._instance(cluster)
        return instance is not None and instance.state == "ProtectionConfigured"

    def clean(self, cluster: Cluster) -> bool:
        return self._instance(cluster) is not None and self._backups(cluster)[-1].status == "Completed"

    def recoverable(self, cluster: Cluster) -> bool:
        """A point a day and a half old at most, and a clean backup as young."""
        instance, young = self._instance(cluster), self._now - 1.5 * DAY
        points = [point for point in (instance.recovery_points if instance else ()) if point.time >= young]
        jobs = [job for job in self._backups(cluster) if job.status == "Completed" and job.ended and job.ended >= young]
        return bool(points and jobs)

    def extended(self, cluster: Cluster) -> bool:
        extension = self._cloud.kubernetes_configuration.backup_extension(cluster.id)
        return extension is not None and extension.provisioning_state == "Succeeded"

    def enough_memory(self, cluster: Cluster) -> bool:
        return not any("PodRestarted" in error.code for job in self._backups(cluster) for error in job.errors)

    def whole(self, cluster: Cluster) -> bool:
        instance = self._instance(cluster)
        if instance is None:
            return False
        (parameters,) = instance.properties["policyInfo"]["policyParameters"]["backupDatasourceParametersList"]
        return not parameters.get("includedNamespaces")

    def supported(self, cluster: Cluster) -> bool:
        sizes = [pool["vmSize"] for pool in cluster.properties["agentPoolProfiles"]]
        return cluster.power == "Running" and cluster.disk_csi and not all("ps_" in size for size in sizes)

    def allowed(self, cluster: Cluster) -> bool:
        """Every role that snapshots need, where it is needed."""
        instance, vault = self._instance(cluster), self._vault(cluster)
        extension = self._cloud.kubernetes_configuration.backup_extension(cluster.id)
        if instance is None or vault is None or extension is None:
            return False
        stores = instance.properties["policyInfo"]["policyParameters"]["dataStoreParametersList"]
        snapshots, settings = stores[0]["resourceGroupId"], extension.settings
        account = (
            f"/subscriptions/{settings['configuration.backupStorageLocation.config.subscriptionId']}/resourceGroups/"
            f"{settings['configuration.backupStorageLocation.config.resourceGroup']}/providers/Microsoft.Storage/"
            f"storageAccounts/{settings['configuration.backupStorageLocation.config.storageAccount']}"
        )
        needed = (
            (vault.principal_id, roles.READER, cluster.id),
            (vault.principal_id, roles.READER, snapshots),
            (cluster.principal_id, roles.CONTRIBUTOR, snapshots),
            (extension.aks_identity_principal_id, roles.STORAGE_BLOB_DATA_CONTRIBUTOR, account),
        )
        return all((str(who).lower(), role, where.lower()) in self._held for who, role, where in needed)


def non_compliant(clusters: Iterable[JudgedCluster]) -> Counter[str]:
    return Counter(each.control for one in clusters for each in one.verdicts if each.status == "NonCompliant")


async def test_the_sum_is_that_of_a_plain_count() -> None:
    azure = await mixed_fleet()

    found = await judged(azure)

    count = Count(azure.cloud)
    everything = azure.cloud.container_service.clusters()
    assert sorted(each.cluster_id.lower() for each in found) == sorted(each.id.lower() for each in everything)
    watched = {each.id.lower() for each in count.watched()}
    said = [each for each in found if each.cluster_id.lower() in watched]
    assert len(said) == 59
    expected = {
        "protected": count.failing(count.protected),
        "protection-healthy": count.failing(count.healthy),
        "last-job-clean": count.failing(count.clean),
        "recovery-point-within-rpo": count.failing(count.recoverable),
        "extension-healthy": count.failing(count.extended),
        "memory-adequate": count.failing(count.enough_memory),
        "right-scope": count.failing(count.whole),
        "prerequisites-met": count.failing(count.supported),
        "roles-present": count.failing(count.allowed),
    }
    assert all(expected.values()), "every kind of trouble is there"
    sums = non_compliant(said)
    assert {control: sums[control] for control in expected} == expected
    unknown = {each.control for one in said for each in one.verdicts if each.status == "Unknown"}
    assert unknown <= {"trusted-access", "volumes-supported"}, "only what Resource Graph does not hold"
    assert non_compliant(each for each in found if each.cluster_id.lower() not in watched) == {
        "selected-by-a-profile": 4
    }


async def test_the_tallies_are_those_of_a_plain_count() -> None:
    azure = await mixed_fleet()
    found = [each for each in await judged(azure) if each.team]
    totals, count = counted(Totals(), found), Count(azure.cloud)
    sure = [count.protected, count.healthy, count.recoverable, count.extended, count.whole, count.allowed]
    for subscription in (FIRST_SUBSCRIPTION, OTHER):
        mine = [each for each in count.watched() if each.id.lower().startswith(f"/subscriptions/{subscription}/")]
        restorable = sum(all(holds(cluster) for holds in sure) for cluster in mine)
        tally = totals.by_subscription[subscription]
        assert (tally.clusters, tally.yes, tally.no) == (len(mine), restorable, len(mine) - restorable)
    assert totals.by_team["a"] == totals.overall
    assert totals.overall.clusters == len(count.watched())
    assert totals.by_control["protected"].get("NonCompliant") == count.failing(count.protected)
    everything = Counter(totals.by_control["protected"]).total()
    assert everything == len(count.watched()), "each cluster once"


async def test_each_cluster_is_called_what_it_is() -> None:
    """The same, one by one: two wrong verdicts do not make up for each other."""
    azure = await mixed_fleet()
    found = {each.cluster_id.lower(): each for each in await judged(azure)}
    count = Count(azure.cloud)
    for cluster in count.watched():
        said = {each.control: each.status for each in found[cluster.id.lower()].verdicts}
        for control, holds in (
            ("protected", count.protected),
            ("protection-healthy", count.healthy),
            ("last-job-clean", count.clean),
            ("recovery-point-within-rpo", count.recoverable),
            ("roles-present", count.allowed),
        ):
            assert said[control] == ("Compliant" if holds(cluster) else "NonCompliant"), (cluster.id, control)
        restorable = [count.protected, count.healthy, count.recoverable, count.extended, count.whole, count.allowed]
        assert found[cluster.id.lower()].restorable == ("Yes" if all(holds(cluster) for holds in restorable) else "No")
