"""One cluster that keeps every promise of a demanding profile, made by hand; tests take from it what they judge."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.compliance import JudgedCluster, Verdict
from shared.domain.facts import Absent, Fact, Present, Unobserved
from shared.domain.fleet import JobsDigest, Remembered, SeenCluster, SharedFacts
from shared.domain.ids import ClusterId, RegionId
from shared.domain.observed import (
    BackupInstance,
    BackupPolicy,
    Cluster,
    Extension,
    Grant,
    ObservedCluster,
    ObservedRegion,
    TrustedAccessBinding,
    Vault,
)
from shared.domain.profile import (
    BackupSchedule,
    BackupScope,
    ComplianceRules,
    Configuration,
    Exemption,
    KqlControl,
    ProtectionProfile,
    Retention,
    Rule,
    Selector,
    VaultSettings,
)
from shared.domain.record import BackupEnd
from shared.domain.steps import BACKUP_OPERATOR
from shared.domain.time import Moment
from shared.plan import names
from shared.plan.compliance.catalogue import CONTROLS
from shared.plan.compliance.control import Control
from shared.plan.compliance.judge import Fleet, judge
from shared.plan.region import region_grants, wanted_policy_id, wanted_region
from shared.plan.target import cluster_grants, target_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
ARM_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Apps/providers/Microsoft.ContainerService/managedClusters/Shop"
CLUSTER = ClusterId.parse(ARM_ID)
OTHER_VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/team/providers/Microsoft.DataProtection/backupVaults/team"
UNREAD = Unobserved("AuthorizationFailed: no")
GOLD = ProtectionProfile(
    "gold",
    VaultSettings("AlwaysOn", "gold", 30, "GeoRedundant", "Unlocked", True),
    mode="enforce",
    schedule=BackupSchedule("PT4H"),
    retention=Retention(14, 90),
    scope=BackupScope(excluded_namespaces=("scratch",)),
    compliance=ComplianceRules(restored_within=30 * 86400.0, multi_user_authorisation=True, diagnostics=True),
)


def ago(**of_time: float) -> datetime:
    return NOW - timedelta(**of_time)


def here[T](value: T) -> Present[T]:
    return Present(value, NOW)


NONE = Absent(NOW)


@dataclass
class Scene:
    """What a sweep reads. `grants` None: all that are needed, found by the planner's own functions."""

    profile: ProtectionProfile = GOLD
    cluster: Cluster = field(
        default_factory=lambda: Cluster(
            arm_id=ARM_ID,
            name="Shop",
            location="westeurope",
            resource_uid="uid-1",
            tags={"Team": "shop"},
            power_state="Running",
            provisioning_state="Succeeded",
            kubernetes_version="1.33.5",
            identity_principal_id="cluster-principal",
            service_principal=False,
            disk_csi_driver=True,
            snapshot_controller=True,
            has_x86_linux_pool=True,
            network_isolated=False,
            pod_identity=False,
            created_at=ago(days=200),
        )
    )
    extension: Fact[Extension] = UNREAD
    instances: Fact[tuple[BackupInstance, ...]] = UNREAD
    jobs: Fact[JobsDigest] = UNREAD
    vaults: Fact[Mapping[str, Vault]] = UNREAD
    policies: Fact[Mapping[str, BackupPolicy]] = UNREAD
    grants: Fact[frozenset[Grant]] | None = None
    remembered: Remembered | None = None
    diagnostics: Fact[bool] = UNREAD
    newest_extension: str = "1.5.0"
    exemptions: tuple[Exemption, ...] = ()
    rules: tuple[Rule, ...] = (Rule(Selector(), "gold"),)
    queries: tuple[KqlControl, ...] = ()
    own: Mapping[str, Mapping[str, str] | Unobserved] = field(default_factory=dict)
    controls: tuple[Control, ...] = CONTROLS
    more_profiles: tuple[ProtectionProfile, ...] = ()
    scale: float = 1.0
    unread_assignments: frozenset[str] = frozenset()

    @property
    def configuration(self) -> Configuration:
        profiles = {profile.name: profile for profile in (self.profile, *self.more_profiles)}
        return Configuration(1, profiles, self.rules, self.exemptions, controls=self.queries)

    @property
    def seen(self) -> SeenCluster:
        return SeenCluster(CLUSTER, self.cluster, self.extension, self.instances, self.jobs, self.unread_assignments)

    def judged(self) -> JudgedCluster:
        vaults = self.vaults.value if isinstance(self.vaults, Present) else {}
        shared = SharedFacts(self.vaults, self.policies, dict.fromkeys(vaults, self.diagnostics))
        grants = self.needed() if self.grants is None else self.grants
        moment = Moment(NOW, self.scale)
        fleet = Fleet(self.configuration, shared, self.controls, self.own, self.newest_extension, moment)
        return judge(self.seen, grants, self.remembered, fleet)

    def verdict(self, control: str) -> Verdict | None:
        return next((verdict for verdict in self.judged().verdicts if verdict.control == control), None)

    def needed(self) -> Present[frozenset[Grant]]:
        region = RegionId(SUBSCRIPTION, "westeurope", self.profile.vault.vault_class)
        wanted = wanted_region(region, self.configuration)
        assert wanted is not None
        vaults = {vault.arm_id: here(vault) for vault in _values(self.vaults)}
        policies = {policy.arm_id: here(policy) for policy in _values(self.policies)}
        shared = ObservedRegion(
            vault=vaults.get(wanted.vault_id, UNREAD),
            policies={arm_id.rsplit("/", 1)[-1]: fact for arm_id, fact in policies.items()},
        )
        instance = self.instances.value[0] if isinstance(self.instances, Present) and self.instances.value else None
        observed = ObservedCluster(
            extension=self.extension,
            instances=self.instances,
            vault=vaults.get(instance.vault_id, UNREAD) if instance else UNREAD,
            policy=policies.get(instance.policy_id, UNREAD) if instance else UNREAD,
        )
        target = target_of(CLUSTER, self.cluster, self.profile, observed, wanted, shared)
        grants = cluster_grants(self.cluster, self.profile, observed, target)
        return here(frozenset((*grants, *region_grants(wanted, shared))))

    # What tests change of it.

    def instance(self, **changed: Any) -> None:
        assert isinstance(self.instances, Present)
        self.instances = here((replace(self.instances.value[0], **changed),))

    def digest(self, **changed: Any) -> None:
        assert isinstance(self.jobs, Present)
        self.jobs = here(replace(self.jobs.value, **changed))

    def last(self, status: str, *codes: str) -> None:
        end = BackupEnd("job", status, codes[0] if codes else "", ago(hours=1))
        self.digest(last=end, last_codes=codes)

    def vault(self, **changed: Any) -> None:
        assert isinstance(self.vaults, Present)
        self.vaults = here({arm_id: replace(vault, **changed) for arm_id, vault in self.vaults.value.items()})

    def policy(self, **changed: Any) -> None:
        assert isinstance(self.policies, Present)
        self.policies = here({arm_id: replace(policy, **changed) for arm_id, policy in self.policies.value.items()})

    def installed(self, **changed: Any) -> None:
        assert isinstance(self.extension, Present)
        self.extension = here(replace(self.extension.value, **changed))

    def rule(self, **changed: Any) -> None:
        self.profile = replace(self.profile, compliance=replace(self.profile.compliance, **changed))

    def remember(self, **changed: Any) -> None:
        assert self.remembered is not None
        self.remembered = replace(self.remembered, **changed)

    def promise(self, **changed: Any) -> None:
        self.profile = replace(self.profile, **changed)

    def without_role(self, role: str) -> None:
        self.grants = here(frozenset(grant for grant in self.needed().value if grant.role != role))

    def adopt(self) -> None:
        """The same instance, in a vault and under a policy that a team made by itself."""
        assert isinstance(self.vaults, Present)
        assert isinstance(self.policies, Present)
        policy_id = f"{OTHER_VAULT}/backupPolicies/team"
        (vault,), (policy,) = self.vaults.value.values(), self.policies.value.values()
        self.vaults = here({OTHER_VAULT.lower(): replace(vault, arm_id=OTHER_VAULT, name="team")})
        self.policies = here({policy_id.lower(): replace(policy, arm_id=policy_id, name="team")})
        arm_id = f"{OTHER_VAULT}/backupInstances/theirs"
        self.instance(arm_id=arm_id, name="theirs", vault_id=OTHER_VAULT, policy_id=policy_id)
        binding = TrustedAccessBinding("b", "theirs", OTHER_VAULT, (BACKUP_OPERATOR,), "Succeeded")
        self.remember(bindings=here((binding,)))


