"""`aks-backup-guard smoke-test` as a person runs it at the end of a deployment: through Event Grid into the app, and
into the queue that Event Grid fills where it does not call the app."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from demo import event_grid, rest
from demo.processes import CHECKOUT
from demo.stack import Stack
from simulator.identity.models import APP, OPERATOR
from tests.contract.test_take_event import synthetic
from tests.e2e.conftest import NewStack

SENDER = "d5a91429-5739-47e2-a06b-3470a27159e7"
"""EventGrid Data Sender."""


class Deployed:
    """The app runs and has a topic. The person at the terminal may not send to it yet, and nobody listens."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.topic = event_grid.create_topic(stack.operator, stack.subscription, APP.principal.object_id)
        self.topic_id = (
            f"/subscriptions/{stack.subscription}/resourceGroups/aks-backup-guard/providers/"
            "Microsoft.EventGrid/topics/aks-backup-guard"
        )
        stack.start_host()

    def let_send(self) -> None:
        """The role works at once."""
        self.stack.control("POST", "timings", {"role_propagation": 0})
        self.stack.operator.grant(SENDER, OPERATOR.principal.object_id, self.topic_id)

    def listen(self) -> None:
        event_grid.subscribe_jobs(self.stack.operator, self.stack.subscription, self.stack.webhook("job_events"))

    def smoke_test(self, *options: str, topic: str = "", app: str = "") -> "subprocess.Popen[str]":
        known = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE", "AKS_", "IDENT"))}
        own = {
            "PYTHONPATH": str(CHECKOUT),
            "IDENTITY_ENDPOINT": self.stack.endpoints["identity"],
            "IDENTITY_HEADER": OPERATOR.secret or "",
            "COLUMNS": "200",
        }
        words = ["smoke-test", "--topic", topic or self.topic, "--app", app or self.stack.api, *options]
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *words],
            cwd=self.stack.folder,
            env=known | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = rest.call("GET", f"{self.stack.api}/api/health").body
        return found


@pytest.fixture
def deployed(new_stack: NewStack) -> Deployed:
    return Deployed(new_stack())


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


def test_an_event_goes_through_although_the_right_to_send_spreads_slowly(
    deployed: Deployed, until: Callable[..., None]
) -> None:
    deployed.listen()
    process = deployed.smoke_test("--timeout", "150", "--output", "json")
    calls = deployed.stack.control
    until(lambda: [c for c in calls("GET", "calls") if c["status"] == 403], "the topic to refuse the event")
    deployed.let_send()
    code, out, err = ended(process)
    assert code == 0, (out, err)
    told = json.loads(out)
    assert (told["handled"], told["causes"]) == (True, [])
    assert deployed.health()["synthetic_event"]["id"] == told["event_id"]
    assert "takes up to ten minutes to spread" in err
    assert "The app has handled it." in err


def test_an_event_nobody_listens_to_is_a_finding_that_says_where_to_look(deployed: Deployed) -> None:
    deployed.let_send()
    code, out, err = ended(deployed.smoke_test("--timeout", "8", "--topic-id", deployed.topic_id))
    assert code == 1, (out, err)
    assert "sent, and not handled in time" in out
    commands = out.replace("\n", " ")
    for command in ("az eventgrid event-subscription list", "az monitor metrics list", "aks-backup-guard doctor"):
        assert command in commands
    assert deployed.topic_id in out.replace("\n", "").replace(" ", "")
    assert deployed.health()["synthetic_event"] is None


@pytest.mark.parametrize("case", ["may not send", "no such topic", "no app", "no address"])
def test_what_cannot_be_told_is_not_called_a_failure_of_the_app(deployed: Deployed, case: str) -> None:
    options: dict[str, str] = {}
    if case != "may not send":
        deployed.let_send()
    if case == "no such topic":
        options["topic"] = deployed.topic.replace("aks-backup-guard", "another")
    elif case == "no app":
        options["app"] = "http://127.0.0.1:9"
    elif case == "no address":
        options["app"] = "http://guard.example"
    code, out, err = ended(deployed.smoke_test("--timeout", "6", **options))
    assert code == 2, (out, err)
    words = {
        "may not send": "you may not send",
        "no such topic": "TopicNotFound",
        "no app": "did not answer",
        "no address": "is no address",
    }
    assert words[case] in out + err


def test_an_event_in_the_queue_is_handled_too(deployed: Deployed, until: Callable[..., None]) -> None:
    event_id = f"{int(datetime.now(UTC).timestamp() * 1e6):032x}"
    queues = QueueClient.from_connection_string(
        deployed.stack.storage, "events", message_encode_policy=TextBase64EncodePolicy()
    )
    with queues:
        with suppress(ResourceExistsError):
            queues.create_queue()
        queues.send_message(json.dumps(synthetic(event_id)))
    until(lambda: (deployed.health()["synthetic_event"] or {}).get("id") == event_id, "the event to be handled")
