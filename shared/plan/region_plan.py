"""What is missing, or no longer as it shall be, of what the clusters of one region share."""

from shared.domain.conditions import REGION_READY
from shared.domain.errors import StepError
from shared.domain.facts import UNOBSERVED, Absent, Fact, Present, Unobserved, value_of
from shared.domain.observed import BackupPolicy, Grant, ObservedRegion, Vault, grant_key
from shared.domain.record import Record
from shared.domain.steps import (
    CreateBackupPolicy,
    CreateDiagnosticSetting,
    CreateResourceGroup,
    CreateStorageAccount,
    CreateVault,
    GrantRole,
    RegisterProvider,
    Step,
)
from shared.domain.time import Moment
from shared.plan import names
from shared.plan.freshness import DAILY, read_now, settled
from shared.plan.gate import Gate, listed
from shared.plan.parts import Part, Plan, Said, attempted, together
from shared.plan.region import PROVIDERS, WantedRegion, policy_name, region_grants
from shared.plan.states import cleared, failed_once
from shared.plan.vault_settings import as_wanted, for_a_person, vault_repair


def plan_region(record: Record, wanted: WantedRegion, moment: Moment, gate: Gate | None = None) -> Plan:
    """Everything whose inputs are there is started at once; the rest is named in `remaining`. With a gate the same is
    said, and nothing is started."""
    observed = record.observed
    assert isinstance(observed, ObservedRegion)  # noqa: S101 - the caller chose by the subject
    parts = [_provider(record, observed, wanted, namespace, moment) for namespace in PROVIDERS]
    if wanted.fills_backup_group:
        parts.append(_group(record, observed.backup_group, wanted.backup_group_id, wanted, moment))
    parts += [
        _group(record, observed.snapshot_group, wanted.snapshot_group_id, wanted, moment),
        _account(record, observed, wanted, moment),
        _vault(record, observed, wanted, moment),
        _diagnostics(record, observed, wanted, moment),
        *(_policy(record, observed, wanted, arm_id, moment) for arm_id in wanted.policies),
        *(_grant(record, observed, grant, moment) for grant in region_grants(wanted, observed)),
    ]
    whole = together(parts)
    wrong = [said for said in whole.said if said.status != "True"]
    if whole.complete:
        ready = _ready(wanted, value_of(observed.vault))
        return Plan((), (), (ready.at(moment),), DAILY)
    in_the_way = next((s for s in wrong if s.reason not in (_CREATING.reason, _REPAIRING.reason)), None)
    if gate is not None:
        message = f"{gate.message} Would do: {listed(whole.remaining)}."
        would = Said(REGION_READY, "False", gate.reason, message, gate.recommended_action)
        return Plan((), whole.remaining, ((in_the_way or would).at(moment),), gate.requeue_after)
    said = in_the_way or wrong[0]
    return Plan(whole.steps, whole.remaining, (said.at(moment),), whole.requeue_after or 15)


_CREATING = Said(REGION_READY, "False", "Creating", "What the clusters of this region share is being created.")
_REPAIRING = Said(REGION_READY, "False", "Repairing", "What somebody changed in what this region shares is put back.")


def _ready(wanted: WantedRegion, vault: Vault | None) -> Said:
    """What only a person may do does not make a region that works one that does not."""
    message = "Vault, storage account, groups and policies are there."
    lacking = for_a_person(vault, wanted.profile, wanted.repairs) if vault and wanted.makes_vault else ()
    if not lacking:
        return Said(REGION_READY, "True", "RegionReady", message)
    return Said(
        REGION_READY,
        "True",
        "RegionReady",
        f"{message} The vault has not yet what the profile {wanted.profile.name!r} asks for: {', '.join(lacking)}.",
        "It can never be undone: set it on the vault yourself, or allow it with repairs.one_way in the profile.",
    )


def _there() -> Part:
    return Part((Said(REGION_READY, "True", "There", ""),))


def _waiting(name: str, seconds: float | None, said: Said = _CREATING) -> Part:
    """None seconds: what it waits for is another part's, which knows for how long."""
    return Part((said,), (), (name,), seconds)


