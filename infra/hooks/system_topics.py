"""The system topic of a subscription: an Azure subscription can have one only, so an existing one is shared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.hooks.azure_cli import CommandError, StepError, every
from infra.hooks.installation import Installation

_TYPE = "microsoft.resources.subscriptions"
_OWN_NAME = "aks-backup-guard"


@dataclass(frozen=True, slots=True)
class SystemTopic:
    """Where events of a subscription come from. `make`: it is ours; `make_group`: so is its resource group. `identity`:
    somebody's has one, ours is asked for with one."""

    group: str
    name: str
    make: bool
    make_group: bool
    identity: bool


def system_topic(installation: Installation, subscription: str) -> SystemTopic:
    """The one to use. Raises StepError."""
    url = f"/subscriptions/{subscription}/providers/Microsoft.EventGrid/systemTopics?api-version=2025-02-15"
    try:
        there = every(url)
    except CommandError as failed:
        if failed.code != "MissingSubscriptionRegistration":
            raise
        there = []  # Event Grid was never used there; the deployment registers it
    return chosen(installation, subscription, there)


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
        return SystemTopic(group, _OWN_NAME, make=True, make_group=not here, identity=True)
    topic = topics[0]
    if topic["id"].lower() not in named:
        known = ",".join((*installation.system_topics, topic["id"]))
        raise StepError(
            f"subscription {subscription} has a system topic already, and can have one only: {topic['id']}",
            f"azd env set GUARD_SYSTEM_TOPICS '{known}'",
        )
    parts = topic["id"].split("/")
    identity = bool((topic.get("identity") or {}).get("principalId"))
    return SystemTopic(parts[4], parts[8], make=False, make_group=False, identity=identity)
