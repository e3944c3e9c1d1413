"""HTTP triggers and the admin endpoints of the local Functions host."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import RunningHost, StartHost
from tests.triggers.conftest import Call, SampleApp, WriteApp

FUNCTIONS = """
@app.route("v1/clusters/{id}/backups/{number:int?}", methods=["GET", "POST"])
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "params": dict(req.route_params),
        "query": dict(req.params),
        "headers": dict(req.headers),
        "body": req.get_body().decode(),
        "body_type": type(req.get_body()).__name__,
    }
    response = func.HttpResponse(json.dumps(seen), status_code=201, mimetype="application/json")
    response.headers.add("Set-Cookie", "a=1; Path=/")
    response.headers.add("Set-Cookie", "b=2")
    return response


@app.route("v1/clusters/special/backups", methods=["GET"])
def special(req: func.HttpRequest) -> str:
    return "special"


@app.route("v1/clusters/about/backups", methods=["GET"])
def about(req: func.HttpRequest) -> str:
    return "about"


@app.route("blob/{*path}", methods=["GET", "POST"])
def blob(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"Content-Type": "image/png", "Content-Disposition": 'attachment; filename="e.png"', "ETag": '"1"'}
    return func.HttpResponse(bytes(range(256)) + req.get_body(), headers=headers)


@app.route("files/{*rest}")
def files(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params.get("rest", "none"))


@app.route()
def failing(req: func.HttpRequest) -> func.HttpResponse:
    print("said on stdout")
    raise RuntimeError("secret detail")


@app.timer_trigger(arg_name="timer", schedule="%YEARLY%")
async def yearly(timer: func.TimerRequest, context: func.Context) -> None:
    record("yearly", past_due=timer.past_due, status=sorted(timer.schedule_status), id=context.invocation_id)


@app.event_grid_trigger(arg_name="event")
def grid(event: str) -> None:
    record("grid", event=json.loads(event))


@app.event_grid_trigger(arg_name="event")
def switched_off(event: str) -> None:
    record("switched_off", event=event)
