"""What single fields cannot show: settings that contradict each other, and profiles that cannot share a vault."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from shared.domain.ids import same_id
from shared.profiles.base_models import SelectorModel
from shared.profiles.fields import quantity
from shared.profiles.models import ConfigurationModel, ProfileModel
from shared.profiles.yaml_lines import Path, Problem

_MOST_NAMESPACES = 800
_MOST_SNAPSHOTS = 500
"""Of one disk."""
_MOST_FILE_SHARE_DAYS = 30
_ALWAYS_SKIPPED = frozenset({"kube-system", "kube-node-lease", "kube-public"})
_BACKUPS_A_DAY = {"PT4H": 6, "PT6H": 4, "PT8H": 3, "PT12H": 2, "P1D": 1}
_MOST_TAGS = 49
"""Azure has 50 per resource; AKSAzureBackup is one of them."""
_OUR_TAG = "aksazurebackup"


def profile_problems(name: str, profile: ProfileModel) -> Iterator[Problem]:
    """Limits without another word are the support matrix's for AKS backup."""
    at: Path = ("profiles", name)
    yield from _vault_problems(at, profile)
    yield from _existing_problems(at, profile)
    yield from _scope_problems(at, profile)
    retention, backups = profile.retention, _BACKUPS_A_DAY[profile.schedule.interval]
    if (snapshots := backups * retention.operational_days) > _MOST_SNAPSHOTS:
        yield Problem(
            (*at, "retention", "operational_days"),
            f"{backups} backups a day kept for {retention.operational_days} days are {snapshots} snapshots of each "
            f"disk, and Azure keeps {_MOST_SNAPSHOTS}; use at most {_MOST_SNAPSHOTS // backups} days, "
            "or a longer schedule.interval",
        )
    for kind in ("memory", "cpu"):
        request, limit = getattr(profile.extension, f"{kind}_request"), getattr(profile.extension, f"{kind}_limit")
        if request and limit and quantity(request) > quantity(limit):
            message = f"{request} is more than the limit of {limit}; lower it or raise {kind}_limit"
            yield Problem((*at, "extension", f"{kind}_request"), message)
    if len(profile.tags) > _MOST_TAGS:
        yield Problem((*at, "tags"), f"{len(profile.tags)} tags are more than Azure takes; use at most {_MOST_TAGS}")
    for tag in profile.tags:
        if tag.lower() == _OUR_TAG:
            yield Problem((*at, "tags", tag), "is set by the Guard itself, as Microsoft's own tools do; remove it")


def configuration_problems(configuration: ConfigurationModel) -> Iterator[Problem]:
    """Of rules, exemptions and rings; needs the whole file to be readable."""
    everything = SelectorModel()
    names = list(configuration.profiles)
    catch_all: int | None = None
    for number, rule in enumerate(configuration.rules):
        if rule.profile is not None:
            yield from unknown_profile(("rules", number, "profile"), rule.profile, names)
        if catch_all is not None:
            message = f"is never reached: rules[{catch_all}] matches every cluster; move that one to the end"
            yield Problem(("rules", number), message)
        elif rule.match == everything:
            catch_all = number
    for number, exemption in enumerate(configuration.exemptions):
        if exemption.match == everything:
            message = "would exempt every cluster; say which, or use the emergency stop"
            yield Problem(("exemptions", number, "match"), message)
    seen: set[str] = set()
    for number, ring in enumerate(configuration.rollout.rings):
        if ring.name in seen:
            yield Problem(("rollout", "rings", number, "name"), f"{ring.name!r} is given twice; rename one")
        seen.add(ring.name)


def unknown_profile(at: Path, name: str, names: Sequence[str]) -> Iterator[Problem]:
    if name not in names:
        close = get_close_matches(name, names, 1)
        hint = f"did you mean {close[0]}?" if close else f"the profiles are: {', '.join(names) or 'none'}"
        yield Problem(at, f"there is no profile {name!r}; {hint}")


def agreement_problems(profiles: Mapping[str, ProfileModel]) -> Iterator[Problem]:
    """What profiles of one vault class share must be the same in all of them."""
    spelt: dict[str, str] = {}
    first_of: dict[str, str] = {}
    for name, profile in profiles.items():
        if (like := spelt.setdefault(name.lower(), name)) != name:
            yield Problem(("profiles", name), f"differs from {like} by upper and lower case only; rename one")
        first = first_of.setdefault(profile.vault.vault_class, name)
        theirs, ours = _shared(profiles[first]), _shared(profile)
        if different := [field for field in ours if ours[field] != theirs[field]]:
            yield Problem(
                ("profiles", name),
                f"differs from profile {first} in {', '.join(different)}, but both have the vault class "
                f"{profile.vault.vault_class!r} and so share vault and storage account; make them equal, "
                "or give one a vault.vault_class of its own",
            )


