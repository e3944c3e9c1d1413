"""The HTTP side in the local Functions host, with Microsoft's worker and storage, without Azure: which function takes
which address, and that FastAPI's answers come through as they are."""

import subprocess
import sys

import pytest

from functions_host.azurite import Azurite
from shared.web.access import AZURE_MONITOR, OPERATOR
from tests.conftest import CHECKOUT, RunningHost, StartHost
from tests.contract.http_api_world import AS_NOBODY, AS_READER, arm_id, principal
from tests.triggers.conftest import Call

JSON = {"Content-Type": "application/json"}
SETTINGS = {
    "AKS_BACKUP_GUARD_ARM_ENDPOINT": "http://127.0.0.1:9",
    "AKS_BACKUP_GUARD_RESOURCE_GRAPH_JOBS": "false",
    "AKS_BACKUP_GUARD_SUBSCRIPTIONS": "00000000-0000-0000-0000-00000000000a",
    "IDENTITY_ENDPOINT": "http://127.0.0.1:9",
    "IDENTITY_HEADER": "none",
} | {
    f"AzureWebJobs.{name}.Disabled": "true"
    for name in ("reconcile", "requeue_overdue", "job_watch", "compliance_sweep", "notifications")
}


@pytest.fixture(scope="module")
def host(storage_account: Azurite, start_functions_host: StartHost) -> RunningHost:
    return start_functions_host(CHECKOUT, SETTINGS | {"AzureWebJobsStorage": storage_account.connection_string})


@pytest.fixture(scope="module")
def deployed(storage_account: Azurite, start_functions_host: StartHost) -> RunningHost:
    """As Azure runs it when nobody turned authentication on."""
    settings = {"AzureWebJobsStorage": storage_account.connection_string, "WEBSITE_SITE_NAME": "guard"}
    return start_functions_host(CHECKOUT, SETTINGS | settings)


def test_a_call_reaches_the_app_and_its_answer_the_caller(host: RunningHost, call: Call) -> None:
    answer = call("GET", f"{host.api}/api/v1/status")
    assert answer.status == 200
    assert answer.headers.get_all("Content-Type") == ["application/json"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["sweep"] is None
    assert answer.json()["configurationRevision"] >= 1


def test_the_query_and_the_body_come_through_as_they_are(host: RunningHost, call: Call) -> None:
    unknown = arm_id("nobody").replace("/", "%2F")
    answer = call("GET", f"{host.api}/api/v1/cluster?id={unknown}")
    assert (answer.status, answer.json()["error"]["code"]) == (404, "NoSuchCluster")
    assert answer.json()["error"]["details"] == [{"where": "id", "message": arm_id("nobody").lower()}]
    answer = call("POST", f"{host.api}/api/v1/clusters/look", '{"id": "ä"}'.encode(), JSON)
    assert (answer.status, answer.json()["error"]["details"][0]["where"]) == (400, "body id")
    answer = call("POST", f"{host.api}/api/v1/repairs/approve", '{"hours": 1}', JSON)
    assert answer.status == 200
    lines = call("GET", f"{host.api}/api/v1/actions").json()["value"]
    assert [(line["step"], line["outcome"]) for line in lines] == [
        ("ApproveRepairs", "Done"),
        ("ApproveRepairs", "Started"),
    ]


def test_a_post_without_a_body_is_answered(host: RunningHost, call: Call) -> None:
    answer = call("POST", f"{host.api}/api/v1/repairs/approve", None, JSON)
    assert (answer.status, answer.json()["lifted"]) == (200, None)


@pytest.mark.parametrize("path", ["/api/dashboard", "/api/dashboard/", "/api/dashboard?sort=name"])
def test_the_dashboard_is_a_page(host: RunningHost, call: Call, path: str) -> None:
    answer = call("GET", host.api + path)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<html" in answer.text


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/", "/api/v1/nothing/at/all", "/api/dashboard/nothing/at/all"])
def test_what_the_app_does_not_have_is_answered_by_the_app(host: RunningHost, call: Call, path: str) -> None:
    answer = call("GET", host.api + path)
    assert answer.status == 404
    if path.startswith("/api/dashboard"):
        assert "No such page" in answer.text
    else:
        assert answer.json()["error"]["code"] == "NotFound"


@pytest.mark.parametrize("path", ["/api/v1/%ff", "/api/dashboard/static/%c3%28"])
def test_an_address_that_is_no_text_is_refused_and_not_a_fault(host: RunningHost, call: Call, path: str) -> None:
    answer = call("GET", host.api + path)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "InvalidRequest")


