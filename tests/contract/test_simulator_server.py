"""The simulator as a program: endpoints on stdout, http and https, resets on the wire, an orderly end."""

import io
import json
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msal  # type: ignore[import-untyped]
import pytest
import requests
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.identity import ManagedIdentityCredential
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient as AsyncResourceManagementClient

from simulator.clock import VirtualClock
from simulator.cloud import FIRST_SUBSCRIPTION, Cloud
from simulator.http import Request
from simulator.identity.models import OPERATOR, TENANT_ID
from simulator.identity.tokens import claims_of
from simulator.server import start
from simulator.transport import AllowHttp, SimulatedCredential, SimulatedTransport
from tests.contract.simulator_program import Running, control, run, started, stopped

RESOURCE = "https://management.azure.com/"


@pytest.fixture(scope="module")
def plain() -> Iterator[Running]:
    running = started("--port", "0", "--speed", "1000")
    yield running
    stopped(running)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("tls") / "made"
    running = started("--port", "0", "--tls", str(directory), tls=directory)
    yield running
    stopped(running)


def test_the_first_line_is_the_endpoints_and_sigterm_ends_it_cleanly() -> None:
    running = started("--seed", "7")
    assert set(running.endpoints) == {"arm", "identity", "loganalytics", "eventgrid", "control"}
    assert control(running, "GET", "health")["status"] == "ok"
    assert stopped(running) == (0, "", "")


def test_the_same_seed_gives_the_same_ids() -> None:
    made: list[Any] = []
    for _ in range(2):
        running = started("--seed", "7")
        made.append(control(running, "POST", "clusters", {"count": 2, "location": "westeurope"}))
        stopped(running)
    assert made[0] == made[1]


@pytest.mark.parametrize("arguments", [["--speed", "0"], ["--speed", "fast"], ["--port", "x"]])
def test_bad_arguments_end_it_with_a_message(arguments: list[str]) -> None:
    process = run(*arguments)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert arguments[0] in err


def test_a_port_in_use_ends_it_with_a_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = run("--port", port)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"cannot serve on port {port}" in err


