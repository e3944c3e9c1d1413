"""What is not fit to be hosted is refused at the start, with exit code 2 and a message that names the culprit."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from functions_host import host_json
from functions_host.routes import Route
from functions_host.start_error import StartError
from tests.conftest import StartHost
from tests.triggers.conftest import Call, WriteApp

GOOD = """
@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
def good(timer: func.TimerRequest) -> None: ...
"""
BAD_APPS = {
    "bad cron": (
        """
@app.timer_trigger(arg_name="timer", schedule="0 61 * * * *")
def hourly(timer: func.TimerRequest) -> None: ...
""",
        ["hourly", "'0 61 * * * *'", "minute"],
    ),
    "bad function": (
        """
@app.event_grid_trigger(arg_name="event")
def grid(event: str, forgotten: int) -> None: ...
""",
        ["cannot load the grid function", "forgotten"],
    ),
    "failing import": ("import nothing_of_that_name", ["nothing_of_that_name"]),
    "no functions": ("", ["registers no functions"]),
    "unsupported trigger": (
        """
@app.blob_trigger(arg_name="blob", path="a/b", connection="STORE")
def blobs(blob: func.InputStream) -> None: ...
""",
        ["blobs", "blobTrigger"],
    ),
    "unsupported output": (
        """
@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
@app.blob_output(arg_name="out", path="a/b", connection="STORE")
def writer(timer: func.TimerRequest, out: func.Out[str]) -> None: ...
""",
        ["writer", "'blob'"],
    ),
    "mistyped keyword": (
        """
@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_at_startup=True)
def typo(timer: func.TimerRequest) -> None: ...
""",
        ["typo", "runAtStartup"],
    ),
    "missing setting": (
        """
@app.timer_trigger(arg_name="timer", schedule="%NO_SUCH_SETTING%")
def unset(timer: func.TimerRequest) -> None: ...
""",
        ["unset", "NO_SUCH_SETTING"],
    ),
    "missing connection": (
        """
@app.queue_trigger(arg_name="m", queue_name="work", connection="NO_SUCH_STORE")
def unconnected(m: func.QueueMessage) -> None: ...
""",
        ["unconnected", "NO_SUCH_STORE"],
    ),
    "reserved route": (
        """
@app.route("admin/x")
def reserved(req: func.HttpRequest) -> func.HttpResponse: ...
""",
        ["reserved", "admin/x"],
    ),
    "retry policy": (
        """
