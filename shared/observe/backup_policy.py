"""Microsoft.DataProtection/backupVaults/backupPolicies (Backup Policies REST)."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.observed import BackupPolicy
from shared.observe.fields import JsonObject, UnreadableBodyError, at, needed_text, objects, strings, text

_DAYS = {"D": 1, "W": 7, "M": 30, "Y": 365}
_EACH_DAY = {"firstofday", "allbackup"}


async def read_policy(arm: ArmClient, arm_id: str, soft_delete: str = "") -> BackupPolicy | None:
    """`soft_delete` of the vault, empty when it is not known."""
    body = await arm.get(arm_id, api_versions.data_protection(soft_delete))
    return None if body is None else parse_policy(body)


def parse_policy(body: JsonObject) -> BackupPolicy:
    """ARM's body, or a row of Resource Graph with the same columns. The rule's name is read and never assumed: an
    on-demand backup under another one is refused with a riddle. Raises UnreadableBodyError."""
    rules = list(objects(body, "properties", "policyRules"))
    backup_rules = [rule for rule in rules if text(rule, "objectType").lower() == "azurebackuprule"]
    if not backup_rules:
        raise UnreadableBodyError("properties.policyRules has no AzureBackupRule")
    interval, start = _schedule(backup_rules)
    return BackupPolicy(
        arm_id=needed_text(body, "id"),
        name=needed_text(body, "name"),
        backup_rule_name=needed_text(backup_rules[0], "name"),
        vault_tier=any(_reaches_vault(rule) for rule in rules),
        interval=interval,
        start=start,
        operational_days=_operational_days(rules),
        vault_days=_vault_days(rules, backup_rules[0]),
    )


def _schedule(backup_rules: list[JsonObject]) -> tuple[str, str]:
    """`R/2024-01-01T02:00:00+00:00/P1D`: the interval, and the time of day in UTC. Both empty when there is more than
    one, or none that is understood."""
    repeating = [
        each for rule in backup_rules for each in strings(rule, "trigger", "schedule", "repeatingTimeIntervals")
    ]
    parts = repeating[0].split("/") if len(repeating) == 1 else []
    if len(parts) != 3:
        return "", ""
    try:
        first = datetime.fromisoformat(parts[1])
        first = first.astimezone(UTC) if first.tzinfo else first
    except (ValueError, OverflowError):
        return "", ""
    return parts[2].upper(), f"{first:%H:%M}"


def _operational_days(rules: Iterable[JsonObject]) -> int:
    default = next((rule for rule in rules if at(rule, "isDefault") is True), {})
    kept = (_days(each) for each in objects(default, "lifecycles") if _store(each) == "operationalstore")
    return next(kept, 0)


def _vault_days(rules: Iterable[JsonObject], backup_rule: JsonObject) -> int | None:
    """The shortest of what the day's backup is kept for: longer ones are of single weeks or months. 0 when it cannot
    be told, or when not every day has a copy."""
    reaching = [rule for rule in rules if _reaches_vault(rule)]
    if not reaching:
        return None
    kept = (
        _days(each)
        for rule in reaching
        if _each_day(text(rule, "name"), backup_rule)
        for each in objects(rule, "lifecycles")
        if _store(each) == "vaultstore"
    )
    return min(kept, default=0)


def _each_day(tag: str, backup_rule: JsonObject) -> bool:
    """Whether some backup of every day is tagged with the retention rule's name."""
    for criteria in objects(backup_rule, "trigger", "taggingCriteria"):
        if text(criteria, "tagInfo", "tagName").lower() == tag.lower():
            named = {
                word.lower() for each in objects(criteria, "criteria") for word in strings(each, "absoluteCriteria")
            }
            return at(criteria, "isDefault") is True or bool(named & _EACH_DAY)
    return False


def _reaches_vault(rule: JsonObject) -> bool:
    """Microsoft's own templates write it in two ways: a lifecycle that copies to the vault store, or one of its own
    in it (the Azure CLI's default template, and its enable-backup)."""
    return any("vaultstore" in _stores(lifecycle) for lifecycle in objects(rule, "lifecycles"))


def _stores(lifecycle: JsonObject) -> Iterator[str]:
    yield _store(lifecycle)
    for copy in objects(lifecycle, "targetDataStoreCopySettings"):
        yield text(copy, "dataStore", "dataStoreType").lower()


def _store(lifecycle: JsonObject) -> str:
    return text(lifecycle, "sourceDataStore", "dataStoreType").lower()


def _days(lifecycle: JsonObject) -> int:
    """Of the ISO-8601 duration `deleteAfter`; 0 when it is not understood."""
    found = re.fullmatch(r"P(\d{1,5})([DWMY])", text(lifecycle, "deleteAfter", "duration").upper())
    return int(found[1]) * _DAYS[found[2]] if found else 0