def _create(record: Record, wanted: WantedRegion, fact: Fact[object], arm_id: str, step: Step, moment: Moment) -> Part:
    """Absent and ours: create. Absent and named as existing: a person must act. Unread: read first."""
    if isinstance(fact, Unobserved):
        return _waiting(step.key, 15, Said(REGION_READY, "Unknown", "Unobserved", f"{arm_id}: {fact.reason}."))
    if isinstance(fact, Absent) and arm_id in wanted.existing:
        said = Said(
            REGION_READY,
            "False",
            "ExistingResourceMissing",
            f"The profile {wanted.profile.name!r} names {arm_id} as existing, but Azure has none.",
            "Create it, or correct the profile in guard.yaml.",
        )
        return _waiting(step.key, 300, said)
    return attempted(REGION_READY, step, record.steps, moment, _CREATING)


def _repair(record: Record, fact: Fact[object], step: Step, moment: Moment) -> Part:
    """Of what is there and was changed. What an older look knew is read again before anything is changed by it."""
    if not read_now(fact, moment):
        return _waiting(step.key, 5, _REPAIRING)
    return attempted(REGION_READY, step, record.steps, moment, _REPAIRING)


def _provider(record: Record, observed: ObservedRegion, wanted: WantedRegion, namespace: str, moment: Moment) -> Part:
    fact = observed.providers.get(namespace, UNOBSERVED)
    state = value_of(fact)
    if state == "Registered":
        return _there()
    step = RegisterProvider(wanted.region.subscription_id, namespace)
    if state == "Registering":
        return _waiting(step.key, 10)
    if isinstance(fact, Present):
        return attempted(REGION_READY, step, record.steps, moment, _CREATING)
    reason = fact.reason if isinstance(fact, Unobserved) else "Azure does not know this resource provider"
    return _waiting(step.key, 15, Said(REGION_READY, "Unknown", "Unobserved", f"{namespace}: {reason}."))


def _registered(observed: ObservedRegion, namespace: str) -> bool:
    return value_of(observed.providers.get(namespace, UNOBSERVED)) == "Registered"


def _group(record: Record, fact: Fact[object], arm_id: str, wanted: WantedRegion, moment: Moment) -> Part:
    if isinstance(fact, Present):
        return _there()
    tags = dict(wanted.profile.tags)
    if arm_id == wanted.backup_group_id:
        tags[names.CLI_TAG] = wanted.region.location
    step = CreateResourceGroup(arm_id, wanted.region.location, tags)
    return _create(record, wanted, fact, arm_id, step, moment)


def _account(record: Record, observed: ObservedRegion, wanted: WantedRegion, moment: Moment) -> Part:
    if wanted.account_id is None:
        return Part()
    account = value_of(observed.account)
    if account is not None:
        state = account.provisioning_state.lower()
        return _there() if state == "succeeded" else _waiting("CreateStorageAccount", 5)
    step = CreateStorageAccount(
        wanted.account_id,
        wanted.region.location,
        {**wanted.profile.tags, names.CLI_TAG: wanted.region.location},
        wanted.profile.customer_managed_key,
        wanted.profile.network,
        wanted.vault_id,
    )
    if wanted.account_id not in wanted.existing and not (
        isinstance(observed.backup_group, Present) and _registered(observed, "Microsoft.Storage")
    ):
        return _waiting(step.key, None)
    return _create(record, wanted, observed.account, wanted.account_id, step, moment)


def _vault(record: Record, observed: ObservedRegion, wanted: WantedRegion, moment: Moment) -> Part:
    vault = value_of(observed.vault)
    if vault is not None:
        if vault.provisioning_state.lower() == "failed":
            return _waiting(
                "CreateVault",
                300,
                Said(
                    REGION_READY,
                    "False",
                    "VaultFailed",
                    f"The vault {vault.name} is in the provisioning state Failed.",
                    "Look at the vault's activity log; delete it if it holds nothing, and the Guard makes it again.",
                ),
            )
        if vault.principal_id is None and not wanted.makes_vault:
            return _waiting(
                "CreateVault",
                300,
                Said(
                    REGION_READY,
                    "False",
                    "VaultWithoutIdentity",
                    f"The vault {vault.name} has no system-assigned identity, which AKS backup needs.",
                    "Turn on the vault's system-assigned identity.",
                ),
            )
        if vault.location.lower() != wanted.region.location:
            return _waiting(
                "CreateVault",
                1800,
                Said(
                    REGION_READY,
                    "False",
                    "VaultInAnotherRegion",
                    f"The vault {vault.name} lies in {vault.location}, the clusters in {wanted.region.location}.",
                    "Give the clusters of this region a profile whose vault lies here.",
                ),
            )
        if not settled(vault.provisioning_state):
            return _waiting("CreateVault", 3)
        repair = vault_repair(vault, wanted.profile, wanted.repairs) if wanted.makes_vault else None
        if repair is None:
            return _there()
        return _repair(record, observed.vault, repair, moment)
    step = CreateVault(
        wanted.vault_id,
        wanted.region.location,
        {**wanted.profile.tags, names.CLI_TAG: wanted.region.location},
        wanted.profile.vault,
        wanted.profile.customer_managed_key,
    )
    if wanted.vault_id not in wanted.existing and not (
        isinstance(observed.backup_group, Present) and _registered(observed, "Microsoft.DataProtection")
    ):
        return _waiting(step.key, None)
    return _create(record, wanted, observed.vault, wanted.vault_id, step, moment)


