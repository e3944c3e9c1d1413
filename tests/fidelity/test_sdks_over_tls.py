"""The official SDKs over https as their users configure them: the sync client is given the authority's file, the
async one finds it in SSL_CERT_FILE, which must be set before Python starts."""

import subprocess
import sys
from collections.abc import Mapping

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.identity import ManagedIdentityCredential
from azure.mgmt.resource.resources import ResourceManagementClient

from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.identity.models import APP, OPERATOR
from tests.contract.simulator_program import CHECKOUT, Running
from tests.fidelity.arm_reader import ArmReader

pytestmark = pytest.mark.fidelity

GROUP = f"/subscriptions/{FIRST_SUBSCRIPTION}/resourceGroups"
ASYNC_PROGRAM = """
import asyncio, sys
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.resource.resources.aio import ResourceManagementClient

async def main(arm, subscription):
    async with ManagedIdentityCredential() as credential:
        async with ResourceManagementClient(credential, subscription, base_url=arm, retry_total=0) as client:
            await client.resource_groups.create_or_update("made-async", {"location": "westeurope"})

asyncio.run(main(*sys.argv[1:]))
"""


def identity(secure: Running) -> dict[str, str]:
    assert APP.secret is not None
    return {"IDENTITY_ENDPOINT": secure.endpoints["identity"], "IDENTITY_HEADER": APP.secret}


def test_the_sync_client_trusts_the_authority_it_is_given(
    secure: Running, arm: ArmReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert secure.tls is not None
    authority = str(secure.tls / "ca.pem")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in identity(secure).items():
        monkeypatch.setenv(name, value)
    base = secure.endpoints["arm"]
    with (
        ManagedIdentityCredential(connection_verify=authority) as credential,
        ResourceManagementClient(credential, FIRST_SUBSCRIPTION, base, connection_verify=authority) as client,
        ResourceManagementClient(credential, FIRST_SUBSCRIPTION, base, retry_total=0) as stranger,
    ):
        client.resource_groups.create_or_update("made-sync", {"location": "westeurope"})
        with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
            stranger.resource_groups.get("made-sync")
    assert arm.get(f"{GROUP}/made-sync", "2022-09-01")["location"] == "westeurope"
    assert arm.callers(f"{GROUP}/made-sync") == {APP.principal.object_id, OPERATOR.principal.object_id}


def test_the_async_client_trusts_the_file_named_by_the_environment(secure: Running, arm: ArmReader) -> None:
    assert secure.tls is not None
    authority = str(secure.tls / "ca.pem")
    stranger = made_by_the_async_client(secure, {"REQUESTS_CA_BUNDLE": authority})
    assert stranger.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in stranger.stderr
    assert arm.status(f"{GROUP}/made-async", "2022-09-01") == 404
    trusting = made_by_the_async_client(secure, {"SSL_CERT_FILE": authority})
    assert trusting.returncode == 0, trusting.stderr
    assert arm.get(f"{GROUP}/made-async", "2022-09-01")["location"] == "westeurope"


def made_by_the_async_client(secure: Running, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ASYNC_PROGRAM, secure.endpoints["arm"], FIRST_SUBSCRIPTION],
        cwd=CHECKOUT,
        env={**identity(secure), **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