@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
@app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")
def retried(timer: func.TimerRequest) -> None: ...
""",
        ["retried", "retry"],
    ),
}


@pytest.mark.parametrize(("functions", "complaint"), BAD_APPS.values(), ids=BAD_APPS)
def test_bad_app_fails_the_start(
    write_app: WriteApp,
    run_functions_host: Callable[..., subprocess.CompletedProcess[str]],
    functions: str,
    complaint: list[str],
) -> None:
    app = write_app(GOOD + functions if functions else "")

    outcome = run_functions_host(app.folder, app.settings)

    assert (outcome.returncode, outcome.stdout) == (2, "")
    message = outcome.stderr[outcome.stderr.index("functions_host: cannot start") :]
    for part in complaint:
        assert part in message


def test_package_of_the_app_from_outside_its_folder_fails_the_start(
    write_app: WriteApp, run_functions_host: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "__init__.py").touch()
    app = write_app(f"import sys\nsys.path.append({str(tmp_path)!r})\nimport shared\n{GOOD}")

    outcome = run_functions_host(app.folder, app.settings)

    assert outcome.returncode == 2
    assert f"module 'shared' comes from {tmp_path}" in outcome.stderr


@pytest.mark.parametrize("package", ["shared", "functions"])
def test_package_beside_the_host_is_not_taken(
    write_app: WriteApp,
    run_functions_host: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    package: str,
) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    app = write_app(f"import {package}\n{GOOD}")

    outcome = run_functions_host(app.folder, app.settings, cwd=tmp_path)

    assert outcome.returncode == 2
    assert f"No module named '{package}'" in outcome.stderr


def test_package_in_the_apps_folder_is_taken(write_app: WriteApp, start_functions_host: StartHost, call: Call) -> None:
    app = write_app(f"import shared\n{GOOD}")
    (app.folder / "shared").mkdir()
    (app.folder / "shared" / "__init__.py").touch()

    host = start_functions_host(app.folder, app.settings)

    assert call("GET", f"{host.api}/admin/functions/good").status == 200
    assert host.stop() == 0


@pytest.mark.parametrize(("present", "missing"), [([], "host.json"), (["host.json"], "function_app.py")])
def test_folder_without_an_app_is_refused(
    run_functions_host: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    present: list[str],
    missing: str,
) -> None:
    for name in present:
        (tmp_path / name).write_text('{"version": "2.0"}')

    outcome = run_functions_host(tmp_path)

    assert outcome.returncode == 2
    assert f"{missing} is missing" in outcome.stderr


def test_bad_host_json_fails_the_start(
    write_app: WriteApp, run_functions_host: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    app = write_app(GOOD, {"functionTimeot": "00:05:00"})

    outcome = run_functions_host(app.folder, app.settings)

    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "host.json: functionTimeot: unknown key" in outcome.stderr


def test_settings_that_are_not_strings_fail_the_start(
    write_app: WriteApp, run_functions_host: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    app = write_app(GOOD)
    (app.folder / "local.settings.json").write_text(json.dumps({"Values": {"PORT": 1}}))

    outcome = run_functions_host(app.folder, app.settings)

    assert outcome.returncode == 2
    assert "Values.PORT must be a string" in outcome.stderr


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({}, "version"),
        ({"version": "3.0"}, "version"),
        ({"version": "2.0", "functionTimeout": "24:00:00"}, "functionTimeout"),
        ({"version": "2.0", "functionTimeout": "5"}, "functionTimeout"),
        ({"version": "2.0", "functionTimeout": "00:00:00"}, "functionTimeout"),
        ({"version": "2.0", "extensions": {"queue": {}}}, "extensions.queue"),
        ({"version": "2.0", "extensions": {"queues": {"batchSize": 33}}}, "extensions.queues.batchSize"),
        ({"version": "2.0", "extensions": {"queues": {"maxDequeueCount": 0}}}, "maxDequeueCount"),
        ({"version": "2.0", "extensions": {"queues": {"maxPollingInterval": "00:00:00.05"}}}, "maxPollingInterval"),
        ({"version": "2.0", "extensions": {"queues": {"visibilityTimeout": "10 s"}}}, "visibilityTimeout"),
        ({"version": "2.0", "extensions": {"queues": {"messageEncoding": "utf8"}}}, "messageEncoding"),
        ({"version": "2.0", "extensions": {"queues": []}}, "extensions.queues"),
        ({"version": "2.0", "extensionBundle": {"id": "x"}}, "extensionBundle.version"),
        ({"version": "2.0", "logging": {"logLevel": {"default": "Info"}}}, "logging.logLevel.default"),
        ({"version": "2.0", "retry": {}}, "retry"),
    ],
)
def test_host_json_is_checked(document: dict[str, object], complaint: str) -> None:
    with pytest.raises(StartError, match=f"host.json: .*{complaint}"):
        host_json.parse(document, {})


def test_host_json_defaults_are_the_real_ones() -> None:
    parsed = host_json.parse({"version": "2.0"}, {})

    assert parsed == host_json.HostJson(
        function_timeout_seconds=1800,
        route_prefix="api",
        queues=host_json.QueueOptions(
            batch_size=16,
            new_batch_threshold=8,
            visibility_timeout_seconds=0,
            max_dequeue_count=5,
            max_polling_seconds=60,
            base64=True,
        ),
        has_extension_bundle=False,
        log_level=20,
    )


def test_app_settings_override_host_json_in_any_case() -> None:
    document: dict[str, object] = {
        "version": "2.0",
        "functionTimeout": "-1",
        "extensions": {"queues": {"batchsize": 8}},
    }
    settings = {
        "AzureFunctionsJobHost__extensions__Queues__batchSize": "2",
        "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "1.00:00:02.5",
    }

    parsed = host_json.parse(document, settings)

    assert parsed.function_timeout_seconds is None
    assert (parsed.queues.batch_size, parsed.queues.new_batch_threshold) == (2, 1)
    assert parsed.queues.max_polling_seconds == 86402.5
    assert document["extensions"] == {"queues": {"batchsize": 8}}


@pytest.mark.parametrize("template", ["a/{b", "a/{b:regex(x)}", "{a}/{a}", "a}/b"])
def test_route_that_is_no_template_is_refused(template: str) -> None:
    with pytest.raises(StartError, match="function f: route"):
        Route(template, "function f")


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("a", "/a", {}),
        ("a", "/b", None),
        ("", "", {}),
        ("{x}", "/1", {"x": "1"}),
        ("{x}", "/1/2", None),
        ("{x=5}", "/", {"x": "5"}),
        ("files/{name}.{kind}", "/files/report.json", {"name": "report", "kind": "json"}),
        ("{id:guid}", "/0f8fad5b-d9cb-469f-a165-70867728950e", {"id": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
        ("{id:guid}", "/x", None),
        ("a.b", "/axb", None),
    ],
)
def test_route_matching(template: str, path: str, parameters: dict[str, str] | None) -> None:
    assert Route(template, "function f").match(path) == parameters
