"""Microsoft.DataProtection/backupVaults/backupPolicies (Backup Policies REST)."""

from shared.arm import api_versions
from shared.arm.client import ArmClient
from shared.domain.observed import BackupPolicy
from shared.observe.fields import JsonObject, UnreadableBodyError, needed_text, objects, text


async def read_policy(arm: ArmClient, arm_id: str, soft_delete: str = "") -> BackupPolicy | None:
    """`soft_delete` of the vault, empty when it is not known."""
    body = await arm.get(arm_id, api_versions.data_protection(soft_delete))
    return None if body is None else parse_policy(body)


def parse_policy(body: JsonObject) -> BackupPolicy:
    """The rule's name is read and never assumed: an on-demand backup under another one is refused with a riddle.
    Raises UnreadableBodyError."""
    rules = list(objects(body, "properties", "policyRules"))
    backup_rules = [rule for rule in rules if text(rule, "objectType").lower() == "azurebackuprule"]
    if not backup_rules:
        raise UnreadableBodyError("properties.policyRules has no AzureBackupRule")
    return BackupPolicy(
        arm_id=needed_text(body, "id"),
        name=needed_text(body, "name"),
        backup_rule_name=needed_text(backup_rules[0], "name"),
        vault_tier=any(_reaches_vault(rule) for rule in rules),
    )


def _reaches_vault(rule: JsonObject) -> bool:
    """Microsoft's own templates write it in two ways: a lifecycle that copies to the vault store, or one of its own
    in it (the Azure CLI's default template, and its enable-backup)."""
    for lifecycle in objects(rule, "lifecycles"):
        stores = [text(lifecycle, "sourceDataStore", "dataStoreType")]
        copies = objects(lifecycle, "targetDataStoreCopySettings")
        stores += [text(copy, "dataStore", "dataStoreType") for copy in copies]
        if "vaultstore" in (store.lower() for store in stores):
            return True
    return False
