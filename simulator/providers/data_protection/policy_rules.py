"""What Azure Backup accepts as a policy for AKS. Pure: a body and a region in, the refusal or None out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from simulator.providers.data_protection.models import UserError

AKS = "Microsoft.ContainerService/managedClusters"
INTERVALS = ("PT4H", "PT6H", "PT8H", "PT12H", "P1D")
CRITERIA = ("AllBackup", "FirstOfDay", "FirstOfWeek", "FirstOfMonth", "FirstOfYear")
OPERATIONAL_ONLY = frozenset(
    {"israelcentral", "polandcentral", "spaincentral"}
)  # documented, of the regions known here
OPERATIONAL_DAYS = 360  # documented; that the API refuses more is assumed
VAULT_DAYS = 3650  # assumed

_REPEATING = re.compile(
    r"R\d*/\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?(Z|[+-]\d\d:\d\d)/(?P<interval>P\w+)", re.IGNORECASE
)
_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?")


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How long data stays in one store, and whether it is copied on to the vault store."""

    store: str
    keep: timedelta
    copies_to_vault: bool


def days(duration: str) -> timedelta | None:
    """An ISO 8601 duration of whole days (months of 30, years of 365); None when it is not one."""
    found = _DURATION.fullmatch(duration)
    if found is None or not any(found.groups()):
        return None
    years, months, weeks, single = (int(value or 0) for value in found.groups())
    return timedelta(days=years * 365 + months * 30 + weeks * 7 + single)


