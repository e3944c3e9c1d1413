"""Stage two: the functions are there, so events can be sent to them; then somebody tries whether they arrive."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from infra.hooks.azure_cli import CommandError, StepError, deploy, every
from infra.hooks.installation import Installation, read_installation
from infra.hooks.monitored import monitored_subscriptions
from infra.hooks.system_topics import SystemTopic, system_topic

_NEEDED = {"function": ("cluster_events", "job_events"), "queue": ("queued_events",)}
_NO_IDENTITY = "identity is unavailable for location"
"""What Azure says where it gives no identity to global resources, and the system topic of a subscription is global
(documentation: managed identity of system topics, global Azure sources)."""
_PATIENCE = 600.0
_BETWEEN = 15.0
"""Seconds."""


def run(
    environment: Mapping[str, str], say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Goes on after a subscription that failed; raises StepError with all of them at the end."""
    here = read_installation(environment)
    _await_functions(here, say, sleep)
    monitored = monitored_subscriptions(here)
    failures: list[StepError] = []
    for subscription in dict.fromkeys((*monitored, here.subscription.lower())):
        try:
            _subscribe(here, subscription, subscription in monitored, say)
        except StepError as failed:
            failures.append(failed)
    if failures:
        raise StepError.of(failures, "azd hooks run postdeploy")
    say("sends a synthetic event through the app")
    if _guard("smoke-test", "--topic", here.topic_endpoint, "--app", here.app_url):
        raise StepError("the synthetic event was not seen handled", "azd hooks run postdeploy")
    say("looks at the whole installation")
    if _guard("doctor"):
        say("the app runs; what to put right stands above, with the commands (again: aks-backup-guard doctor)")
    if environment.get("AUTH_CLIENT_ID"):
        say(f"{here.app_url}/api/dashboard/ is for people with the app role AksBackupGuard.Reader or .Operator")


def _await_functions(here: Installation, say: Callable[[str], None], sleep: Callable[[float], None]) -> None:
    needed = set(_NEEDED[here.event_delivery])
    waited = 0.0
    while True:
        functions = every(f"{here.app_id}/functions?api-version=2024-11-01")
        there = {str(function["name"]).rpartition("/")[2] for function in functions}
        if needed <= there:
            say(f"{len(there)} functions are there")
            return
        if waited >= _PATIENCE:
            raise StepError(
                f"the functions {', '.join(sorted(needed - there))} are not there after {_PATIENCE / 60:.0f} minutes",
                f"azd deploy\naz functionapp log tail --subscription {here.subscription} "
                f"--resource-group {here.resource_group} --name {here.app_name}",
            )
        say(f"waits for the functions {', '.join(sorted(needed - there))}")
        sleep(_BETWEEN)
        waited += _BETWEEN


def _subscribe(here: Installation, subscription: str, monitored: bool, say: Callable[[str], None]) -> None:
    topic = system_topic(here, subscription) if monitored else None
    try:
        _deploy_events(here, subscription, topic)
    except CommandError as failed:
        if topic is None or not topic.identity or _NO_IDENTITY not in failed.said:
            raise
        topic = replace(topic, identity=False)
        _deploy_events(here, subscription, topic)
    if topic and not topic.identity:
        say(f"{subscription}: the system topic has no identity, so there are no dead letters of its events; the hourly")
        say("  search for clusters finds what they would have told")
    told = [f"{subscription}: events of its clusters"] if monitored else []
    told += ["the app's own events"] if subscription == here.subscription.lower() else []
    say(f"{' and '.join(told)} reach the app ({here.event_delivery})")


def _deploy_events(here: Installation, subscription: str, topic: SystemTopic | None) -> None:
    if topic and not topic.identity and here.event_delivery == "queue":
        raise StepError(
            f"the system topic {topic.name} of subscription {subscription} has no identity, and cannot reach the queue",
            "azd env set GUARD_EVENT_DELIVERY function\nazd up",
        )
    deploy(
        ("sub", "--subscription", subscription),
        here.deployment("events"),
        here.location,
        "infra/events/main.bicep",
        {
            "location": here.location,
            "tags": here.tags,
            "monitored": topic is not None,
            "topicGroupName": topic.group if topic else here.resource_group,
            "makeTopicGroup": bool(topic and topic.make_group),
            "systemTopicName": topic.name if topic else "",
            "makeSystemTopic": bool(topic and topic.make),
            "topicIdentity": bool(topic and topic.identity),
            "eventTopicId": here.topic_id if subscription == here.subscription.lower() else "",
            "functionAppId": here.app_id,
            "eventDelivery": here.event_delivery,
            "storageAccountId": here.storage_account_id,
            "actionGroupId": here.action_group_id,
        },
    )


def _guard(*arguments: str) -> int:
    """The Guard's own command, in this very environment; what it says is for the person."""
    sys.stdout.flush()
    return subprocess.run([sys.executable, "-m", "cli", *arguments], check=False).returncode
