"""A simulator on https, a person who reads it over ARM, and the Azure CLI signed in to it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.identity.models import OPERATOR, TENANT_ID
from tests.contract.simulator_program import Running, started, stopped
from tests.fidelity.arm_reader import ArmReader
from tests.fidelity.azure_cli import AzureCli, fresh, register

SPEED = "1000"  # an operation is over when the CLI first asks: between its later questions it waits for 30 s


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("tls")
    running = started("--port", "0", "--speed", SPEED, "--tls", str(directory), tls=directory)
    yield running
    code, out, err = stopped(running)
    assert (code, out, err) == (0, "", "")


@pytest.fixture(scope="session")
def arm(secure: Running) -> ArmReader:
    return ArmReader(secure)


@pytest.fixture(scope="session")
def az(secure: Running, tmp_path_factory: pytest.TempPathFactory) -> AzureCli:
    """The CLI, signed in as the operator: a service principal with a secret."""
    assert OPERATOR.secret is not None
    az = fresh(tmp_path_factory.mktemp("operator"), secure)
    register(az, secure)
    who = ("--username", OPERATOR.principal.application_id, "--password", OPERATOR.secret, "--tenant", TENANT_ID)
    az("login", "--service-principal", *who)
    return az


@pytest.fixture(scope="module")
def group(az: AzureCli, request: pytest.FixtureRequest) -> str:
    """A resource group for the tests of one file."""
    name = request.module.__name__.rpartition(".")[2].replace("_", "-")
    az("group", "create", "--name", name, "--location", "westeurope")
    return str(name)


@pytest.fixture(scope="session")
def vault(az: AzureCli, arm: ArmReader, eventually: Callable[..., Any]) -> str:
    """A backup vault, made with `az rest`."""
    subscription, version = f"/subscriptions/{FIRST_SUBSCRIPTION}", "2025-07-01"
    namespace = "providers/Microsoft.DataProtection"
    made = f"{subscription}/resourceGroups/vaults/{namespace}/backupVaults/vault"
    az("provider", "register", "--namespace", "Microsoft.DataProtection")
    az("group", "create", "--name", "vaults", "--location", "westeurope")
    provider = f"{subscription}/{namespace}"
    eventually(lambda: arm.get(provider, "2022-09-01")["registrationState"] == "Registered", "the registration")
    body = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "storageSettings": [{"datastoreType": "VaultStore", "type": "LocallyRedundant"}],
            "securitySettings": {"softDeleteSettings": {"state": "On", "retentionDurationInDays": 14}},
        },
    }
    az("rest", "--method", "put", "--url", f"{made}?api-version={version}", "--body", json.dumps(body))
    eventually(lambda: arm.get(made, version)["properties"]["provisioningState"] == "Succeeded", "the vault")
    return made
