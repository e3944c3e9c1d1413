"""`az login` in the ways that need no person, and what the cloud says about itself."""

from pathlib import Path

import pytest

from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.identity.models import APP, OPERATOR, TENANT_ID
from simulator.identity.tokens import claims_of
from tests.contract.simulator_program import Running
from tests.fidelity.arm_reader import ArmReader
from tests.fidelity.azure_cli import CLOUD, AzureCli, fresh, register

pytestmark = pytest.mark.fidelity


def test_a_service_principal_signs_in_with_a_secret(az: AzureCli) -> None:
    account = az("account", "show")
    assert (account["id"], account["tenantId"], account["environmentName"]) == (FIRST_SUBSCRIPTION, TENANT_ID, CLOUD)
    assert account["user"] == {"name": OPERATOR.principal.application_id, "type": "servicePrincipal"}
    assert [each["id"] for each in az("account", "list")] == [FIRST_SUBSCRIPTION]
    claims = claims_of(az("account", "get-access-token")["accessToken"])
    assert (claims["oid"], claims["tid"]) == (OPERATOR.principal.object_id, TENANT_ID)
    assert "westeurope" in [each["name"] for each in az("account", "list-locations")]


def test_a_managed_identity_signs_in(secure: Running, arm: ArmReader, tmp_path: Path) -> None:
    assert APP.secret is not None
    endpoint = {"IDENTITY_ENDPOINT": secure.endpoints["identity"], "IDENTITY_HEADER": APP.secret}
    az = fresh(tmp_path, secure, **endpoint)
    register(az, secure)
    (account,) = az("login", "--identity")
    assert (account["id"], account["user"]["assignedIdentityInfo"]) == (FIRST_SUBSCRIPTION, "MSI")
    asked = f"/subscriptions/{FIRST_SUBSCRIPTION}/resourceGroups/asked-by-the-app"
    assert "ResourceGroupNotFound" in az.refused("group", "show", "--name", "asked-by-the-app")
    assert arm.callers(asked) == {APP.principal.object_id}


def test_a_wrong_secret_does_not(secure: Running, tmp_path: Path) -> None:
    az = fresh(tmp_path, secure)
    register(az, secure)
    who = ("--username", OPERATOR.principal.application_id, "--password", "wrong", "--tenant", TENANT_ID)
    assert "AADSTS7000215" in az.refused("login", "--service-principal", *who)
    assert "az login" in az.refused("group", "list")


def test_the_cloud_is_found_by_its_metadata(secure: Running, tmp_path: Path) -> None:
    """ARM_CLOUD_METADATA_URL: the CLI then knows the clouds of that list and no others."""
    arm = secure.endpoints["arm"]
    az = fresh(tmp_path, secure, ARM_CLOUD_METADATA_URL=f"{arm}/metadata/endpoints?api-version=2019-05-01")
    (cloud,) = az("cloud", "list")
    assert cloud["endpoints"]["resourceManager"] == f"{arm}/"
    assert cloud["endpoints"]["activeDirectory"] == arm
    assert cloud["suffixes"]["storageEndpoint"] == "core.windows.net"
