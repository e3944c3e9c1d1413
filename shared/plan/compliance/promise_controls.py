"""Whether the instance keeps the profile's promise: its policy, its scope, the copy in the vault."""

from collections.abc import Iterator

from shared.domain.facts import Present
from shared.domain.ids import same_id
from shared.domain.profile import BackupScope
from shared.plan.compliance.control import COMPLIANT, Outcome, non_compliant, unknown
from shared.plan.compliance.durations import seconds_of, spoken
from shared.plan.compliance.instance_controls import lacking
from shared.plan.compliance.posture import Posture

_MOST_NAMED = 5


def schedule(posture: Posture) -> Outcome | None:
    if posture.profile.existing.policy_id is not None:
        return None  # the named policy's schedule is the promise
    if not isinstance(posture.policy, Present):
        return lacking(posture.policy, "The backup policy")
    policy, promised = posture.policy.value, posture.profile.schedule.interval
    if policy.interval == promised:
        return COMPLIANT
    between = seconds_of(policy.interval)
    if between is None:
        return unknown("IntervalUnknown", f"How often the policy {policy.name} backs up is not understood.")
    wanted = seconds_of(promised) or 0.0
    if between <= wanted:
        return COMPLIANT
    message = f"The policy {policy.name} backs up every {spoken(between)}, where every {spoken(wanted)} is promised."
    return non_compliant("TooSeldom", message)


def retention(posture: Posture) -> Outcome | None:
    if posture.profile.existing.policy_id is not None:
        return None
    if not isinstance(posture.policy, Present):
        return lacking(posture.policy, "The backup policy")
    policy, promised = posture.policy.value, posture.profile.retention
    short, doubtful = [], []
    for kept, wanted, where in (
        (policy.operational_days, promised.operational_days, "as snapshots"),
        # That no copy is made at all is another control's.
        (policy.vault_days if policy.vault_tier else promised.vault_days, promised.vault_days, "in the vault"),
    ):
        if wanted is None or (kept or 0) >= wanted:
            continue
        if not kept:
            doubtful.append(where)
        else:
            short.append(f"{kept} days {where} where {wanted} are promised")
    if short:
        return non_compliant("KeptTooShort", f"The policy {policy.name} keeps backups {' and '.join(short)}.")
    if doubtful:
        message = f"How long the policy {policy.name} keeps backups {' and '.join(doubtful)} is not understood."
        return unknown("RetentionUnknown", message)
    return COMPLIANT


def right_policy(posture: Posture) -> Outcome | None:
    """An adopted instance's policy is judged by what it says, unless the profile names one."""
    if not isinstance(posture.instance, Present):
        return lacking(posture.instance, "The backup instances")
    if not posture.shares_vault:
        return None
    if same_id(posture.instance.value.policy_id, posture.wanted_policy_id):
        return COMPLIANT
    if not posture.ours and posture.profile.existing.policy_id is None:
        return None
    theirs, wanted = (_name(arm_id) for arm_id in (posture.instance.value.policy_id, posture.wanted_policy_id))
    return non_compliant("AnotherPolicy", f"The instance is under the policy {theirs or 'of no name'}, not {wanted}.")


def _name(arm_id: str) -> str:
    return arm_id.rstrip("/").rsplit("/", 1)[-1]


def vault_copy(posture: Posture) -> Outcome | None:
    if posture.profile.retention.vault_days is None:
        return None
    if not isinstance(posture.policy, Present):
        return lacking(posture.policy, "The backup policy")
    policy = posture.policy.value
    if not policy.vault_tier:
        message = f"The policy {policy.name} keeps snapshots only, where a copy in the vault is promised."
        return non_compliant("NoVaultCopy", message)
    if not policy.vault_days:
        return unknown("CopiesUnknown", f"Whether the policy {policy.name} copies a backup of every day is not known.")
    return COMPLIANT


def scope(posture: Posture) -> Outcome:
    """More than the profile promises is enough: what is asked is whether all of it could be restored."""
    if not isinstance(posture.instance, Present):
        return lacking(posture.instance, "The backup instances")
    given, promised = posture.instance.value.scope, posture.profile.scope
    if given == promised:
        return COMPLIANT
    if given is None:
        return unknown("ScopeUnknown", f"What the backup instance {posture.instance.value.name} covers is not shown.")
    if missing := list(narrower(given, promised)):
        return non_compliant("ScopeTooNarrow", f"The backup instance leaves out {'; '.join(missing)}.")
    return COMPLIANT


def narrower(given: BackupScope, promised: BackupScope) -> Iterator[str]:
    """What the one leaves out of the other, for a person."""
    for what, included, excluded, wanted, unwanted in (
        (
            "namespaces",
            given.included_namespaces,
            given.excluded_namespaces,
            promised.included_namespaces,
            promised.excluded_namespaces,
        ),
        (
            "resource types",
            given.included_resource_types,
            given.excluded_resource_types,
            promised.included_resource_types,
            promised.excluded_resource_types,
        ),
    ):
        yield from _left_out(what, _lower(included), _lower(excluded), _lower(wanted), _lower(unwanted))
    if given.label_selectors and set(given.label_selectors) != set(promised.label_selectors):
        yield f"what does not have the labels {_listed(set(given.label_selectors))}"
    if promised.include_cluster_scoped_resources and not given.include_cluster_scoped_resources:
        yield "resources outside of namespaces"
    if promised.snapshot_volumes:
        if not given.snapshot_volumes:
            yield "the volumes"
        elif lost := _lower(promised.volume_types) - _lower(given.volume_types):
            yield f"volumes of the type {_listed(lost)}"
    if lost_hooks := {hook.name for hook in set(promised.hooks) - set(given.hooks)}:
        yield f"the hooks {_listed(lost_hooks)}"


def _left_out(what: str, included: set[str], excluded: set[str], wanted: set[str], unwanted: set[str]) -> Iterator[str]:
    """Empty `included` and `wanted` are everything."""
    if included and not wanted:
        yield f"all {what} but {_listed(included - excluded)}"
        return
    lost = (wanted - unwanted - included if included else set()) | (
        (excluded & wanted if wanted else excluded) - unwanted
    )
    if lost:
        yield f"the {what} {_listed(lost)}"


def _lower(names: tuple[str, ...]) -> set[str]:
    return {name.lower() for name in names}


def _listed(names: set[str]) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - _MOST_NAMED} more" if len(shown) > _MOST_NAMED else ""
    return f"{', '.join(shown[:_MOST_NAMED])}{more}"
