"""What the app, and the topics that deliver to it, may do with the app's own things; and who the app is."""

from collections.abc import Iterator

from cli.doctor.check import Check, Result
from cli.doctor.deployment import Deployment
from cli.doctor.rights_files import OwnRight, WantedRights
from cli.doctor.seen import Assignments, Listening, Seen, Sight, Unread

GROUP = "rights"


def check_identity(deployment: Deployment, sight: Sight) -> Iterator[Result]:
    check = Check("identity", "identity")
    found = sight.identity
    if isinstance(found, Unread):
        yield check.unread(found)
    elif found is None:
        yield check.wrong(f"There is no identity {deployment.identity_id}.", "azd provision")
    else:
        same = (found.principal_id.lower(), found.client_id.lower()) == (
            deployment.principal_id.lower(),
            deployment.client_id.lower(),
        )
        message = (
            f"It has been made again: its object id is {found.principal_id}, and its rights are those of "
            f"{deployment.principal_id}."
        )
        yield check.that(same, message, "azd provision")


def check_own_rights(deployment: Deployment, sight: Sight, wanted: WantedRights) -> Iterator[Result]:
    for right in wanted.app:
        check = Check(GROUP, "own things", f"{right.role} on {_place(right)}")
        yield _has(check, right, sight.own_assignments, deployment.principal_id)
    yield from _topic_rights("own topic", sight.own_topic, wanted)
    if not isinstance(sight.monitored, Unread):
        for each in sight.monitored:
            yield from _topic_rights(each.id, each.system_topic, wanted)


def _topic_rights(subject: str, listening: Listening, wanted: WantedRights) -> Iterator[Result]:
    """A topic that is not there, or without an identity, is said to be so elsewhere."""
    topic = listening.topic
    if topic is None or isinstance(topic, Unread) or not topic.principal_id:
        return
    for right in wanted.topics:
        check = Check(GROUP, "topic's delivery", f"{subject}: {right.role}")
        yield _has(check, right, listening.delivery, topic.principal_id)


def _has(check: Check, right: OwnRight, assignments: Seen[Assignments], principal: str) -> Result:
    if isinstance(assignments, Unread):
        return check.unread(assignments)
    scope = right.scope.lower()
    found = [
        each
        for each in assignments
        if each.guid == right.guid and (scope == each.scope or scope.startswith(each.scope.rstrip("/") + "/"))
    ]
    given = any(not each.condition for each in found)  # what a condition lets through, nobody here can say
    in_its_place = "".join(f"az role assignment delete --ids {each.id} && " for each in found if each.scope == scope)
    fix = in_its_place + (
        f"az role assignment create --assignee-object-id {principal} --assignee-principal-type ServicePrincipal "
        f"--role {right.guid} --scope {right.scope}"
    )
    message = f"The role {right.role} is {'under a condition' if found else 'missing'} at {right.scope}."
    return check.that(given, message, fix)


def _place(right: OwnRight) -> str:
    return right.scope.rsplit("/", 1)[-1]
