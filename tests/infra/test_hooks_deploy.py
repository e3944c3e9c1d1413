"""Stage two: event subscriptions when the functions are there, and what follows."""

import pytest

from infra.hooks import postdeploy
from infra.hooks.azure_cli import StepError
from infra.hooks.installation import read_installation
from infra.hooks.system_topics import chosen
from tests.infra.hooks_terminal import FUNCTIONS, ONE, OUTPUTS, THREE, TOPIC, TWO, Terminal, somebodys, terminal  # noqa: F401


def test_events_are_sent_once_the_functions_are_there(terminal: Terminal) -> None:  # noqa: F811
    terminal.world |= {"functions": FUNCTIONS, "functions_after": 3}
    slept: list[float] = []
    said = terminal.run(postdeploy, sleep=slept.append)
    assert len(slept) == 3
    assert terminal.world["subscribed"] == {f"{ONE}/aks-backup-guard": "function", TOPIC: "function"}
    values = terminal.deployed("events/main.bicep")[ONE]
    assert (values["topicGroupName"], values["makeTopicGroup"], values["makeSystemTopic"]) == ("rg-prod", False, True)
    assert values["tags"] == {"azd-env-name": "prod"}
    # tried when both subscriptions were there, then looked at
    smoke = ["smoke-test", "--topic", OUTPUTS["EVENT_TOPIC_ENDPOINT"], "--app", OUTPUTS["FUNCTION_APP_URL"]]
    assert terminal.world["guard"] == [[2, *smoke], [2, "doctor"]]

    subscribed, topics = terminal.world["subscribed"], terminal.world["system_topics"]
    assert terminal.run(postdeploy)[1:] == said[4:]
    assert (terminal.world["subscribed"], terminal.world["system_topics"]) == (subscribed, topics)
    assert len(terminal.world["deployments"]) == 1


def test_functions_that_never_come(terminal: Terminal) -> None:  # noqa: F811
    slept: list[float] = []
    with pytest.raises(StepError, match="cluster_events, job_events are not there after 10 minutes") as failed:
        terminal.run(postdeploy, sleep=slept.append)
    assert failed.value.remedy.startswith("azd deploy\n")
    assert sum(slept) == 600
    assert terminal.world["subscribed"] == {}
    assert terminal.world["guard"] == []


def test_delivery_to_the_queue_needs_its_function(terminal: Terminal) -> None:  # noqa: F811
    terminal.environment["EVENT_DELIVERY"] = "queue"
    terminal.world["functions"] = ["queued_events"]
    terminal.run(postdeploy)
    assert set(terminal.world["subscribed"].values()) == {"queue"}


def test_other_subscriptions_get_a_group_of_their_own(terminal: Terminal) -> None:  # noqa: F811
    terminal.world |= {"functions": FUNCTIONS, "management_groups": {"platform": [THREE]}}
    terminal.environment |= {"MONITORED_SUBSCRIPTIONS": TWO, "GUARD_MANAGEMENT_GROUPS": "platform"}
    terminal.run(postdeploy)
    found = terminal.deployed("events/main.bicep")
    groups = {
        where: (each["monitored"], each["topicGroupName"], each["makeTopicGroup"]) for where, each in found.items()
    }
    assert groups == {
        TWO: (True, "rg-prod-events", True),
        THREE: (True, "rg-prod-events", True),
        ONE: (False, "rg-prod", False),
    }
    assert terminal.world["subscribed"].keys() == {f"{TWO}/aks-backup-guard", f"{THREE}/aks-backup-guard", TOPIC}


def test_somebodys_system_topic_is_shared_only_when_it_was_named(terminal: Terminal) -> None:  # noqa: F811
    topic = somebodys("its-principal")
    terminal.world |= {"functions": FUNCTIONS, "system_topics": {ONE: [topic]}}
    with pytest.raises(StepError, match="has a system topic already") as failed:
        terminal.run(postdeploy)
    assert f"azd env set GUARD_SYSTEM_TOPICS '{topic['id']}'" in failed.value.remedy
    assert terminal.world["guard"] == []

    terminal.environment["GUARD_SYSTEM_TOPICS"] = topic["id"].lower()
    terminal.run(postdeploy)
    values = terminal.deployed("events/main.bicep")[ONE]
    assert (values["topicGroupName"], values["systemTopicName"]) == ("rg-Audit", "arm-events")
    assert (values["makeSystemTopic"], values["makeTopicGroup"]) == (False, False)
    assert terminal.world["system_topics"] == {ONE: [topic]}


def test_without_an_identity_of_the_topic_there_are_no_dead_letters(terminal: Terminal) -> None:  # noqa: F811
    terminal.world |= {"functions": FUNCTIONS, "system_topics": {ONE: [somebodys(None)]}}
    terminal.environment["GUARD_SYSTEM_TOPICS"] = somebodys(None)["id"]
    assert "no dead letters" in "\n".join(terminal.run(postdeploy))
    assert terminal.world["subscribed"][f"{ONE}/arm-events"] == "function"


def test_azure_that_gives_global_topics_no_identity_is_asked_without(terminal: Terminal) -> None:  # noqa: F811
    terminal.world |= {"functions": FUNCTIONS, "identities_for_global_topics": False}
    for _ in range(2):
        assert "no dead letters" in "\n".join(terminal.run(postdeploy))
    assert terminal.world["subscribed"] == {f"{ONE}/aks-backup-guard": "function", TOPIC: "function"}
    assert terminal.world["system_topics"][ONE][0]["identity"]["principalId"] is None

    terminal.environment["EVENT_DELIVERY"] = "queue"
    with pytest.raises(StepError, match="cannot reach the queue") as failed:
        terminal.run(postdeploy)
    assert "azd env set GUARD_EVENT_DELIVERY function" in failed.value.remedy


def test_a_subscription_that_never_had_event_grid_has_no_topic(terminal: Terminal) -> None:  # noqa: F811
    terminal.world |= {"functions": FUNCTIONS, "without_event_grid": [ONE]}
    terminal.run(postdeploy)
    assert terminal.deployed("events/main.bicep")[ONE]["makeSystemTopic"]


def test_a_topic_that_is_named_and_not_there(terminal: Terminal) -> None:  # noqa: F811
    terminal.world["functions"] = FUNCTIONS
    terminal.environment["GUARD_SYSTEM_TOPICS"] = somebodys(None)["id"]
    with pytest.raises(StepError, match="there is no system topic"):
        terminal.run(postdeploy)


def test_a_topic_about_something_else_is_no_hindrance() -> None:
    other = somebodys(None) | {"properties": {"topicType": "Microsoft.KeyVault.vaults"}}
    topic = chosen(read_installation(OUTPUTS), ONE, [other])
    assert (topic.group, topic.name, topic.make, topic.make_group) == ("rg-prod", "aks-backup-guard", True, False)


def test_a_synthetic_event_that_is_lost_fails_the_deployment(terminal: Terminal) -> None:  # noqa: F811
    terminal.world |= {"functions": FUNCTIONS, "guard_exit_codes": {"smoke-test": 1}}
    with pytest.raises(StepError, match="synthetic event"):
        terminal.run(postdeploy)
    assert [call[1] for call in terminal.world["guard"]] == ["smoke-test"]


def test_findings_of_the_doctor_do_not(terminal: Terminal) -> None:  # noqa: F811
    terminal.world |= {"functions": FUNCTIONS, "guard_exit_codes": {"doctor": 1}}
    assert "to put right" in terminal.run(postdeploy)[-1]