def test_the_sdk_with_a_managed_identity_over_http(plain: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", plain.endpoints["identity"])
    monkeypatch.setenv("IDENTITY_HEADER", "simulator-app")
    with ManagedIdentityCredential() as credential, client(plain, credential) as resources:
        resources.resource_groups.create_or_update("rg", {"location": "westeurope", "tags": {"ä b": "c/d?e"}})
        assert [group.name for group in resources.resource_groups.list(filter="tagName eq 'ä b'")] == ["rg"]
        resources.resource_groups.begin_delete("rg", polling_interval=0).wait()
        assert not resources.resource_groups.check_existence("rg")


def client(running: Running, credential: TokenCredential) -> ResourceManagementClient:
    return ResourceManagementClient(
        credential,
        FIRST_SUBSCRIPTION,
        base_url=running.endpoints["arm"],
        per_call_policies=[AllowHttp()],
        retry_total=0,
    )


def test_a_reset_reaches_the_caller_as_one(plain: Running) -> None:
    fault = {"match": {"path_regex": "^/tenants", "times": 1}, "then": {"reset": True}}
    control(plain, "POST", "faults", fault)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{plain.endpoints['arm']}/tenants", timeout=30)
    assert requests.get(f"{plain.endpoints['arm']}/tenants", timeout=30).status_code == 401


def test_https_is_trusted_by_its_own_authority_only(secure: Running) -> None:
    assert secure.tls is not None
    url = f"{secure.endpoints['arm']}/simulator/health"
    assert secure.endpoints["arm"].startswith("https://")
    authority = str(secure.tls / "ca.pem")
    for host in ("127.0.0.1", "localhost"):
        answer = requests.get(url.replace("127.0.0.1", host), verify=authority, timeout=30)
        assert answer.json()["status"] == "ok"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(url, timeout=30)
    assert (secure.tls / "server.key").stat().st_mode & 0o077 == 0


def test_certificates_are_kept_from_run_to_run(secure: Running) -> None:
    assert secure.tls is not None
    before = (secure.tls / "ca.pem").read_bytes()
    again = started("--tls", str(secure.tls))
    stopped(again)
    assert (secure.tls / "ca.pem").read_bytes() == before


def test_msal_signs_a_service_principal_in(secure: Running) -> None:
    assert secure.tls is not None
    with requests.Session() as session:
        session.verify = str(secure.tls / "ca.pem")
        session.trust_env = False  # requests would prefer REQUESTS_CA_BUNDLE to `verify`
        application = msal.ConfidentialClientApplication(
            OPERATOR.principal.application_id,
            client_credential="simulator-operator",
            authority=f"{secure.endpoints['arm']}/{TENANT_ID}",
            instance_discovery=False,
            http_client=session,
        )
        result = application.acquire_token_for_client([f"{secure.endpoints['arm']}//.default"])
    assert result is not None
    assert claims_of(result["access_token"])["oid"] == OPERATOR.principal.object_id
    listed = requests.get(
        f"{secure.endpoints['arm']}/subscriptions?api-version=2022-12-01",
        headers={"Authorization": f"Bearer {result['access_token']}"},
        verify=str(secure.tls / "ca.pem"),
        timeout=30,
    )
    assert [each["subscriptionId"] for each in listed.json()["value"]] == [FIRST_SUBSCRIPTION]


@pytest.fixture
async def in_process() -> AsyncIterator[tuple[Cloud, str]]:
    cloud = Cloud(VirtualClock())
    runner, base = await start(cloud)
    yield cloud, base
    await runner.cleanup()


async def test_a_defect_is_500_and_the_server_lives_on(
    in_process: tuple[Cloud, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cloud, base = in_process

    def broken(_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(cloud.identity, "respond", broken)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{base}/msi/token") as answer:
            assert answer.status == 500
            assert (await answer.json())["error"]["code"] == "InternalServerError"
        async with session.get(f"{base}/simulator/health") as answer:
            assert answer.status == 200
    assert "broken on purpose" in caplog.text


async def test_an_oversized_body_is_refused(in_process: tuple[Cloud, str]) -> None:
    _, base = in_process
    body = io.BytesIO(b"x" * 9_000_000)
    async with aiohttp.ClientSession() as session, session.post(f"{base}/tenants", data=body) as answer:
        assert answer.status == 413


async def test_links_begin_with_what_the_caller_dialled(in_process: tuple[Cloud, str]) -> None:
    cloud, base = in_process
    group = cloud.resources.add_group(FIRST_SUBSCRIPTION, "rg", "westeurope")
    token = cloud.identity.token(OPERATOR.principal)
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.delete(f"{base}{group.id}?api-version=2022-09-01") as answer,
    ):
        assert answer.headers["Location"].startswith(f"{base}/subscriptions/")
        assert answer.headers.getall("Content-Type", []) in ([], ["application/octet-stream"])
        assert len(answer.headers.getall("Date")) == 1


def test_nothing_listens_when_it_is_gone(tmp_path: Path) -> None:
    running = started()
    base = running.endpoints["arm"]
    stopped(running)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{base}/simulator/health")  # noqa: S310


def test_azure_core_over_requests_reads_a_reset_as_a_response_error(
    plain: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", plain.endpoints["identity"])
    monkeypatch.setenv("IDENTITY_HEADER", "simulator-app")
    control(plain, "POST", "faults", {"match": {"path_regex": "/lost$", "times": 1}, "then": {"reset": True}})
    with (
        ManagedIdentityCredential() as credential,
        client(plain, credential) as resources,
        pytest.raises(ServiceResponseError),
    ):
        resources.resource_groups.get("lost")


@pytest.mark.parametrize(("then", "state"), [("reset", "NotRegistered"), ("lose_answer", "Registering")])
async def test_azure_core_over_aiohttp_reads_a_cut_as_the_transport_without_a_socket_does(
    in_process: tuple[Cloud, str], then: str, state: str
) -> None:
    cloud, base = in_process
    for namespace, options in (
        ("Microsoft.DataProtection", {}),
        ("Microsoft.KubernetesConfiguration", {"transport": SimulatedTransport(cloud)}),
    ):
        await cut_once(cloud, "POST", then)
        async with async_client(cloud, base, **options) as resources:
            with pytest.raises(ServiceRequestError):
                await resources.providers.register(namespace)
            assert (await resources.providers.get(namespace)).registration_state == state


async def test_aiohttp_itself_repeats_an_idempotent_call_once(in_process: tuple[Cloud, str]) -> None:
    """What a fault with `times: 1` on a PUT looks like through the async SDKs and a socket: no error, two calls."""
    cloud, base = in_process
    await cut_once(cloud, "PUT", "lose_answer")
    async with async_client(cloud, base) as resources:
        await resources.resource_groups.create_or_update("rg", {"location": "westeurope"})
    assert [call.status for call in cloud.front_door.calls.all()] == [201, 200]


async def cut_once(cloud: Cloud, method: str, then: str) -> None:
    fault = {"match": {"method": method, "times": 1}, "then": {then: True}}
    answer = await cloud.respond(Request("POST", "/simulator/faults", body=json.dumps(fault).encode()))
    assert answer.status == 200


def async_client(cloud: Cloud, base: str, **options: Any) -> AsyncResourceManagementClient:
    return AsyncResourceManagementClient(
        SimulatedCredential(cloud, OPERATOR.principal),
        FIRST_SUBSCRIPTION,
        base_url=base,
        per_call_policies=[AllowHttp()],
        retry_total=0,
        **options,
    )
