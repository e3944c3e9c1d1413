"""The system topic of a subscription: an Azure subscription can have one only, so an existing one is shared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.hooks.azure_cli import StepError, every
from infra.hooks.installation import Installation

_TYPE = "microsoft.resources.subscriptions"
_OWN_NAME = "aks-backup-guard"


@dataclass(frozen=True, slots=True)
class SystemTopic:
    """Where events of a subscription come from. `make`: it is ours; `make_group`: so is its resource group."""

    group: str
    name: str
    make: bool
    make_group: bool


def system_topic(installation: Installation, subscription: str) -> SystemTopic:
    """The one to use. Raises StepError."""
    url = f"/subscriptions/{subscription}/providers/Microsoft.EventGrid/systemTopics?api-version=2025-02-15"
    return chosen(installation, subscription, every(url))


def chosen(installation: Installation, subscription: str, there: Iterable[Mapping[str, Any]]) -> SystemTopic:
    """Somebody's topic is used only when a person named it. Raises StepError."""
    here = subscription.lower() == installation.subscription.lower()
    group = installation.resource_group if here else f"{installation.resource_group}-events"
    own = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.EventGrid/systemTopics/{_OWN_NAME}"
    named = {topic.lower() for topic in installation.system_topics}
    topics = [topic for topic in there if topic["properties"].get("topicType", "").lower() == _TYPE]
    if not topics or topics[0]["id"].lower() == own.lower():
        absent = [topic for topic in named if topic.split("/")[2:3] == [subscription.lower()] and topic != own.lower()]
        if absent:
            raise StepError(f"there is no system topic {absent[0]}", "azd env set GUARD_SYSTEM_TOPICS ...")
        return SystemTopic(group, _OWN_NAME, make=True, make_group=not here)
    topic = topics[0]
    if topic["id"].lower() not in named:
        known = ",".join((*installation.system_topics, topic["id"]))
        raise StepError(
            f"subscription {subscription} has a system topic already, and can have one only: {topic['id']}",
            f"azd env set GUARD_SYSTEM_TOPICS '{known}'",
        )
    if not (topic.get("identity") or {}).get("principalId"):
        raise StepError(
            f"the system topic {topic['id']} has no identity of its own, by which dead letters are kept",
            f"az resource update --ids {topic['id']} --set identity.type=SystemAssigned",
        )
    parts = topic["id"].split("/")
    return SystemTopic(parts[4], parts[8], make=False, make_group=False)
