"""What stands between a cluster and its vault: storage, extension, trusted access, roles. Each part starts what its
inputs allow and answers for one condition."""

from dataclasses import replace

from shared.domain.conditions import (
    EXTENSION_READY,
    ROLES_ASSIGNED,
    TRUSTED_ACCESS_GRANTED,
)
from shared.domain.facts import UNOBSERVED, Absent, Present, Unobserved, value_of
from shared.domain.ids import same_id
from shared.domain.observed import Extension, Grant, TrustedAccessBinding, grant_key
from shared.domain.steps import (
    BACKUP_OPERATOR,
    EXTENSION_NAME,
    CreateContainer,
    CreateStorageAccount,
    CreateTrustedAccessBinding,
    GrantRole,
    InstallExtension,
    UpdateExtension,
)
from shared.plan import names
from shared.plan.extension_memory import kept, with_decisions
from shared.plan.extension_place import misplaced, with_endpoint
from shared.plan.freshness import extension_look_in, first_look_in, read_now
from shared.plan.parts import Part, Said, attempted, seconds_until
from shared.plan.roles import CONTRIBUTOR
from shared.plan.subject import Subject, unobserved, waiting
from shared.plan.target import cluster_grants
from shared.plan.under_way import nothing_runs, own_backup, start_is_near

MOST_BINDINGS = 8
"""Per cluster (AKS trusted access page)."""


def storage_part(subject: Subject) -> Part:
    """The account of the cluster's own, when the profile isolates accounts, and the container. An extension that
    somebody else installed has its container already."""
    target, container = subject.target, subject.observed.container
    if isinstance(subject.observed.extension, Present) and not (target.own_extension and _lost(subject)):
        return Part()
    if target.own_account and isinstance(target.account, Absent):
        step = CreateStorageAccount(
            target.account_id,
            subject.cluster.location,
            {**subject.profile.tags, names.CLI_TAG: subject.cluster.location},
            subject.profile.customer_managed_key,
            subject.profile.network,
            target.vault_id,
        )
        ready = Said(EXTENSION_READY, "False", "CreatingStorageAccount", "The cluster's own account is being created.")
        if isinstance(subject.region.backup_group, Present):
            return attempted(EXTENSION_READY, step, subject.record.steps, subject.moment, ready)
        return waiting(
            EXTENSION_READY, "WaitingForRegion", "The backup resource group is not there yet.", None, step.key
        )
    account = value_of(target.account)
    if account is None or account.provisioning_state.lower() != "succeeded":
        message, wait = "The storage account is not there yet.", None if target.shares_account else 5
        return waiting(EXTENSION_READY, "WaitingForStorageAccount", message, wait, "CreateContainer")
    if isinstance(container, Present) and same_id(container.value.arm_id, target.container_id):
        return Part()
    if isinstance(container, Unobserved):
        return unobserved(EXTENSION_READY, "The blob container", container)
    ready = Said(EXTENSION_READY, "False", "CreatingContainer", "The cluster's blob container is being created.")
    step_container = CreateContainer(target.container_id)
    return attempted(EXTENSION_READY, step_container, subject.record.steps, subject.moment, ready)


def _lost(subject: Subject) -> bool:
    """Whether what the Guard's own extension writes to is not there any more."""
    account = subject.target.account
    return isinstance(subject.observed.container, Absent) or isinstance(account, Absent)


def extension_part(subject: Subject) -> Part:
    """Installed once account and container are there; one that is installed already is adopted as it is."""
    fact = subject.observed.extension
    if (wait := first_look_in(subject.record, "InstallExtension", subject.moment)) > 0:
        message = "The backup extension is being installed."
        return waiting(EXTENSION_READY, "Installing", message, wait, "InstallExtension")
    if isinstance(fact, Unobserved):
        return unobserved(EXTENSION_READY, "The backup extension", fact)
    account, memory = value_of(subject.target.account), subject.record.memory
    install = InstallExtension(
        subject.cluster.arm_id,
        (extension.container if (extension := value_of(fact)) and not subject.target.own_extension else "")
        or subject.target.container_id.rsplit("/", 1)[-1],
        subject.target.account_id,
        account.blob_endpoint if account else "",
        with_decisions(subject.profile, kept(memory, extension) if extension else memory),
    )
    if isinstance(fact, Present):
        extension, state = fact.value, fact.value.provisioning_state.lower()
        if state == "succeeded" and extension.principal_id is not None:
            if settings := misplaced(subject.record, extension):
                return _put_back(subject, extension, settings)
            message = f"The backup extension {extension.name} is installed (account {extension.storage_account})."
            return Part((Said(EXTENSION_READY, "True", "Installed", message),))
        if state != "failed":
            message = f"The backup extension is {extension.provisioning_state}."
            seconds = max(15.0, extension_look_in(subject.record, subject.moment))
            return waiting(EXTENSION_READY, "Installing", message, seconds, install.key)
        return _failed_extension(subject, extension.error, extension.name, install if account else None)
    container = subject.observed.container
    ready = Said(EXTENSION_READY, "False", "Installing", "The backup extension is being installed.")
    registered = value_of(subject.region.providers.get("Microsoft.KubernetesConfiguration", UNOBSERVED))
    if not isinstance(container, Present) or account is None or registered != "Registered":
        message = "The extension is installed once its blob container is there."
        return waiting(EXTENSION_READY, "WaitingForStorage", message, None, install.key)
    return attempted(EXTENSION_READY, install, subject.record.steps, subject.moment, ready)


