"""What the hooks know of the installation: the outputs of main.bicep and the values of the azd environment, which azd
hands to its hooks as environment variables."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from infra.hooks.azure_cli import StepError


@dataclass(frozen=True, slots=True)
class Installation:
    """`subscriptions` are those named one by one; those below `management_groups` come from Azure."""

    environment: str
    subscription: str
    location: str
    resource_group: str
    app_name: str
    app_id: str
    app_url: str
    principal_id: str
    storage_account_id: str
    topic_id: str
    topic_endpoint: str
    action_group_id: str
    mode: str
    event_delivery: str
    subscriptions: tuple[str, ...]
    management_groups: tuple[str, ...]
    regions: tuple[str, ...]
    vault_classes: tuple[str, ...]
    more_snapshot_groups: tuple[str, ...]
    system_topics: tuple[str, ...]

    def deployment(self, what: str) -> str:
        """Name of a deployment. The environment's name is not in it: azd takes an untagged deployment with that in its
        name for its own when it finds no other."""
        return f"aks-backup-guard-{what}-{hashlib.sha256(self.app_id.lower().encode()).hexdigest()[:8]}"

    @property
    def role_name(self) -> str:
        return f"AKS Backup Guard of {self.app_name}"

    @property
    def tags(self) -> dict[str, str]:
        """azd asks before it deletes a group that holds something without this tag."""
        return {"azd-env-name": self.environment}


_OUTPUTS = {
    "environment": "AZURE_ENV_NAME",
    "subscription": "AZURE_SUBSCRIPTION_ID",
    "location": "AZURE_LOCATION",
    "resource_group": "AZURE_RESOURCE_GROUP",
    "app_name": "FUNCTION_APP_NAME",
    "app_id": "FUNCTION_APP_ID",
    "app_url": "FUNCTION_APP_URL",
    "principal_id": "APP_PRINCIPAL_ID",
    "storage_account_id": "STORAGE_ACCOUNT_ID",
    "topic_id": "EVENT_TOPIC_ID",
    "topic_endpoint": "EVENT_TOPIC_ENDPOINT",
    "action_group_id": "ACTION_GROUP_ID",
    "mode": "DEPLOYED_MODE",
    "event_delivery": "EVENT_DELIVERY",
}
_LISTS = {
    "subscriptions": "MONITORED_SUBSCRIPTIONS",
    "management_groups": "GUARD_MANAGEMENT_GROUPS",
    "regions": "GUARD_REGIONS",
    "vault_classes": "GUARD_VAULT_CLASSES",
    "more_snapshot_groups": "GUARD_MORE_SNAPSHOT_GROUPS",
    "system_topics": "GUARD_SYSTEM_TOPICS",
}


def read_installation(environment: Mapping[str, str]) -> Installation:
    """Raises StepError, naming all that is missing."""
    missing = [name for name in _OUTPUTS.values() if not environment.get(name)]
    if missing:
        raise StepError(f"the azd environment lacks {', '.join(missing)}", "azd provision")
    texts = {field: environment[name] for field, name in _OUTPUTS.items()}
    lists = {field: listed(environment.get(name, "")) for field, name in _LISTS.items()}
    return Installation(**texts, **lists)  # type: ignore[arg-type]  # each has its own fields


def listed(text: str) -> tuple[str, ...]:
    """The parts between commas, in order, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