def _policy(record: Record, observed: ObservedRegion, wanted: WantedRegion, arm_id: str, moment: Moment) -> Part:
    fact: Fact[BackupPolicy] = observed.policies.get(policy_name(arm_id), UNOBSERVED)
    vault, profile = value_of(observed.vault), wanted.policies[arm_id]
    if isinstance(fact, Present) and (arm_id in wanted.existing or as_wanted(fact.value, profile)):
        return _there()
    soft_delete = vault.soft_delete if vault else profile.vault.soft_delete
    step = CreateBackupPolicy(arm_id, profile.schedule, profile.retention, soft_delete)
    if isinstance(fact, Present):
        return _repair(record, fact, step, moment)
    if vault is None or vault.provisioning_state.lower() != "succeeded":
        return _waiting(step.key, None)
    return _create(record, wanted, fact, arm_id, step, moment)


def _grant(record: Record, observed: ObservedRegion, grant: Grant, moment: Moment) -> Part:
    fact = observed.grants.get(grant_key(grant), UNOBSERVED)
    step = GrantRole(grant, names.assignment_name(grant))
    if isinstance(fact, Present):
        return _there()
    scope_there = isinstance(
        observed.account if "/storageaccounts/" in grant.scope else observed.snapshot_group, Present
    )
    if not scope_there:
        return _waiting(step.key, None)
    if isinstance(fact, Unobserved):
        return _waiting(step.key, 5)
    return attempted(REGION_READY, step, record.steps, moment, _CREATING)


def _diagnostics(record: Record, observed: ObservedRegion, wanted: WantedRegion, moment: Moment) -> Part:
    fact, vault = observed.diagnostics, value_of(observed.vault)
    if wanted.workspace_id is None or value_of(fact) is True:
        return Part()
    step = CreateDiagnosticSetting(wanted.vault_id, wanted.workspace_id)
    if vault is None or vault.provisioning_state.lower() != "succeeded":
        return _waiting(step.key, None)
    if isinstance(fact, Unobserved):
        said = Said(REGION_READY, "Unknown", "Unobserved", f"The vault's diagnostic settings: {fact.reason}.")
        return _waiting(step.key, 15, said)
    return attempted(REGION_READY, step, record.steps, moment, _CREATING)


def repairs_seen(record: Record, wanted: WantedRegion, moment: Moment) -> Record:
    """What a look shows of what was put back: one that is again as it was before counts as a failure, so that nobody
    is fought at every look."""
    observed = record.observed
    assert isinstance(observed, ObservedRegion)  # noqa: S101 - the caller chose by the subject
    vault = observed.vault
    if isinstance(vault, Present) and read_now(vault, moment) and settled(vault.value.provisioning_state):
        repair = vault_repair(vault.value, wanted.profile, wanted.repairs) if wanted.makes_vault else None
        message = f"The vault {vault.value.name} is Succeeded, and its settings are not as they were set."
        record = _seen(record, "UpdateVault:", vault.value.name, message, right=repair is None, moment=moment)
    for arm_id, profile in wanted.policies.items():
        fact = observed.policies.get(policy_name(arm_id), UNOBSERVED)
        if isinstance(fact, Present) and read_now(fact, moment):
            right = arm_id in wanted.existing or as_wanted(fact.value, profile)
            message = f"The policy {policy_name(arm_id)} was put, and its content is another."
            record = _seen(record, "CreateBackupPolicy:", policy_name(arm_id), message, right=right, moment=moment)
    return record


def _seen(record: Record, step: str, name: str, message: str, *, right: bool, moment: Moment) -> Record:
    key = next((known for known in record.steps.started if known.lower() == f"{step}{name}".lower()), "")
    if right:
        return cleared(record, key or f"{step}{name}")
    if not key:
        return record
    action = "See whether an Azure Policy or another tool sets it back; the Guard tries again at growing intervals."
    return failed_once(record, key, StepError("blocked", "NotAsSet", message, action), moment)
