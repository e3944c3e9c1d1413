"""`az group`, `provider`, `resource`, `tag`, `lock` and `rest`, and what they do to the simulated Azure."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from simulator.cloud import FIRST_SUBSCRIPTION
from tests.contract.data_protection_world import policy
from tests.fidelity.arm_reader import ArmReader
from tests.fidelity.azure_cli import AzureCli

pytestmark = pytest.mark.fidelity

SUBSCRIPTION = f"/subscriptions/{FIRST_SUBSCRIPTION}"
GROUPS = "2022-09-01"
STORAGE = "2023-05-01"
DATA_PROTECTION = "2025-07-01"


def group_id(name: str) -> str:
    return f"{SUBSCRIPTION}/resourceGroups/{name}"


def test_groups_are_made_found_and_deleted(az: AzureCli, arm: ArmReader) -> None:
    made = az("group", "create", "--name", "short-lived", "--location", "West Europe", "--tags", "a=1")
    assert (made["id"], made["location"], made["tags"]) == (group_id("short-lived"), "westeurope", {"a": "1"})
    assert "short-lived" in [each["name"] for each in az("group", "list", "--tag", "a=1")]
    assert az("group", "exists", "--name", "short-lived") is True
    az("group", "delete", "--name", "short-lived", "--yes")
    assert az("group", "exists", "--name", "short-lived") is False
    assert arm.status(group_id("short-lived"), GROUPS) == 404
    assert "ResourceGroupNotFound" in az.refused("group", "show", "--name", "short-lived")


def test_a_lock_keeps_a_group(az: AzureCli, arm: ArmReader) -> None:
    az("group", "create", "--name", "locked", "--location", "westeurope")
    lock = az("lock", "create", "--name", "keep", "--lock-type", "CanNotDelete", "--resource-group", "locked")
    assert lock["level"] == "CanNotDelete"
    assert "ScopeLocked" in az.refused("group", "delete", "--name", "locked", "--yes")
    assert arm.status(group_id("locked"), GROUPS) == 200
    assert [each["name"] for each in az("lock", "list", "--resource-group", "locked")] == ["keep"]
    az("lock", "delete", "--name", "keep", "--resource-group", "locked")
    az("group", "delete", "--name", "locked", "--yes")
    assert arm.status(group_id("locked"), GROUPS) == 404


def test_a_provider_is_registered(az: AzureCli, eventually: Callable[..., Any]) -> None:
    name = "Microsoft.KubernetesConfiguration"

    def state() -> str:
        return str(az("provider", "show", "--namespace", name)["registrationState"])

    assert state() == "NotRegistered"
    az("provider", "register", "--namespace", name)
    eventually(lambda: state() == "Registered", "the registration")
    assert name in [each["namespace"] for each in az("provider", "list")]


def test_resources_are_made_changed_listed_and_deleted(az: AzureCli, arm: ArmReader, group: str) -> None:
    kind = "Microsoft.Storage/storageAccounts"
    account = f"{group_id(group)}/providers/{kind}/madebyresource"
    body = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "tags": {"team": "blue"}}
    which = ("--resource-group", group, "--name", "madebyresource", "--resource-type", kind)
    az("resource", "create", *which, "--is-full-object", "--properties", json.dumps(body))
    assert arm.get(account, STORAGE)["tags"] == {"team": "blue"}
    assert az("resource", "show", *which)["sku"]["name"] == "Standard_LRS"
    for filters in (("--tag", "team=blue"), ("--resource-type", kind), ("--resource-group", group)):
        assert [each["name"] for each in az("resource", "list", *filters)] == ["madebyresource"]
    az("tag", "update", "--resource-id", account, "--operation", "merge", "--tags", "cost=1")
    assert arm.get(account, STORAGE)["tags"] == {"team": "blue", "cost": "1"}
    az("resource", "update", "--ids", account, "--set", "tags.team=red")
    assert az("tag", "list", "--resource-id", account)["properties"]["tags"] == {"team": "red", "cost": "1"}
    az("resource", "delete", *which)
    assert arm.status(account, STORAGE) == 404


def test_rest_makes_a_policy_in_the_vault_it_made(az: AzureCli, arm: ArmReader, vault: str) -> None:
    assert arm.get(vault, DATA_PROTECTION)["identity"]["type"] == "SystemAssigned"
    daily = f"{vault}/backupPolicies/daily?api-version={DATA_PROTECTION}"
    az("rest", "--method", "put", "--url", daily, "--body", json.dumps(policy()))
    assert az("rest", "--url", daily)["properties"]["objectType"] == "BackupPolicy"
    assert [each["name"] for each in arm.get(f"{vault}/backupPolicies", DATA_PROTECTION)["value"]] == ["daily"]
    assert "MissingApiVersionParameter" in az.refused("rest", "--url", vault)
    assert "NoRegisteredProviderFound" in az.refused("rest", "--url", f"{vault}?api-version=2001-01-01")