def _values[T](fact: Fact[Mapping[str, T]]) -> tuple[T, ...]:
    return tuple(fact.value.values()) if isinstance(fact, Present) else ()


def healthy(profile: ProtectionProfile = GOLD) -> Scene:
    scene = Scene(profile)
    wanted = wanted_region(RegionId(SUBSCRIPTION, "westeurope", profile.vault.vault_class), scene.configuration)
    assert wanted is not None
    assert wanted.account_id is not None
    policy_id = wanted_policy_id(wanted, profile)
    settings, retention = profile.vault, profile.retention
    vault = Vault(
        wanted.vault_id,
        wanted.vault_id.rsplit("/", 1)[-1],
        "westeurope",
        "vault-principal",
        "Succeeded",
        settings.soft_delete,
        settings.immutability,
        settings.redundancy,
        float(settings.soft_delete_days),
        settings.cross_region_restore,
        settings.cross_subscription_restore,
        guarded=True,
    )
    policy = BackupPolicy(
        policy_id,
        policy_id.rsplit("/", 1)[-1],
        "BackupDaily",
        retention.vault_days is not None,
        profile.schedule.interval,
        profile.schedule.start,
        retention.operational_days,
        retention.vault_days,
    )
    scene.vaults = here({vault.arm_id.lower(): vault})
    scene.policies = here({policy.arm_id.lower(): policy})
    scene.extension = here(
        Extension(
            f"{ARM_ID}/providers/Microsoft.KubernetesConfiguration/extensions/azure-aks-backup",
            "azure-aks-backup",
            "Succeeded",
            "extension-principal",
            "shop",
            wanted.account_id.rsplit("/", 1)[-1],
            wanted.backup_group_id.rsplit("/", 1)[-1],
            SUBSCRIPTION,
            True,
            version="1.5.0",
        )
    )
    instance_id = names.instance_id(wanted.vault_id, CLUSTER)
    scene.instances = here(
        (
            BackupInstance(
                instance_id,
                instance_id.rsplit("/", 1)[-1],
                wanted.vault_id,
                policy_id,
                "ProtectionConfigured",
                wanted.snapshot_group_id,
                None,
                ARM_ID,
                profile.scope,
                ago(hours=2),
            ),
        )
    )
    scene.jobs = here(
        JobsDigest(
            last=BackupEnd("job", "completed", "", ago(hours=1)),
            last_clean_at=ago(hours=1),
            last_restore_at=ago(days=3),
        )
    )
    binding = TrustedAccessBinding("b", "tarb-1", wanted.vault_id, (BACKUP_OPERATOR,), "Succeeded")
    scene.remembered = Remembered(Present((binding,), ago(hours=20)))
    scene.diagnostics = Present(value=True, observed_at=ago(days=2))
    return scene
