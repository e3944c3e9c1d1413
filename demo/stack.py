"""Everything that runs: Azurite, the simulated Azure, and hosts with the app. All of it lives under one folder."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from demo import event_grid, log_analytics, rest, rights
from demo.operator import Operator
from demo.processes import CHECKOUT, NotStartedError, Program
from demo.tables import GuardTables
from functions_host import azurite
from functions_host.azurite import Azurite
from simulator.cloud import FIRST_SUBSCRIPTION
from simulator.identity.models import APP
from simulator.providers.resources.locations import REGIONS


@dataclass(frozen=True, slots=True)
class Pace:
    """`speed`: how much faster than Azure the simulator runs. `pass_seconds`: how long one look may take, on the wall.
    What a killed host held is free again after its lease (a pass and two minutes of Azure's) and its messages' own."""

    speed: float = 60.0
    pass_seconds: float = 10.0
    message_lease_seconds: int = 4

    @property
    def lease_seconds(self) -> float:
        return self.pass_seconds + 120 / self.speed


@dataclass
class Stack:
    """A small world. `app` is the folder that is hosted: the checkout, or a copy of what is deployed."""

    folder: Path
    configuration: str
    app: Path = CHECKOUT
    pace: Pace = field(default_factory=Pace)
    settings: Mapping[str, str] = field(default_factory=dict)
    subscription: str = FIRST_SUBSCRIPTION
    storage_on_disk: bool = False
    """So that a restarted Azurite has what it had."""

    def __post_init__(self) -> None:
        self.hosts: list[Program] = []
        self._azurite: Azurite | None = None
        self._simulator: Program | None = None
        self._own_settings: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.start_azurite()
            self._simulator = Program(
                "simulator",
                ["--port", "0", "--speed", f"{self.pace.speed:g}", "--no-schedules"],
                self.folder / "simulator.log",
            )
            self.operator = Operator(self.endpoints["arm"], self.endpoints["identity"])
            self._deploy_rights()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End what was started here, the host first, so that nobody misses what ended before it."""
        for host in self.hosts:
            host.kill()
        self.hosts.clear()
        if self._simulator is not None:
            self._simulator.stop()
            self._simulator = None
        self.stop_azurite()

    # Storage

    def start_azurite(self) -> None:
        """On the ports it had before, when it ran before."""
        known = self._azurite
        ports = [int(url.split(":")[2].split("/")[0]) for url in _services(known)] if known else [0, 0, 0]
        self._azurite = azurite.start(
            self.folder / "azurite",
            blob_port=ports[0],
            queue_port=ports[1],
            table_port=ports[2],
            in_memory=not self.storage_on_disk,
        )
        self.tables = GuardTables(self._azurite.connection_string)

    @property
    def storage(self) -> str:
        """The connection string of the storage account."""
        assert self._azurite is not None  # noqa: S101
        return self._azurite.connection_string

    def stop_azurite(self) -> None:
        if self._azurite is not None:
            self._azurite.stop()

    def _deploy_rights(self) -> None:
        """They have spread by the time anything begins. Clusters may come in every region of this cloud."""
        known = self.control("POST", "timings", {})
        self.control("POST", "timings", {"role_propagation": 0})
        rights.deploy(self.operator, self.subscription, REGIONS)
        self.control("POST", "timings", {"role_propagation": known["role_propagation"]})

    # The host

    def start_host(self, *, port: int = 0, settings: Mapping[str, str] | None = None) -> Program:
        """Host the app; a port that was given is tried again while the system still holds it back."""
        environment = {**self._host_settings(), **(settings or {})}
        arguments = ["--app", str(self.app), "--port", str(port)]
        for attempts_left in (4, 3, 2, 1, 0):
            try:
                host = Program("functions_host", arguments, self.folder / "host.log", environment)
            except NotStartedError as error:
                if not (port and attempts_left and "cannot listen" in str(error)):
                    raise
                time.sleep(0.5)
            else:
                self.hosts.append(host)
                return host
        raise AssertionError("the loop returns or raises")

    def kill_host(self, host: Program | None = None) -> int:
        """SIGKILL; answers the port it had, so that another can take its place."""
        chosen = host or self.hosts[0]
        chosen.kill()
        self.hosts.remove(chosen)
        return int(str(chosen.said["api"]).rsplit(":", 1)[1])

    def prepare_topic_and_logs(self, workspace: str) -> None:
        """Before a host starts: the Guard's own topic, and a workspace it may read."""
        topic = event_grid.create_topic(self.operator, self.subscription, APP.principal.object_id)
        customer_id = log_analytics.create_workspace(self.operator, workspace)
        self._own_settings |= {
            "AKS_BACKUP_GUARD_EVENT_TOPIC": topic,
            "AKS_BACKUP_GUARD_LOG_ANALYTICS_WORKSPACES": customer_id,
            "AKS_BACKUP_GUARD_LOG_ANALYTICS_ENDPOINT": self.endpoints["loganalytics"],
        }

    def subscribe(self) -> None:
        """From now on Event Grid tells the first host."""
        event_grid.subscribe(self.operator, self.subscription, self.webhook("cluster_events"))
        if self._own_settings:
            event_grid.subscribe_jobs(self.operator, self.subscription, self.webhook("job_events"))

    @property
    def api(self) -> str:
        return str(self.hosts[0].said["api"])

    def webhook(self, function: str) -> str:
        return f"{self.api}/runtime/webhooks/eventgrid?functionName={function}"

    def host_log(self) -> list[dict[str, Any]]:
        """The structured lines of all hosts so far."""
        path = self.folder / "host.log"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}\n")]

    def run_timer(self, name: str) -> None:
        """Run a timer function now."""
        answer = rest.call("POST", f"{self.api}/admin/functions/{name}", {"input": ""})
        assert answer.status == 202, answer  # noqa: S101 - the host's contract

    # The simulated Azure

    @property
    def endpoints(self) -> dict[str, str]:
        """As `.run/endpoints.json` has them; `api` only while a host runs."""
        assert self._simulator is not None  # noqa: S101
        assert self._azurite is not None  # noqa: S101
        known = {**self._simulator.said}
        known |= {"tables": self._azurite.table_endpoint, "queues": self._azurite.queue_endpoint}
        return {"api": self.api, **known} if self.hosts else known

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Order something of the simulator itself."""
        answer = rest.call(method, f"{self.endpoints['control']}/simulator/{path}", body)
        if answer.status >= 400:
            raise RuntimeError(f"{method} /simulator/{path}: {answer.status} {answer.text[:500]}")
        return answer.body

    def create_clusters(self, location: str, count: int = 1, **overrides: Any) -> list[str]:
        """Clusters appear, as if a person had made them; answers their ids."""
        order = {"count": count, "location": location, "overrides": overrides}
        return [str(found) for found in self.control("POST", "clusters", order)["ids"]]

    def calls(self) -> list[dict[str, Any]]:
        """Every call the Guard itself has made to ARM."""
        made: list[dict[str, Any]] = self.control("GET", "calls")
        return [call for call in made if call["principal"] == APP.principal.object_id]

    def stopped_program(self) -> str:
        """The name of a program that has ended by itself; empty when all run."""
        assert self._azurite is not None  # noqa: S101
        assert self._simulator is not None  # noqa: S101
        running = {"Azurite": self._azurite.process.poll() is None, "the simulator": self._simulator.running}
        running |= {f"host {host.pid}": host.running for host in self.hosts}
        return next((name for name, runs in running.items() if not runs), "")

    def write_endpoints(self) -> Path:
        """Whole or not at all: others wait for the file."""
        path = self.folder / "endpoints.json"
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(self.endpoints, indent=2) + "\n", encoding="utf-8")
        return draft.replace(path)

    def _host_settings(self) -> dict[str, str]:
        assert self._azurite is not None  # noqa: S101
        return {
            "AzureWebJobsStorage": self._azurite.connection_string,
            "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:01",
            "IDENTITY_ENDPOINT": self.endpoints["identity"],
            "IDENTITY_HEADER": APP.secret or "",
            "AKS_BACKUP_GUARD_ARM_ENDPOINT": self.endpoints["arm"],
            "AKS_BACKUP_GUARD_TIME_SCALE": f"{self.pace.speed:g}",
            "AKS_BACKUP_GUARD_PASS_SECONDS": f"{self.pace.pass_seconds:g}",
            "AKS_BACKUP_GUARD_LEASE_SECONDS": f"{self.pace.lease_seconds:g}",
            "AKS_BACKUP_GUARD_HOST_QUEUE_LEASE_SECONDS": str(self.pace.message_lease_seconds),
            "AKS_BACKUP_GUARD_SUBSCRIPTIONS": self.subscription,
            "AKS_BACKUP_GUARD_CONFIGURATION_YAML": self.configuration,
            **self._own_settings,
            **self.settings,
        }


def is_change(call: Mapping[str, Any]) -> bool:
    """Whether a call that the simulator counted could change something. Resource Graph is asked by POST, which changes
    nothing."""
    return call["method"] != "GET" and str(call["path"]).lower() != "/providers/microsoft.resourcegraph/resources"


def _services(running: Azurite) -> tuple[str, str, str]:
    return running.blob_endpoint, running.queue_endpoint, running.table_endpoint