def backup_rule(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one AzureBackupRule of a policy that was accepted."""
    return next(rule for rule in properties["policyRules"] if rule["objectType"] == "AzureBackupRule")


def tags(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Tagging criteria of an accepted policy, the one that wins first (lowest priority number)."""
    found = backup_rule(properties)["trigger"]["taggingCriteria"]
    return sorted(found, key=lambda tag: tag["taggingPriority"])


def lifecycles(properties: Mapping[str, Any], tag: str) -> list[Lifecycle]:
    """What becomes of a recovery point with that tag."""
    for rule in properties["policyRules"]:
        if rule["objectType"] == "AzureRetentionRule" and rule["name"].lower() == tag.lower():
            return [_lifecycle(lifecycle) for lifecycle in rule["lifecycles"]]
    return []


def uses_vault_store(properties: Mapping[str, Any]) -> bool:
    """Whether any recovery point of an accepted policy gets a copy in the vault store."""
    return any(
        lifecycle.store == "VaultStore" or lifecycle.copies_to_vault
        for tag in tags(properties)
        for lifecycle in lifecycles(properties, tag["tagInfo"]["tagName"])
    )


def refuse_policy(properties: Mapping[str, Any], location: str) -> UserError | None:
    """Why the policy is refused in that region; None when it is accepted. BMSUserErrorInvalidInput is the recorded
    catch-all; that each rule below answers with it is assumed, except for an interval without a start date."""
    try:
        problem = next(_problems(properties), None)
        if problem is None and uses_vault_store(properties) and location in OPERATIONAL_ONLY:
            return UserError(
                "DppUserErrorVaultTierPolicyNotSupported",
                f"Vault tier backup is not supported for this datasource in region {location}.",
                ("Use a policy that keeps backups in the operational tier only.",),
            )
    except (KeyError, TypeError, AttributeError, StopIteration, ValueError) as error:
        problem = f"The policy is not well formed ({error!r})."
    if problem is None:
        return None
    return UserError(
        "BMSUserErrorInvalidInput",
        f"The user's input for the operation is incorrect. {problem}",
        ("Check the input and try again.",),
    )


def _problems(properties: Mapping[str, Any]) -> Iterator[str]:
    if properties["objectType"] != "BackupPolicy":
        yield "objectType must be BackupPolicy."
    if [kind.lower() for kind in properties["datasourceTypes"]] != [AKS.lower()]:
        yield f"datasourceTypes must be [{AKS}]: the simulator knows no other datasource."
    kinds = [rule["objectType"] for rule in properties["policyRules"]]
    if kinds.count("AzureBackupRule") != 1 or set(kinds) != {"AzureBackupRule", "AzureRetentionRule"}:
        yield "policyRules must be one AzureBackupRule and at least one AzureRetentionRule."
    yield from _backup_rule_problems(backup_rule(properties))
    retention = [rule for rule in properties["policyRules"] if rule["objectType"] == "AzureRetentionRule"]
    yield from _tag_problems(tags(properties), retention)
    for rule in retention:
        yield from _lifecycle_problems(rule)


def _backup_rule_problems(rule: Mapping[str, Any]) -> Iterator[str]:
    if not rule["name"]:
        yield "The backup rule needs a name."
    if rule["dataStore"]["dataStoreType"] != "OperationalStore":
        yield "The backup rule must write to the OperationalStore."
    if rule["trigger"]["objectType"] != "ScheduleBasedTriggerContext":
        yield "The trigger must be a ScheduleBasedTriggerContext."
    intervals = rule["trigger"]["schedule"]["repeatingTimeIntervals"]
    if len(intervals) != 1:
        yield "One repeating time interval is needed."
    for text in intervals:
        found = _REPEATING.fullmatch(text)
        if found is None or found["interval"].upper() not in INTERVALS:
            yield f"{text} is not R/<start with zone>/<one of {', '.join(INTERVALS)}>."


def _tag_problems(criteria: list[Mapping[str, Any]], retention: list[Mapping[str, Any]]) -> Iterator[str]:
    names = [tag["tagInfo"]["tagName"].lower() for tag in criteria]
    rules = [rule["name"].lower() for rule in retention]
    if len(set(names)) != len(names) or sorted(names) != sorted(rules):
        yield "Each tag needs exactly one retention rule of its name."
    defaults = {tag["tagInfo"]["tagName"].lower() for tag in criteria if tag["isDefault"]}
    if len(defaults) != 1 or defaults != {rule["name"].lower() for rule in retention if rule.get("isDefault")}:
        yield "Exactly one tag is the default, and its retention rule too."
    if len({tag["taggingPriority"] for tag in criteria}) != len(criteria):
        yield "Tagging priorities must differ."
    for tag in criteria:
        known = all(
            one["objectType"] == "ScheduleBasedBackupCriteria"
            and set(one.get("absoluteCriteria") or ()) <= set(CRITERIA)
            for one in tag.get("criteria") or ()
        )
        if not known or (not tag["isDefault"] and not tag.get("criteria")):
            yield f"The criteria of tag {tag['tagInfo']['tagName']} are not known."


def _lifecycle(lifecycle: Mapping[str, Any]) -> Lifecycle:
    keep = days(lifecycle["deleteAfter"]["duration"])
    if keep is None or lifecycle["deleteAfter"]["objectType"] != "AbsoluteDeleteOption":
        raise ValueError("deleteAfter must be an AbsoluteDeleteOption in days, weeks, months or years")
    targets = {copy["dataStore"]["dataStoreType"] for copy in lifecycle.get("targetDataStoreCopySettings") or ()}
    if not targets <= {"VaultStore"}:
        raise ValueError("backups can be copied to the VaultStore only")
    return Lifecycle(lifecycle["sourceDataStore"]["dataStoreType"], keep, bool(targets))


def _lifecycle_problems(rule: Mapping[str, Any]) -> Iterator[str]:
    found = [_lifecycle(lifecycle) for lifecycle in rule["lifecycles"]]
    if not found:
        yield f"Retention rule {rule['name']} has no lifecycle."
    limits = {"OperationalStore": OPERATIONAL_DAYS, "VaultStore": VAULT_DAYS}
    for lifecycle in found:
        limit = limits.get(lifecycle.store)
        if limit is None:
            yield f"{lifecycle.store} is not a store for this datasource."
        elif not 1 <= lifecycle.keep.days <= limit:
            yield f"Retention in the {lifecycle.store} must be 1 to {limit} days."
    stores = [lifecycle.store for lifecycle in found]
    if any(lifecycle.copies_to_vault for lifecycle in found) and "VaultStore" not in stores:
        yield f"Retention rule {rule['name']} copies to the VaultStore but does not say how long to keep it there."