"""


@pytest.fixture(scope="module")
def app(write_app: WriteApp) -> SampleApp:
    return write_app(FUNCTIONS)


@pytest.fixture(scope="module")
def host(app: SampleApp, start_functions_host: StartHost) -> RunningHost:
    values = {"YEARLY": "0 0 0 1 1 *", "AzureWebJobs.switched_off.Disabled": "true", "RECORD": "is set already"}
    (app.folder / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    return start_functions_host(app.folder, app.settings)


def test_function_gets_route_parameters_query_headers_and_body(host: RunningHost, call: Call) -> None:
    url = f"{host.api}/api/v1/clusters/a%20b%2Fc/backups/7?x=1&x=2&empty=&y=%C3%A9"

    answer = call("POST", url, "hello", {"X-Mixed-Case": "yes"})

    assert answer.status == 201
    seen = answer.json()
    assert seen["method"] == "POST"
    assert seen["url"] == url
    assert seen["params"] == {"id": "a b%2Fc", "number": "7"}
    assert seen["query"] == {"x": "1,2", "y": "é"}
    assert seen["headers"]["x-mixed-case"] == "yes"
    assert (seen["body"], seen["body_type"]) == ("hello", "bytes")


def test_response_keeps_content_type_and_every_cookie(host: RunningHost, call: Call) -> None:
    answer = call("GET", f"{host.api}/api/v1/clusters/a/backups")

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers.get_all("Set-Cookie") == ["a=1; Path=/", "b=2"]


def test_optional_parameter_may_be_left_out(host: RunningHost, call: Call) -> None:
    assert call("GET", f"{host.api}/API/V1/clusters/a/backups/").json()["params"] == {"id": "a"}


def test_constraint_must_hold(host: RunningHost, call: Call) -> None:
    assert call("GET", f"{host.api}/api/v1/clusters/a/backups/seven").status == 404


def test_body_without_content_length_does_not_reach_the_function(host: RunningHost, call: Call) -> None:
    answer = call("POST", f"{host.api}/api/v1/clusters/a/backups", iter([b"hel", b"lo"]))

    assert (answer.status, answer.json()["body"]) == (201, "")


def test_body_reaches_the_function_as_it_was_sent(host: RunningHost, call: Call) -> None:
    headers = {"Content-Encoding": "gzip", "Expect": "100-continue"}

    answer = call("POST", f"{host.api}/api/v1/clusters/a/backups", "not really compressed", headers)

    assert (answer.status, answer.json()["body"]) == (201, "not really compressed")


def test_of_several_functions_that_fit_the_first_by_name_answers(host: RunningHost, call: Call) -> None:
    """As the real host has it: the route that says more does not win by that."""
    answer = call("GET", f"{host.api}/api/v1/clusters/about/backups")

    assert (answer.status, answer.text) == (200, "about")
    assert call("POST", f"{host.api}/api/v1/clusters/about/backups").json()["params"] == {"id": "about"}
    assert call("GET", f"{host.api}/api/v1/clusters/special/backups").json()["params"] == {"id": "special"}


def test_bytes_and_headers_come_and_go_as_they_are(host: RunningHost, call: Call) -> None:
    body = bytes(reversed(range(256)))

    answer = call("POST", f"{host.api}/api/blob/a", body)

    assert answer.body == bytes(range(256)) + body
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["ETag"] == '"1"'
    assert call("GET", f"{host.api}/api/blob").body == bytes(range(256)), "the rest of a path may be nothing"


def test_catch_all_takes_the_rest_of_the_path(host: RunningHost, call: Call) -> None:
    assert call("GET", f"{host.api}/api/files/a/b.txt").text == "a/b.txt"
    assert call("DELETE", f"{host.api}/api/files").text == "none"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/nothing"), ("PUT", "/api/v1/clusters/a/backups"), ("GET", "/failing")]
)
def test_what_no_function_takes_is_not_found(host: RunningHost, call: Call, method: str, path: str) -> None:
    assert call(method, host.api + path).status == 404


def test_failing_function_is_answered_500_without_detail(host: RunningHost, call: Call) -> None:
    answer = call("GET", f"{host.api}/api/failing")

    assert (answer.status, answer.body) == (500, b"")


def test_stdout_holds_nothing_but_the_announcement(app: SampleApp, start_functions_host: StartHost, call: Call) -> None:
    host = start_functions_host(app.folder, app.settings)
    call("GET", f"{host.api}/api/failing")

    host.process.terminate()

    assert host.process.stdout is not None
    assert host.process.stdout.read() == ""
    assert host.wait() == 0
    assert "said on stdout" in host.log_file.read_text()


def test_route_prefix_comes_from_host_json_or_its_override(
    app: SampleApp, start_functions_host: StartHost, call: Call
) -> None:
    host = start_functions_host(app.folder, app.settings | {"AzureFunctionsJobHost__extensions__http__routePrefix": ""})

    assert call("GET", f"{host.api}/files/x").text == "x"
    assert call("GET", f"{host.api}/api/files/x").status == 404


def test_admin_lists_functions_with_their_bindings(host: RunningHost, call: Call) -> None:
    listed = {item["name"]: item for item in call("GET", f"{host.api}/admin/functions").json()}

    assert set(listed) == {"echo", "special", "about", "blob", "files", "failing", "yearly", "grid", "switched_off"}
    assert listed["yearly"]["config"]["bindings"][0]["type"] == "timerTrigger"
    assert listed["files"]["invoke_url_template"] == f"{host.api}/api/files/{{*rest}}"
    assert call("GET", f"{host.api}/admin/functions/grid").json() == listed["grid"]


def test_admin_says_that_the_host_runs(host: RunningHost, call: Call) -> None:
    assert call("GET", f"{host.api}/admin/host/status").json()["state"] == "Running"


def test_admin_runs_a_timer_now(host: RunningHost, call: Call, app: SampleApp, eventually: Callable[..., Any]) -> None:
    assert call("POST", f"{host.api}/admin/functions/YEARLY", "{}").status == 202

    run = eventually(lambda: app.recorded("yearly"), "the timer's run")[0]
    assert run["past_due"] is False
    assert run["status"] == ["Last", "LastUpdated", "Next"]
    assert run["id"]


@pytest.mark.parametrize("given", [{"id": "given"}, '{"id": "given"}'])
def test_admin_passes_the_input_on(
    host: RunningHost, call: Call, app: SampleApp, eventually: Callable[..., Any], given: object
) -> None:
    before = len(app.recorded("grid"))

    assert call("POST", f"{host.api}/admin/functions/grid", json.dumps({"input": given})).status == 202

    assert eventually(lambda: app.recorded("grid")[before:], "the run") == [{"event": {"id": "given"}}]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("nobody", "{}", 404), ("yearly", "{", 400), ("yearly", "[]", 400), ("echo", "{}", 400)],
)
def test_admin_refuses(host: RunningHost, call: Call, path: str, body: str, status: int) -> None:
    assert call("POST", f"{host.api}/admin/functions/{path}", body).status == status


def test_disabled_function_is_listed_but_has_no_listener(host: RunningHost, call: Call) -> None:
    assert call("GET", f"{host.api}/admin/functions/switched_off").json()["isDisabled"] is True
    url = f"{host.api}/runtime/webhooks/eventgrid?functionName=switched_off"
    assert call("POST", url, "[{}]", {"aeg-event-type": "Notification"}).status == 404
