"""How events arrive: the app's own topic, a system topic for each subscription, and who listens to them."""

from collections.abc import Iterator

from cli.doctor.check import Check, Result
from cli.doctor.deployment import Deployment
from cli.doctor.seen import EventSubscription, Listening, Sight, Topic, Unread
from shared.events import cluster_events, job_events
from shared.record.keys import EVENTS_QUEUE

TOPIC, SUBSCRIPTIONS = "topic", "subscriptions"
_SCHEMA = "CloudEventSchemaV1_0"
_LEAST_ATTEMPTS, _LEAST_MINUTES = 10, 60
"""Fewer than that, and an app that restarts or a storage account in trouble loses events."""
_LISTEN = "azd hooks run postdeploy"


def check_events(deployment: Deployment, sight: Sight) -> Iterator[Result]:
    yield from _own_topic(deployment, sight.own_topic)
    yield from _listened(
        deployment, "own topic", sight.own_topic, f"{deployment.app_id}/functions/job_events", job_events.TYPES, None
    )
    if isinstance(sight.monitored, Unread):
        yield Check(SUBSCRIPTIONS, "system topic").unread(sight.monitored)
        return
    for group in sight.hidden_groups:
        why = "Resource Graph shows no subscription below it, so nothing there was looked at."
        right = f"Reader on /providers/Microsoft.Management/managementGroups/{group}"
        yield Check(SUBSCRIPTIONS, "management group", group).unread(Unread(why, right))
    function = f"{deployment.app_id}/functions/cluster_events"
    operations = tuple(cluster_events.OPERATIONS)
    for each in sight.monitored:
        topic, check = each.system_topic.topic, Check(SUBSCRIPTIONS, "system topic", each.id)
        if isinstance(topic, Unread):
            yield check.unread(topic)
        elif topic is None:
            yield check.wrong("It has no system topic, so that nobody hears of new clusters.", _LISTEN)
        else:
            yield _system_topic(check, topic, deployment)
            yield from _listened(deployment, each.id, each.system_topic, function, cluster_events.TYPES, operations)


def _system_topic(check: Check, topic: Topic, deployment: Deployment) -> Result:
    """Azure may refuse an identity to a subscription's topic, which is global; only the queue cannot do without."""
    if topic.state != "Succeeded":
        return check.wrong(f"It is {topic.state}.", _LISTEN)
    if topic.principal_id:
        return check.ok()
    if deployment.event_delivery == "queue":
        fix = f"az resource update --ids {topic.id} --set identity.type=SystemAssigned"
        return check.wrong("It has no identity, and cannot reach the queue.", fix)
    return check.ok(
        "It has no identity, so what cannot be delivered is found by the hourly search, not in dead letters."
    )


def _own_topic(deployment: Deployment, listening: Listening) -> Iterator[Result]:
    exists, topic = Check(TOPIC, "exists"), listening.topic
    if isinstance(topic, Unread):
        yield exists.unread(topic)
        return
    if topic is None:
        yield exists.wrong(f"There is no topic {deployment.topic_id}.", f"azd provision && {_LISTEN}")
        return
    yield exists.that(topic.state == "Succeeded", f"It is {topic.state}.", "azd provision")
    yield Check(TOPIC, "schema").that(
        topic.input_schema == _SCHEMA,
        f"It takes {topic.input_schema or 'an unknown schema'}, and the app publishes CloudEvents 1.0.",
        f"az resource delete --ids {topic.id} && azd provision && {_LISTEN}",
    )
    yield Check(TOPIC, "no keys").that(
        not topic.local_auth,
        "Whoever has a key of the topic may publish.",
        f"az resource update --ids {topic.id} --set properties.disableLocalAuth=true",
    )
    yield Check(TOPIC, "identity").that(
        bool(topic.principal_id),
        "It has no identity, and cannot leave dead letters.",
        f"az resource update --ids {topic.id} --set identity.type=SystemAssigned",
    )


def _listened(
    deployment: Deployment,
    subject: str,
    listening: Listening,
    function: str,
    types: tuple[str, ...],
    operations: tuple[str, ...] | None,
) -> Iterator[Result]:
    """Whether the app hears of everything that the code takes from this topic."""
    check = Check(SUBSCRIPTIONS, "event subscription", subject)
    if listening.topic is None or isinstance(listening.topic, Unread):
        return
    if isinstance(listening.subscriptions, Unread):
        yield check.unread(listening.subscriptions)
        return
    ours = [each for each in listening.subscriptions if _reaches(each, deployment, function)]
    if not ours:
        where = f"the queue {EVENTS_QUEUE}" if deployment.event_delivery == "queue" else function.rsplit("/", 1)[-1]
        yield check.wrong(f"No event subscription of the topic delivers to {where}.", _LISTEN)
        return
    best = next((each for each in ours if each.state == "Succeeded"), ours[0])
    yield check.that(best.state == "Succeeded", f"{best.id.rsplit('/', 1)[-1]} is {best.state}.", _LISTEN)
    left_out, others = _left_out(best, types, operations), ", ".join(best.other_filters)
    message = f"It lets none of these through: {left_out}." if left_out else f"It chooses by more: {others[:500]}."
    yield Check(SUBSCRIPTIONS, "filter", subject).that(not left_out and not others, message, _LISTEN)
    if listening.topic.principal_id:
        yield Check(SUBSCRIPTIONS, "dead letters", subject).that(
            best.dead_letters == f"{deployment.storage_id}/dead-letters".lower(),
            "What cannot be delivered is lost, or lies elsewhere than in the container dead-letters.",
            _LISTEN,
        )
    patient = best.attempts >= _LEAST_ATTEMPTS and best.minutes >= _LEAST_MINUTES
    yield Check(SUBSCRIPTIONS, "retry policy", subject).that(
        patient, f"It gives up after {best.attempts} attempts or {best.minutes} minutes.", _LISTEN
    )


def _reaches(each: EventSubscription, deployment: Deployment, function: str) -> bool:
    if deployment.event_delivery == "queue":
        return (each.target, each.queue) == (deployment.storage_id.lower(), EVENTS_QUEUE)
    return each.target == function.lower()


def _left_out(each: EventSubscription, types: tuple[str, ...], operations: tuple[str, ...] | None) -> str:
    """Types and operations that the code takes and the filter does not let through. No types are all types."""
    missing = [kind for kind in types if each.event_types and kind.lower() not in each.event_types]
    if operations is not None and each.operations is not None:
        missing += [name for name in operations if name.lower() not in each.operations]
    return ", ".join(missing)