def _shared(profile: ProfileModel) -> dict[str, object]:
    there = profile.existing
    ids = {
        f"existing.{name}": (value or "").rstrip("/").lower()
        for name in ("backup_group_id", "snapshot_group_id", "storage_account_id", "vault_id")
        for value in [getattr(there, name)]
    }
    vault = {f"vault.{name}": value for name, value in profile.vault.model_dump().items()}
    workspace = profile.vault.diagnostics_workspace_id
    vault["vault.diagnostics_workspace_id"] = (workspace or "").rstrip("/").lower()
    return {
        **vault,
        **ids,
        "tags": profile.tags,
        "customer_managed_key": profile.customer_managed_key,
        "network": profile.network,
    }


def _vault_problems(at: Path, profile: ProfileModel) -> Iterator[Problem]:
    vault = profile.vault
    if profile.existing.vault_id is not None:
        for name in sorted(vault.model_fields_set - {"vault_class"}):
            message = "the vault of existing.vault_id is there already and nothing is changed on it; remove this"
            yield Problem((*at, "vault", name), message)
        return
    if vault.soft_delete is None:
        yield Problem(
            (*at, "vault", "soft_delete"),
            "is missing, and a created vault needs it said because AlwaysOn can never be undone; "
            "add soft_delete: AlwaysOn or soft_delete: On, or name existing.vault_id",
        )
    if vault.cross_region_restore and vault.redundancy != "GeoRedundant":
        message = f"needs redundancy GeoRedundant, which is {vault.redundancy}; change one of them"
        yield Problem((*at, "vault", "cross_region_restore"), message)


def _existing_problems(at: Path, profile: ProfileModel) -> Iterator[Problem]:
    there = profile.existing
    if there.policy_id is not None:
        if there.vault_id is None:
            message = "a policy belongs to a vault; name that vault in existing.vault_id too"
            yield Problem((*at, "existing", "policy_id"), message)
        elif not there.policy_id.lower().startswith(there.vault_id.rstrip("/").lower() + "/"):
            message = "is not a policy of existing.vault_id; name one of that vault"
            yield Problem((*at, "existing", "policy_id"), message)
        for name in ("schedule", "retention"):
            if name in profile.model_fields_set:
                yield Problem((*at, name), "the policy of existing.policy_id has its own; remove this")
    if there.storage_account_id is not None:
        if profile.isolation == "account-per-cluster":
            message = "one account for all contradicts isolation: account-per-cluster; remove one of them"
            yield Problem((*at, "existing", "storage_account_id"), message)
        elif "network" in profile.model_fields_set:
            message = (
                "the account of existing.storage_account_id is there already, nothing is changed on it; remove this"
            )
            yield Problem((*at, "network"), message)
        if there.vault_id is not None and profile.customer_managed_key is not None:
            message = "vault and storage account are there already, nothing is changed on them; remove this"
            yield Problem((*at, "customer_managed_key"), message)
    for name in ("backup_group_id", "vault_id", "storage_account_id"):
        other, snapshots = getattr(there, name), there.snapshot_group_id
        if other and snapshots and same_id("/".join(other.split("/")[:5]), snapshots):
            message = (
                f"is the group of existing.{name}; every cluster's identity is Contributor in the snapshot group, "
                "so it must hold neither vault nor storage account: name another"
            )
            yield Problem((*at, "existing", "snapshot_group_id"), message)
            break


def _scope_problems(at: Path, profile: ProfileModel) -> Iterator[Problem]:
    scope, at = profile.scope, (*at, "scope")
    for name in ("included_namespaces", "excluded_namespaces"):
        if (count := len(getattr(scope, name))) > _MOST_NAMESPACES:
            message = f"{count} namespaces are more than Azure's {_MOST_NAMESPACES}; name fewer"
            yield Problem((*at, name), message)
    for kind in ("namespaces", "resource_types"):
        both = set(getattr(scope, f"included_{kind}")) & set(getattr(scope, f"excluded_{kind}"))
        if both:
            message = f"{', '.join(sorted(both)[:5])} included and excluded at once; remove one of them"
            yield Problem((*at, f"excluded_{kind}"), message)
    for number, namespace in enumerate(scope.included_namespaces):
        if namespace in _ALWAYS_SKIPPED:
            yield Problem((*at, "included_namespaces", number), f"Azure Backup never includes {namespace}; remove it")
    if "AzureFileShareSMB" in scope.volume_types:
        if profile.retention.operational_days > _MOST_FILE_SHARE_DAYS:
            message = (
                f"backups of file shares are kept {_MOST_FILE_SHARE_DAYS} days at most; lower operational_days to it"
            )
            yield Problem((*at, "volume_types"), message)
        if profile.retention.vault_days is not None:
            message = "file shares have no vault tier; remove AzureFileShareSMB or retention.vault_days"
            yield Problem((*at, "volume_types"), message)
