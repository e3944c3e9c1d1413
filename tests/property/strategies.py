"""Clusters, regions, records and profiles of every kind, also of kinds that Azure would hardly show."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.domain.errors import StepError
from shared.domain.facts import Absent, Fact, Present, Unobserved
from shared.domain.ids import ClusterId, RegionId
from shared.domain.observed import (
    BackupInstance,
    BackupPolicy,
    BlobContainer,
    Cluster,
    Extension,
    Job,
    ObservedCluster,
    ObservedRegion,
    RecoveryPoint,
    ResourceGroup,
    RoleAssignment,
    StorageAccount,
    TrustedAccessBinding,
    Vault,
    grant_key,
)
from shared.domain.profile import (
    BackupScope,
    Configuration,
    ProtectionProfile,
    Repairs,
    Retention,
    Rule,
    Selector,
    VaultSettings,
)
from shared.domain.record import Record, Validation
from shared.domain.steps import BACKUP_OPERATOR, EXTENSION_NAME, Attempt, Intent, PendingOperation, StepHistory
from shared.domain.time import Moment
from shared.plan import names
from shared.plan.region import PROVIDERS, policy_name, region_grants, wanted_region
from shared.plan.target import cluster_grants, target_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
CLUSTER = ClusterId(SUBSCRIPTION, "apps", "shop")
REGION = RegionId(SUBSCRIPTION, "westeurope", "default")
GROUP = names.backup_group_id(REGION)
VAULT = names.vault_id(REGION, GROUP)
ACCOUNT = names.account_id(REGION, GROUP)

moments = st.integers(0, 100_000).map(lambda seconds: NOW - timedelta(seconds=max(0, seconds - 10_000)))
"""Now and then this very moment: what was read in this pass."""
states = st.sampled_from(["Succeeded", "Failed", "Canceled", "Creating", "Updating", "Deleting", "Unheard"])
step_keys = st.sampled_from(
    (
        "InstallExtension",
        "CreateContainer",
        "CreateTrustedAccessBinding",
        "ValidateForBackup",
        "CreateBackupInstance",
        "UndeleteBackupInstance",
        "UpdateExtension",
        "ResumeBackups",
        "StartBackup",
        f"CreateStorageAccount:{ACCOUNT.rsplit('/', 1)[-1]}",
    )
)


def facts(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Fact[Any]]:
    return st.one_of(
        st.builds(Present, values, moments), st.builds(Absent, moments), st.just(Unobserved("AuthorizationFailed: no"))
    )


clusters = st.builds(
    Cluster,
    arm_id=st.just(CLUSTER.arm_id),
    name=st.just("shop"),
    location=st.just("westeurope"),
    resource_uid=st.sampled_from(["uid-1", "uid-2", ""]),
    tags=st.just({}),
    power_state=st.sampled_from(["Running", "Running", "Running", "Stopped"]),
    provisioning_state=st.one_of(st.just("Succeeded"), states),
    kubernetes_version=st.sampled_from(["1.33.5", "1.33.5", "1.20.9", "", "new"]),
    identity_principal_id=st.sampled_from(["cluster-principal", "cluster-principal", None]),
    service_principal=st.sampled_from([False, False, False, True]),
    disk_csi_driver=st.sampled_from([True, True, True, False]),
    snapshot_controller=st.sampled_from([True, True, True, False]),
    has_x86_linux_pool=st.sampled_from([True, True, True, False]),
    network_isolated=st.sampled_from([False, False, False, True]),
    pod_identity=st.sampled_from([False, False, False, True]),
    created_at=st.one_of(st.none(), moments),
)

step_errors = st.builds(
    StepError,
    st.sampled_from(["transient", "not_ready_yet", "blocked", "invalid_profile", "ambiguous_effect"]),
    st.sampled_from(["Code", "OtherCode"]),
    st.just("it failed"),
    st.sampled_from(["", "do something"]),
    st.one_of(st.none(), st.floats(1, 3600)),
)

extensions = st.builds(
    Extension,
    arm_id=st.just("e"),
    name=st.sampled_from([EXTENSION_NAME, "by-hand"]),
    provisioning_state=states,
    principal_id=st.sampled_from(["extension-principal", None]),
    container=st.sampled_from(["team", ""]),
    storage_account=st.sampled_from([ACCOUNT.rsplit("/", 1)[-1], "teamaccount", ""]),
    storage_resource_group=st.sampled_from([GROUP.rsplit("/", 1)[-1], "team"]),
    storage_subscription_id=st.sampled_from([SUBSCRIPTION, ""]),
    uses_aad=st.booleans(),
)

vaults = st.builds(
    Vault,
    arm_id=st.just(VAULT),
    name=st.just(VAULT.rsplit("/", 1)[-1]),
    location=st.sampled_from(["westeurope", "westeurope", "eastus"]),
    principal_id=st.sampled_from(["vault-principal", "vault-principal", None]),
    provisioning_state=states,
    soft_delete=st.sampled_from(["AlwaysOn", "On", "Off", "Unheard", ""]),
    immutability=st.sampled_from(["Disabled", "Unlocked", "Locked", "Unheard", ""]),
    redundancy=st.sampled_from(["LocallyRedundant", "GeoRedundant"]),
    soft_delete_days=st.sampled_from([0.0, 14.0, 30.0, 180.0]),
    cross_region_restore=st.booleans(),
    cross_subscription_restore=st.booleans(),
)

accounts = st.builds(
    StorageAccount, st.just(ACCOUNT), st.just("a"), st.just("westeurope"), states, st.just("https://a/")
)
policies = st.builds(
    BackupPolicy,
    st.just("p"),
    st.just("p"),
    st.just("BackupDaily"),
    st.booleans(),
    st.sampled_from(["P1D", "PT4H", ""]),
    st.sampled_from(["02:00", ""]),
    st.sampled_from([7, 1, 0]),
    st.sampled_from([None, 30, 0]),
)
groups = st.builds(ResourceGroup, st.just("g"), st.just("g"), st.just("westeurope"))
assignments = st.builds(RoleAssignment, st.just("r"), moments)

bindings = st.lists(
    st.builds(
        TrustedAccessBinding,
        st.just("b"),
        st.just("b"),
        st.sampled_from([VAULT, "/other/vault"]),
        st.sampled_from([(BACKUP_OPERATOR,), ("other",)]),
        states,
    ),
    max_size=9,
).map(tuple)

instances = st.lists(
    st.builds(
        BackupInstance,
        st.sampled_from(
            [names.instance_id(VAULT, CLUSTER), f"{VAULT}/backupInstances/by-hand", "/v/backupInstances/x"]
        ),
        st.just("i"),
        st.sampled_from([VAULT, "/other/vault"]),
        st.sampled_from([f"{VAULT}/backupPolicies/other", ""]),
        st.sampled_from(
            (
                "ProtectionConfigured",
                "ConfiguringProtection",
                "UpdatingProtection",
                "ProtectionError",
                "ProtectionStopped",
                "BackupsSuspended",
                "NotProtected",
                "Unheard",
                "",
            )
        ),
        st.sampled_from([names.snapshot_group_id(REGION), "/subscriptions/s/resourceGroups/theirs", ""]),
        st.one_of(st.none(), step_errors),
        scope=st.sampled_from([None, BackupScope(), BackupScope(included_namespaces=("shop",))]),
    ),
    max_size=3,
).map(tuple)

vault_settings = st.builds(
    VaultSettings,
    st.sampled_from(["AlwaysOn", "On"]),
    soft_delete_days=st.sampled_from([14, 30]),
    immutability=st.sampled_from(["Disabled", "Unlocked", "Locked"]),
    cross_region_restore=st.booleans(),
    cross_subscription_restore=st.booleans(),
    diagnostics_workspace_id=st.sampled_from([None, "/workspace"]),
)
repairs = st.builds(Repairs, st.booleans(), st.booleans(), st.booleans(), st.booleans())

profiles = st.builds(
    ProtectionProfile,
    name=st.just("standard"),
    vault=vault_settings,
    mode=st.just("enforce"),
    retention=st.sampled_from([Retention(), Retention(7, 30)]),
    first_backup=st.booleans(),
    isolation=st.sampled_from(["shared-account", "account-per-cluster"]),
    minimum_age=st.sampled_from([0.0, 0.0, 0.0, 3600.0]),
    repairs=repairs,
    digest=st.just("first"),
)

attempts = st.builds(
    lambda error, failures, first, last, wait: Attempt(
        failures, error, min(first, last), max(first, last), max(first, last) + timedelta(seconds=wait)
    ),
    step_errors,
    st.integers(1, 9),
    moments,
    moments,
    st.integers(0, 90_000),
)

histories = st.builds(
    StepHistory,
    intents=st.dictionaries(st.just("StartBackup"), st.builds(Intent, st.just("StartBackup"), moments)),
    pending=st.dictionaries(
        st.sampled_from(["ValidateForBackup", "StartBackup"]),
        st.builds(PendingOperation, st.just("x"), st.just("http://127.0.0.1/operation"), moments, st.just("d")),
    ),
    attempts=st.dictionaries(step_keys, attempts, max_size=4),
    started=st.dictionaries(step_keys, moments, max_size=4),
)

observed_clusters = st.builds(
    ObservedCluster,
    cluster=facts(clusters),
    extension=facts(extensions),
    bindings=facts(bindings),
    instances=facts(instances),
    account=facts(accounts),
    container=facts(st.builds(BlobContainer, st.just("c"), st.just("c"))),
    vault=facts(vaults),
    policy=facts(policies),
    deleted_instance=facts(st.just("deleted")),
    running_jobs=facts(st.just(())),
    recovery_point=facts(st.builds(RecoveryPoint, st.just("rp"), moments, st.just("Completed"))),
    backup_job=facts(
        st.builds(
            Job,
            st.just("job"),
            st.sampled_from(["InProgress", "Completed", "Failed", "Cancelled", "CompletedWithWarnings"]),
            st.booleans(),
            moments,
            error=st.one_of(st.none(), step_errors),
        )
    ),
)

registrations = facts(st.sampled_from(["Registered", "Registered", "Registering", "NotRegistered", "Unregistered"]))

observed_regions = st.builds(
    ObservedRegion,
    providers=st.fixed_dictionaries(dict.fromkeys(PROVIDERS, registrations)),
    backup_group=facts(groups),
    snapshot_group=facts(groups),
    account=facts(accounts),
    vault=facts(vaults),
    diagnostics=facts(st.booleans()),
)


def configuration_of(profile: ProtectionProfile) -> Configuration:
    return Configuration(1, {profile.name: profile}, (Rule(Selector(), profile.name),), digest="configuration")


@st.composite
def situations(draw: st.DrawFn) -> tuple[Record, Record, Configuration, Moment]:
    """A cluster's record, its region's, the configuration and the moment: roles and policies of the region and the
    cluster are drawn for the very grants and policies the plan will look for."""
    profile = draw(profiles)
    configuration = configuration_of(profile)
    wanted = wanted_region(REGION, configuration)
    assert wanted is not None
    shared = draw(observed_regions)
    region_facts = {grant_key(grant): draw(facts(assignments)) for grant in region_grants(wanted, shared)}
    known = {policy_name(arm_id): draw(facts(policies)) for arm_id in wanted.policies}
    shared = replace(shared, policies=known, grants=region_facts)
    observed = draw(observed_clusters)
    installed_in = draw(st.sampled_from(["", names.container_id(CLUSTER, "uid-1", ACCOUNT)]))
    if isinstance(observed.cluster, Present):
        cluster = observed.cluster.value
        target = target_of(CLUSTER, cluster, profile, observed, wanted, shared, installed_in)
        own = {
            grant_key(grant): draw(facts(assignments)) for grant in cluster_grants(cluster, profile, observed, target)
        }
        observed = replace(observed, grants=own)
    record = Record(
        CLUSTER,
        draw(moments),
        observed,
        steps=draw(histories),
        validation=draw(st.one_of(st.none(), st.builds(Validation, st.just("d"), moments))),
        backup_job_id=draw(st.sampled_from(["", "job"])),
        backup_asked_at=draw(st.one_of(st.none(), moments)),
        resource_uid=draw(st.sampled_from(["", "uid-1", "uid-2"])),
        protected_uid=draw(st.sampled_from(["", "uid-1"])),
        installed_in=installed_in,
        scope_seen=draw(st.sampled_from(["", "seen"])),
        stale_before=draw(st.one_of(st.none(), moments)),
        reborn_at=draw(st.one_of(st.none(), moments)),
        requested_at=draw(st.one_of(st.none(), moments)),
    )
    region = Record(REGION, NOW, shared, steps=draw(histories))
    return record, region, configuration, Moment(NOW)
