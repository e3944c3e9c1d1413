"""`az role`: assignments by object id and by name, definitions, and the directory behind them."""

import pytest

from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.identity.models import APP
from tests.fidelity.arm_reader import ArmReader
from tests.fidelity.azure_cli import AzureCli

pytestmark = pytest.mark.fidelity

SUBSCRIPTION = f"/subscriptions/{FIRST_SUBSCRIPTION}"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
VERSION = "2022-04-01"


def test_a_role_is_given_and_taken_away(az: AzureCli, arm: ArmReader, group: str) -> None:
    scope = f"{SUBSCRIPTION}/resourceGroups/{group}"
    whom = ("--assignee-object-id", APP.principal.object_id)
    given = ("role", "assignment", "create", *whom, "--assignee-principal-type", "ServicePrincipal", "--scope", scope)
    made = az(*given, "--role", "Reader")
    there = arm.get(made["id"], VERSION)["properties"]
    assert (there["principalId"], there["scope"]) == (APP.principal.object_id, scope)
    assert there["roleDefinitionId"].endswith(READER)
    assert az(*given, "--role", "Reader")["id"] == made["id"]  # the CLI finds the one that is there after a 409
    assert "No such role" in az.refused(*given, "--role", "No such role")
    (listed,) = az("role", "assignment", "list", *whom, "--scope", scope)
    assert listed["roleDefinitionName"] == "Reader"
    everything = az("role", "assignment", "list", "--assignee", APP.principal.application_id, "--all")
    assert made["id"] in [each["id"] for each in everything]
    az("role", "assignment", "delete", *whom, "--role", "Reader", "--scope", scope)
    assert arm.status(made["id"], VERSION) == 404


def test_definitions_are_found_by_name(az: AzureCli) -> None:
    (reader,) = az("role", "definition", "list", "--name", "Reader")
    assert (reader["name"], reader["permissions"][0]["actions"]) == (READER, ["*/read"])


def test_the_directory_knows_its_principals(az: AzureCli) -> None:
    assert az("ad", "sp", "show", "--id", APP.principal.application_id)["id"] == APP.principal.object_id
    assert "does not exist" in az.refused("ad", "sp", "show", "--id", "c0000000-0000-0000-0000-000000000009")