def _put_back(subject: Subject, extension: Extension, settings: dict[str, str]) -> Part:
    """The extension's pods restart with it, so that it waits until no backup or restore runs."""
    account, record, moment = value_of(subject.target.account), subject.record, subject.moment
    step = UpdateExtension(extension.arm_id, with_endpoint(settings, account.blob_endpoint if account else ""))
    message = "Somebody changed where the backup extension keeps its backups; it is set back."
    ready = Said(EXTENSION_READY, "False", "PuttingBack", message)
    if account is None:
        said = f"{message} The storage account is not there yet."
        return waiting(EXTENSION_READY, "PuttingBack", said, 15, step.key)
    attempt = record.steps.attempts.get(step.key)
    if subject.profile.mode == "audit" or (attempt is not None and attempt.not_before > moment.now):
        return attempted(EXTENSION_READY, step, record.steps, moment, ready)
    if not isinstance(subject.observed.extension, Present) or not read_now(subject.observed.extension, moment):
        return waiting(EXTENSION_READY, "PuttingBack", message, 15, step.key)
    quiet = nothing_runs(subject)
    if (near := start_is_near(subject)) is not None:
        return waiting(
            EXTENSION_READY, "PuttingBack", f"{message} The schedule starts a backup about now.", near, step.key
        )
    if own_backup(subject) or not quiet:
        said = f"{message} A backup or restore runs, or may run, which the change would cut."
        return waiting(EXTENSION_READY, "PuttingBack", said, 30 if quiet is None else 120, step.key)
    return attempted(EXTENSION_READY, step, record.steps, moment, ready)


def puts_back(subject: Subject) -> bool:
    """Whether the extension's storage settings wait for nothing but the proof that no backup runs."""
    extension, attempt = value_of(subject.observed.extension), subject.record.steps.attempts.get("UpdateExtension")
    if extension is None or extension.provisioning_state.lower() != "succeeded" or subject.profile.mode == "audit":
        return False
    due = attempt is None or attempt.not_before <= subject.moment.now
    return due and bool(misplaced(subject.record, extension)) and start_is_near(subject) is None


def _failed_extension(subject: Subject, error: str, name: str, install: InstallExtension | None) -> Part:
    """A fresh PUT of the Guard's own extension is tried at growing intervals; somebody else's is only reported."""
    said = Said(
        EXTENSION_READY,
        "False",
        "ExtensionFailed",
        f"The backup extension {name} is in Failed: {error or 'Azure gives no message'}.",
        "See the message: node capacity, DNS or egress, and image policies are the usual causes.",
    )
    ours = name.lower() == EXTENSION_NAME
    attempt = subject.record.steps.attempts.get("InstallExtension")
    if not ours or install is None or attempt is None:
        return Part((said,), (), ("InstallExtension",), 300)
    if attempt.not_before > subject.moment.now:
        return Part((said,), (), (install.key,), seconds_until(attempt, subject.moment))
    if subject.target.instance is not None:  # it would cut a backup that runs all the same
        if (near := start_is_near(subject)) is not None:
            return Part((said,), (), (install.key,), near)
        if own_backup(subject) or nothing_runs(subject) is not True:
            return Part((said,), (), (install.key,), 60)
    return Part((said,), (install,), (install.key,), 15)


def reinstalls(subject: Subject) -> bool:
    """Whether an extension in Failed waits for nothing but the proof that no backup runs."""
    extension, attempt = value_of(subject.observed.extension), subject.record.steps.attempts.get("InstallExtension")
    if extension is None or extension.provisioning_state.lower() != "failed" or subject.profile.mode == "audit":
        return False
    due = attempt is not None and attempt.not_before <= subject.moment.now and start_is_near(subject) is None
    return due and subject.target.instance is not None and extension.name.lower() == EXTENSION_NAME


