"""Which exporters the settings ask for, what is imported for them, and what arrives where they send."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.telemetry.exporters import AZURE_MONITOR, Exporters, exporters_of

ROOT = Path(__file__).parents[2]
GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
KEY = "00000000-0000-0000-0000-00000000000a"
AZURE, BOTH = (AZURE_MONITOR,), (AZURE_MONITOR, "otlp")
MOST_SECONDS = 60
"""After which a test gives up; it waits for what shall come, not for time to pass."""


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Exporters()),
        ({"APPLICATIONINSIGHTS_CONNECTION_STRING": ""}, Exporters()),
        ({"APPLICATIONINSIGHTS_CONNECTION_STRING": "x"}, Exporters(AZURE, AZURE, AZURE)),
        (
            {"APPLICATIONINSIGHTS_CONNECTION_STRING": "x", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"},
            Exporters(BOTH, BOTH, BOTH),
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_LOGS_EXPORTER": "none"}, Exporters(("otlp",), ("otlp",))),
        (
            {"OTEL_TRACES_EXPORTER": " console , none", "OTEL_SERVICE_NAME": "mine"},
            Exporters(("console",), service="mine"),
        ),
    ],
)
def test_exporters_are_those_the_settings_name(environ: Mapping[str, str], expected: Exporters) -> None:
    assert exporters_of(environ) == expected


def python(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, check=False, cwd=ROOT, env=kept | environ, capture_output=True, text=True, timeout=MOST_SECONDS
    )


def test_nothing_of_opentelemetry_is_imported_when_nobody_exports() -> None:
    ran = python(
        "import sys, function_app, shared.reconcile, shared.deliver, shared.take_event, shared.job_watch\n"
        "from shared.bootstrap import start_telemetry\n"
        "start_telemetry()\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'azure.monitor.opentelemetry'))])"
    )
    assert ran.stdout == "[]\n", ran.stderr


TELL = """
import logging
from shared.bootstrap import start_telemetry
start_telemetry()
start_telemetry()
from shared.telemetry import count, span
from shared.telemetry.catalogue import HTTP_FAULTS, LOOK
with span(LOOK, "cluster"):
    logging.getLogger("shared.x").info("a line of the %s", "app")
    logging.getLogger("azure.storage").info("a line of a library")
    logging.getLogger("azure.core.pipeline").warning("a line of the exporter")
count(HTTP_FAULTS, 3)
"""


def test_everything_is_exported_before_the_process_ends() -> None:
    chosen = dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "console")
    ran = python(TELL, **chosen)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count('"look cluster"') == 1
    assert ran.stdout.count('"aks_backup_guard.http_faults"') == 1
    assert '"value": 3' in ran.stdout
    assert ran.stdout.count("a line of the app") == 1
    assert "a line of a library" not in ran.stdout
    assert "a line of the exporter" not in ran.stdout
    assert ran.stdout.count('"service.name": "aks-backup-guard"') == 4, "a span, the metrics, two log lines"


def test_an_exporter_that_is_not_there_hinders_nobody() -> None:
    ran = python(TELL, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert ran.returncode == 0
    assert "no package has an exporter 'otlp' for traces" in ran.stderr


def test_a_connection_string_that_is_none_hinders_nobody() -> None:
    ran = python(TELL, APPLICATIONINSIGHTS_CONNECTION_STRING="nonsense", **QUIET)
    assert ran.returncode == 0
    assert "telemetry cannot be exported" in ran.stderr


QUIET = {"APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true", "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true"}


class ApplicationInsights:
    """What Azure Monitor's ingestion endpoint is sent, on this machine."""

    def __init__(self) -> None:
        taken = self.taken = list[dict[str, Any]]()
        self.tokens = set[str | None]()
        tokens = self.tokens

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                tokens.add(self.headers.get("Authorization"))
                items = json.loads(body)
                taken.extend(items)
                answer = json.dumps({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def connection_string(self) -> str:
        return f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:{self.server.server_port}/"

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.taken if item["data"]["baseType"] == kind]


@pytest.fixture
def insights() -> Iterator[ApplicationInsights]:
    receiver = ApplicationInsights()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def app(insights: ApplicationInsights) -> Iterator[str]:
    """The address of the whole app under the local host, which exports to `insights`; queues and timers are off."""
    others = (
        "reconcile",
        "requeue_overdue",
        "job_watch",
        "notifications",
        "poison",
        "notify_poison",
        "compliance_sweep",
    )
    disabled = {f"AzureWebJobs.{name}.Disabled": "true" for name in (*others, "queued_events", "events_poison")}
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        **disabled,
        **QUIET,
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
        "OTEL_SERVICE_NAME": "func-guard",
        "OTEL_METRIC_EXPORT_INTERVAL": "200",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_BLRP_SCHEDULE_DELAY": "100",
    }
    command = [sys.executable, "-m", "functions_host", "--app", str(ROOT), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as host:
        try:
            assert host.stdout
            yield json.loads(host.stdout.readline())["api"]
        finally:
            host.send_signal(signal.SIGTERM)


def test_the_whole_app_tells_azure_monitor_within_the_trace_of_the_request(
    insights: ApplicationInsights, app: str
) -> None:
    base = app.partition("/api")[0]
    request = urllib.request.Request(  # noqa: S310 - http on this machine
        f"{base}/runtime/webhooks/eventgrid?functionName=cluster_events",
        data=b'{"specversion": "1.0", "type": 7}',
        headers={"aeg-event-type": "Notification", "Content-Type": "application/json", "traceparent": GIVEN},
    )
    with urllib.request.urlopen(request, timeout=MOST_SECONDS) as answer:  # noqa: S310 - as above
        assert answer.status == 202

    give_up = time.monotonic() + MOST_SECONDS
    while time.monotonic() < give_up and not (
        insights.of("RequestData") and insights.of("MetricData") and insights.of("MessageData")
    ):
        time.sleep(0.05)

    [event] = insights.of("RequestData")
    assert event["data"]["baseData"]["name"] == "event cluster_events"
    assert event["data"]["baseData"]["properties"]["aks_backup_guard.outcome"] == "malformed"
    assert event["tags"]["ai.operation.id"] == GIVEN[3:35]
    assert event["tags"]["ai.cloud.role"] == "func-guard"
    lines = [
        line for line in insights.of("MessageData") if "dropped a malformed" in line["data"]["baseData"]["message"]
    ]
    assert [line["tags"]["ai.operation.id"] for line in lines] == [GIVEN[3:35]]
    assert lines[0]["tags"]["ai.operation.parentId"] == event["data"]["baseData"]["id"]
    [metric] = insights.of("MetricData")[0]["data"]["baseData"]["metrics"]
    assert (metric["name"], metric["value"]) == ("aks_backup_guard.events", 1)
    told = insights.of("MetricData")[0]["data"]["baseData"]["properties"]
    assert {"function": "cluster_events", "outcome": "malformed"}.items() <= told.items()