def test_azures_alerts_keep_a_function_of_their_own(host: RunningHost, call: Call) -> None:
    answer = call("POST", f"{host.api}/api/v1/azure-monitor-alerts", "{}", JSON)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "MalformedAlert")
    functions = {item["name"]: item for item in call("GET", f"{host.api}/admin/functions").json()}
    levels = {name: functions[name]["config"]["bindings"][0]["authLevel"] for name in ("alert_of_azure_monitor", "api")}
    assert levels == {"alert_of_azure_monitor": "ANONYMOUS", "api": "ANONYMOUS"}, "who calls is the app's to see"


def test_no_function_with_an_address_of_its_own_comes_after_one_that_takes_every_address(
    host: RunningHost, call: Call
) -> None:
    """The real host tries the functions in the order of their names."""
    functions = call("GET", f"{host.api}/admin/functions").json()
    routes = {
        item["name"]: binding["route"]
        for item in functions
        for binding in item["config"]["bindings"]
        if binding["type"] == "httpTrigger"
    }
    for name, route in routes.items():
        if "{*" in route:
            start = route.partition("{*")[0]
            shadowed = [
                other for other, path in routes.items() if other.upper() > name.upper() and path.startswith(start)
            ]
            assert shadowed == [], name


def test_the_caller_is_who_the_header_says(host: RunningHost, call: Call) -> None:
    assert call("GET", f"{host.api}/api/v1/status", None, AS_READER).status == 200
    assert call("GET", f"{host.api}/api/v1/status", None, AS_NOBODY).status == 403
    assert call("POST", f"{host.api}/api/v1/repairs/approve", "{}", JSON | AS_READER).status == 403
    evil = JSON | {"Origin": "http://evil.example"}
    assert call("POST", f"{host.api}/api/v1/repairs/approve", "{}", evil).status == 403
    same = JSON | {"Origin": host.api}
    assert call("POST", f"{host.api}/api/v1/repairs/approve", "{}", same).status == 200


def test_in_azure_without_authentication_every_call_is_refused(deployed: RunningHost, call: Call) -> None:
    for path in ("status", "clusters", "openapi.json"):
        answer = call("GET", f"{deployed.api}/api/v1/{path}", None, AS_READER)
        assert (answer.status, answer.json()["error"]["code"]) == (503, "AuthenticationNotConfigured")
    assert call("GET", f"{deployed.api}/api/dashboard", None, AS_READER).status == 503
    alerted = call("POST", f"{deployed.api}/api/v1/azure-monitor-alerts", "{}", JSON | principal(AZURE_MONITOR))
    assert (alerted.status, alerted.json()["error"]["code"]) == (503, "AuthenticationNotConfigured")


def test_anybody_may_see_that_the_app_is_healthy_and_no_more(
    host: RunningHost, deployed: RunningHost, call: Call
) -> None:
    short = {"status", "version", "synthetic_event"}
    for headers in ({}, AS_READER, principal(OPERATOR)):
        answer = call("GET", f"{deployed.api}/api/health", None, headers)
        assert (answer.status, set(answer.json())) == (200, short), "nobody is believed there to be anybody"
        assert answer.headers["Cache-Control"] == "no-store"
    assert set(call("GET", f"{host.api}/api/health").json()) > short, "on this machine it is all told"


def test_no_function_pays_for_the_web_before_it_is_asked_for() -> None:
    code = "import sys, function_app; print(sorted({'fastapi', 'starlette', 'jinja2', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
