"""What the hooks ask Azure through Microsoft's own command line, which here talks to the simulated Azure."""

import json
import os
from pathlib import Path

import pytest

from infra.hooks import azure_cli, postprovision, predown
from infra.hooks.azure_cli import CommandError
from infra.hooks.installation import read_installation
from infra.hooks.monitored import regions_of
from infra.hooks.system_topics import system_topic
from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.identity.models import APP
from tests.contract.simulator_program import Running, control
from tests.fidelity.arm_reader import ArmReader
from tests.fidelity.azure_cli import AzureCli
from tests.fidelity.conftest import arm, az, secure  # noqa: F401 - fixtures
from tests.infra.hooks_terminal import OUTPUTS, RBAC_ADMINISTRATOR

pytestmark = pytest.mark.fidelity

SUBSCRIPTION = f"/subscriptions/{FIRST_SUBSCRIPTION}"
ASSIGNMENTS = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments"
TOPIC = f"{SUBSCRIPTION}/resourceGroups/rg-prod/providers/Microsoft.EventGrid/systemTopics"
ENVIRONMENT = OUTPUTS | {
    "AZURE_SUBSCRIPTION_ID": FIRST_SUBSCRIPTION,
    "MONITORED_SUBSCRIPTIONS": FIRST_SUBSCRIPTION,
    "APP_PRINCIPAL_ID": APP.principal.object_id,
}


@pytest.fixture
def terminal(az: AzureCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AzureCli:  # noqa: F811
    """The CLI, found where the hooks look for it."""
    for name, value in az.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{Path(az.program).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return az


def roles_of_app(arm: ArmReader) -> list[str]:  # noqa: F811
    there = arm.get(ASSIGNMENTS, "2022-04-01")["value"]
    own = [each["properties"] for each in there if each["properties"]["principalId"] == APP.principal.object_id]
    return sorted(each["roleDefinitionId"].rpartition("/")[2] for each in own)


def test_regions_are_those_of_clusters(terminal: AzureCli, secure: Running) -> None:  # noqa: F811
    control(secure, "POST", "clusters", {"count": 2, "location": "northeurope"})
    control(secure, "POST", "clusters", {"count": 1, "location": "westeurope"})
    found = regions_of(read_installation(ENVIRONMENT), [FIRST_SUBSCRIPTION])
    assert found == {FIRST_SUBSCRIPTION: ("northeurope", "westeurope")}


def test_audit_takes_the_right_to_give_roles_and_no_other(terminal: AzureCli, arm: ArmReader) -> None:  # noqa: F811
    before = roles_of_app(arm)
    assert RBAC_ADMINISTRATOR in before
    said: list[str] = []
    postprovision.run(ENVIRONMENT | {"DEPLOYED_MODE": "audit"}, said.append)
    assert "took away" in said[0]
    assert roles_of_app(arm) == [role for role in before if role != RBAC_ADMINISTRATOR]
    said.clear()
    postprovision.run(ENVIRONMENT | {"DEPLOYED_MODE": "audit"}, said.append)
    assert len(said) == 1


def test_the_system_topic_is_found(terminal: AzureCli) -> None:
    here = read_installation(ENVIRONMENT)
    assert system_topic(here, FIRST_SUBSCRIPTION).make
    terminal("group", "create", "--name", "rg-prod", "--location", "westeurope")
    body = {
        "location": "global",
        "identity": {"type": "SystemAssigned"},
        "properties": {"source": SUBSCRIPTION, "topicType": "Microsoft.Resources.Subscriptions"},
    }
    url = f"{TOPIC}/somebodys?api-version=2025-02-15"
    terminal("rest", "--method", "put", "--url", url, "--body", json.dumps(body))
    shared = read_installation(ENVIRONMENT | {"GUARD_SYSTEM_TOPICS": f"{TOPIC}/somebodys"})
    found = system_topic(shared, FIRST_SUBSCRIPTION)
    assert (found.group, found.name, found.make) == ("rg-prod", "somebodys", False)


def test_what_remains_is_asked_of_resource_graph(terminal: AzureCli) -> None:
    name = "AKSAzureBackupSnapshots_westeurope"
    terminal("group", "create", "--name", name, "--location", "westeurope")
    said: list[str] = []
    predown.run(ENVIRONMENT, said.append)
    assert "- 0 backup instances in 0 vaults" in said[1]
    assert said[2].startswith("- 1 resource groups")


def test_a_refusal_has_azures_code(terminal: AzureCli) -> None:
    with pytest.raises(CommandError) as refused:
        azure_cli.rest("GET", f"{SUBSCRIPTION}/resourceGroups/nobodys?api-version=2022-09-01")
    assert refused.value.code == "ResourceGroupNotFound"