def trusted_access_part(subject: Subject) -> Part:
    """One binding per cluster and vault, whatever it is called."""
    fact = subject.observed.bindings
    if (wait := first_look_in(subject.record, "CreateTrustedAccessBinding", subject.moment)) > 0:
        message = "The vault is being bound to the cluster."
        return waiting(TRUSTED_ACCESS_GRANTED, "Binding", message, wait, "CreateTrustedAccessBinding")
    if isinstance(fact, Unobserved):
        return unobserved(TRUSTED_ACCESS_GRANTED, "The trusted access bindings", fact)
    bindings = value_of(fact) or ()
    vault = value_of(subject.target.vault)
    step = CreateTrustedAccessBinding(
        names.binding_id(subject.cluster.arm_id, subject.target.vault_id), subject.target.vault_id
    )
    binding = next((b for b in bindings if _grants_backup(b, subject.target.vault_id)), None)
    if binding is not None and binding.provisioning_state.lower() == "succeeded":
        message = f"The vault may reach the cluster by the binding {binding.name}."
        return Part((Said(TRUSTED_ACCESS_GRANTED, "True", "Bound", message),))
    if binding is not None and binding.provisioning_state.lower() not in ("failed", "canceled"):
        message = f"The trusted access binding is {binding.provisioning_state}."
        return waiting(TRUSTED_ACCESS_GRANTED, "Binding", message, 10, step.key)
    if vault is None or vault.provisioning_state.lower() != "succeeded":
        message, seconds = "The vault is not there yet.", None if vault is None else 5.0
        return waiting(TRUSTED_ACCESS_GRANTED, "WaitingForVault", message, seconds, step.key)
    again = any(same_id(b.name, step.arm_id.rsplit("/", 1)[-1]) for b in bindings)  # one of ours that was changed
    if binding is None and not again and len(bindings) >= MOST_BINDINGS:
        said = Said(
            TRUSTED_ACCESS_GRANTED,
            "False",
            "TrustedAccessLimitReached",
            f"The cluster has {len(bindings)} trusted access bindings, which is all that Azure allows.",
            "Remove one that is not needed: az aks trustedaccess rolebinding list.",
        )
        return Part((said,), (), (step.key,), 1800)
    ready = Said(TRUSTED_ACCESS_GRANTED, "False", "Binding", "The vault is being bound to the cluster.")
    return attempted(TRUSTED_ACCESS_GRANTED, step, subject.record.steps, subject.moment, ready)


def _grants_backup(binding: TrustedAccessBinding, vault_id: str) -> bool:
    return same_id(binding.source_id, vault_id) and BACKUP_OPERATOR.lower() in (r.lower() for r in binding.roles)


def roles_part(subject: Subject) -> Part:
    """Every grant whose identity and scope are there; whose propagation is another matter."""
    steps: list[GrantRole] = []
    failed: list[Said] = []
    remaining: list[str] = []
    waits: list[float] = []
    for grant in cluster_grants(subject.cluster, subject.profile, subject.observed, subject.target):
        fact = subject.observed.grants.get(grant_key(grant), UNOBSERVED)
        if isinstance(fact, Present):
            continue
        step = GrantRole(grant, names.assignment_name(grant))
        remaining.append(step.key)
        if not _scope_there(subject, grant.scope):
            continue
        if isinstance(fact, Unobserved):
            waits.append(5)
            continue
        part = attempted(
            ROLES_ASSIGNED, step, subject.record.steps, subject.moment, Said(ROLES_ASSIGNED, "False", "Granting", "")
        )
        steps += [s for s in part.steps if isinstance(s, GrantRole)]
        failed += [_advised(said, grant, subject) for said in part.said if said.reason != "Granting"]
        waits.append(part.requeue_after or 5)
    vault, extension = value_of(subject.target.vault), value_of(subject.observed.extension)
    if vault is None or extension is None or extension.principal_id is None:
        remaining.append("GrantRole")
    if not remaining:
        return Part((Said(ROLES_ASSIGNED, "True", "Assigned", "Every role the backup needs is assigned."),))
    waiting_for = Said(ROLES_ASSIGNED, "False", "WaitingForIdentities", "Identities that need roles are not there yet.")
    granting = Said(ROLES_ASSIGNED, "False", "Granting", "Roles are being assigned.") if steps else waiting_for
    said = failed[0] if failed else granting
    return Part((said,), tuple(steps), tuple(remaining), min(waits, default=None))


def _advised(said: Said, grant: Grant, subject: Subject) -> Said:
    """The Guard may make a cluster Contributor only in snapshot groups that were deployed (docs/rights.md): in another
    one a deployment helps, and no role of the message's."""
    if (said.reason, grant.role) != ("AuthorizationFailed", CONTRIBUTOR):
        return said
    return replace(
        said,
        recommended_action="Deploy the right to give it there: `azd hooks run postprovision`. Before that, if "
        f"GUARD_REGIONS is set (`azd env get-value GUARD_REGIONS`), add {subject.cluster.location} to it with `azd env "
        "set`, or to GUARD_MORE_SNAPSHOT_GROUPS the group, where the profile names one.",
    )


def _scope_there(subject: Subject, scope: str) -> bool:
    if same_id(scope, subject.target.snapshot_group_id):
        return subject.target.snapshot_group_ready
    if same_id(scope, subject.target.account_id):
        account = subject.target.account
        # An adopted extension's account is not the Guard's to create: let Azure say when it is gone.
        adopted = isinstance(subject.observed.extension, Present) and not subject.target.own_extension
        return isinstance(account, Present) or adopted
    return True
