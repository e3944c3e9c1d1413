"""Queue triggers of the local Functions host against a real Azurite."""

import json
import socket
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from functions_host import azurite as azurite_process
from functions_host.azurite import ACCOUNT, Azurite
from tests.conftest import RunningHost, StartHost
from tests.triggers.conftest import Call, SampleApp, WriteApp

FUNCTIONS = """
meeting = asyncio.Barrier(4)


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%-work", connection="STORE")
@app.queue_output(arg_name="more", queue_name="%PREFIX%-more", connection="STORE")
async def work(message: func.QueueMessage, more: func.Out[str]) -> None:
    text = message.get_body().decode()
    record(
        "work",
        text=text,
        id=message.id,
        count=message.dequeue_count,
        receipt=message.pop_receipt,
        inserted=message.insertion_time.isoformat(),
    )
    if text.startswith("fail"):
        raise ValueError("cannot work")
    if text == "meet":
        async with asyncio.timeout(30):
            await meeting.wait()
        record("met", text=text)
    if text.startswith("more"):
        more.set(text)


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%-work-poison", connection="STORE")
def poison(message: func.QueueMessage) -> None:
    record("poison", text=message.get_body().decode())


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%-more", connection="")
@app.queue_output(arg_name="$return", queue_name="%PREFIX%-last", connection="STORE")
def more(message: str) -> str:
    record("more", text=message)
    return "last " + message


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%-slow", connection="STORE")
async def slow(message: func.QueueMessage) -> None:
    record("slow", at="begin")
    await asyncio.sleep(6)
    record("slow", at="end")


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%-stuck", connection="STORE")
async def stuck(message: func.QueueMessage) -> None:
    record("stuck", count=message.dequeue_count)
    if message.dequeue_count == 1:
        await asyncio.sleep(600)  # until the host is killed


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%-lingering", connection="STORE")
async def lingering(message: func.QueueMessage) -> None:
    record("lingering", at="begin")
    while not (RECORD / "go").exists():
        await asyncio.sleep(0.02)
    record("lingering", at="end")


@app.route("linger")
async def linger(req: func.HttpRequest) -> func.HttpResponse:
    record("linger", at="begin")
    while not (RECORD / "go").exists():
        await asyncio.sleep(0.02)
    return func.HttpResponse("finished")
"""
QUEUES = {"maxPollingInterval": "00:00:00.2", "batchSize": 4, "newBatchThreshold": 8, "maxDequeueCount": 3}


class Store:
    """Queues under a prefix of their own."""

    def __init__(self, connection_string: str) -> None:
        self.prefix = f"q{uuid.uuid4().hex[:12]}"
        self.connection_string = connection_string

    @property
    def settings(self) -> dict[str, str]:
        # A binding without `connection` uses AzureWebJobsStorage.
        return {
            "PREFIX": self.prefix,
            "STORE": self.connection_string,
            "AzureWebJobsStorage": self.connection_string,
            "AKS_BACKUP_GUARD_HOST_QUEUE_LEASE_SECONDS": "5",
        }

    def client(self, name: str, *, plain: bool = False) -> QueueClient:
        return QueueClient.from_connection_string(
            self.connection_string,
            f"{self.prefix}-{name}",
            message_encode_policy=None if plain else TextBase64EncodePolicy(),
            message_decode_policy=None if plain else TextBase64DecodePolicy(),
        )

    def send(self, name: str, text: str, *, plain: bool = False) -> str:
        with self.client(name, plain=plain) as client:
            return client.send_message(text).id

    def count(self, name: str) -> int:
        """Messages on the queue, invisible ones too."""
        with self.client(name) as client:
            count = client.get_queue_properties().approximate_message_count
            assert count is not None
            return count

    def exists(self, name: str) -> bool:
        try:
            self.count(name)
        except ResourceNotFoundError:
            return False
        return True

    def receive(self, name: str) -> str | None:
        with self.client(name) as client:
            message = client.receive_message()
            return None if message is None else message.content


@pytest.fixture
def store(azurite: Azurite) -> Store:
    return Store(azurite.connection_string)


@pytest.fixture(scope="module")
def app(write_app: WriteApp) -> SampleApp:
    return write_app(FUNCTIONS, {"extensions": {"queues": QUEUES}})


@pytest.fixture(scope="module")
def shared_store(azurite: Azurite) -> Store:
    return Store(azurite.connection_string)


@pytest.fixture(scope="module")
def host(
    app: SampleApp, shared_store: Store, start_functions_host: StartHost, eventually: Callable[..., Any]
) -> RunningHost:
    running = start_functions_host(app.folder, app.settings | shared_store.settings)
    queues = ("work", "work-poison", "more", "slow", "stuck")
    eventually(lambda: all(shared_store.exists(name) for name in queues), "the queues")
    # It runs while the other tests do: see test_lease_is_renewed_while_the_function_runs.
    shared_store.send("slow", "x")
    return running


@pytest.fixture
def texts(app: SampleApp) -> Callable[[str, str], list[dict[str, Any]]]:
    def with_text(name: str, text: str) -> list[dict[str, Any]]:
        return [line for line in app.recorded(name) if line["text"] == text]

    return with_text


@pytest.mark.usefixtures("host")
def test_message_is_run_once_with_its_metadata_and_deleted(
    shared_store: Store, texts: Callable[[str, str], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    message_id = shared_store.send("work", "plain é")

    run = eventually(lambda: texts("work", "plain é"), "the run")[0]
    assert (run["id"], run["count"]) == (message_id, 1)
    assert run["receipt"]
    assert run["inserted"].endswith("+00:00")
    eventually(lambda: shared_store.count("work") == 0, "the deletion")
    assert len(texts("work", "plain é")) == 1


@pytest.mark.usefixtures("host")
def test_messages_of_a_batch_run_in_parallel(
    shared_store: Store, texts: Callable[[str, str], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    for _ in range(4):
        shared_store.send("work", "meet")

    eventually(lambda: len(texts("met", "meet")) == 4, "the meeting of four messages")


def test_message_that_keeps_failing_goes_to_the_poison_queue(
    host: RunningHost,
    shared_store: Store,
    texts: Callable[[str, str], list[dict[str, Any]]],
    eventually: Callable[..., Any],
) -> None:
    shared_store.send("work", "fail always")

    eventually(lambda: texts("poison", "fail always"), "the poison message")
    assert [run["count"] for run in texts("work", "fail always")] == [1, 2, 3]
    eventually(lambda: shared_store.count("work") == 0, "the deletion")
    assert any(line.get("outcome") == "Poisoned" for line in host.logs())


@pytest.mark.usefixtures("host")
def test_message_that_is_not_base64_goes_to_the_poison_queue_unrun(
    shared_store: Store, texts: Callable[[str, str], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    shared_store.send("work", "not base64 !", plain=True)

    eventually(lambda: texts("poison", "not base64 !"), "the poison message")
    assert texts("work", "not base64 !") == []


@pytest.mark.usefixtures("host")
def test_outputs_are_enqueued(
    shared_store: Store, texts: Callable[[str, str], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    shared_store.send("work", "more please")

    eventually(lambda: texts("more", "more please"), "the output's message")
    assert eventually(lambda: shared_store.exists("last") and shared_store.receive("last")) == "last more please"


def test_admin_runs_a_queue_function_on_the_given_input(
    host: RunningHost, call: Call, texts: Callable[[str, str], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    body = json.dumps({"input": {"by": "admin"}})

    assert call("POST", f"{host.api}/admin/functions/work", body).status == 202

    assert eventually(lambda: texts("work", '{"by": "admin"}'), "the run")[0]["count"] == 1


def test_message_of_a_killed_host_comes_back(
    write_app: WriteApp, store: Store, start_functions_host: StartHost, eventually: Callable[..., Any]
) -> None:
    app = write_app(FUNCTIONS, {"extensions": {"queues": QUEUES}})
    settings = app.settings | store.settings | {"AKS_BACKUP_GUARD_HOST_QUEUE_LEASE_SECONDS": "1"}
    first = start_functions_host(app.folder, settings)
    eventually(lambda: store.exists("stuck"), "the queue")
    store.send("stuck", "x")
    eventually(lambda: app.recorded("stuck"), "the first run")

    first.kill()
    second = start_functions_host(app.folder, settings)

    eventually(lambda: {"count": 2} in app.recorded("stuck"), "the second run")
    eventually(lambda: store.count("stuck") == 0, "the deletion")
    assert second.stop() == 0


def test_message_that_was_received_too_often_is_poisoned_unrun(
    write_app: WriteApp, store: Store, start_functions_host: StartHost, eventually: Callable[..., Any]
) -> None:
    # As after a function that takes the whole process down each time.
    with store.client("work") as queue:
        queue.create_queue()
        queue.send_message("deadly")
        for _ in range(3):
            message = queue.receive_message()
            assert message is not None
            queue.update_message(message.id, message.pop_receipt, visibility_timeout=0)
    app = write_app(FUNCTIONS, {"extensions": {"queues": QUEUES}})
    host = start_functions_host(app.folder, app.settings | store.settings)

    assert eventually(lambda: app.recorded("poison"), "the poison message") == [{"text": "deadly"}]
    assert app.recorded("work") == []
    assert host.stop() == 0


def test_host_that_starts_before_its_storage_catches_up(
    write_app: WriteApp,
    azurite: Azurite,
    start_functions_host: StartHost,
    eventually: Callable[..., Any],
    tmp_path: Path,
) -> None:
    app = write_app(FUNCTIONS, {"extensions": {"queues": QUEUES}})
    with socket.socket() as reserved:
        # Bound, but it does not listen: who connects is refused.
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        store = Store(replace(azurite, queue_endpoint=f"http://127.0.0.1:{port}/{ACCOUNT}").connection_string)
        host = start_functions_host(app.folder, app.settings | store.settings)
        eventually(lambda: any("polling queue" in line["message"] for line in host.logs()), "a failed poll")

    late = azurite_process.start(tmp_path, queue_port=port)
    try:
        eventually(lambda: store.exists("work"), "the queue")
        store.send("work", "late")
        eventually(lambda: app.recorded("work"), "the run")
        host.kill()
    finally:
        late.stop()


def test_sigterm_lets_running_functions_finish_and_takes_no_new_work(
    write_app: WriteApp, store: Store, start_functions_host: StartHost, eventually: Callable[..., Any], call: Call
) -> None:
    app = write_app(FUNCTIONS, {"extensions": {"queues": QUEUES}})
    host = start_functions_host(app.folder, app.settings | store.settings)
    eventually(lambda: store.exists("lingering") and store.exists("work"), "the queues")
    store.send("lingering", "x")
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(call, "GET", f"{host.api}/api/linger")
        eventually(lambda: app.recorded("linger") and app.recorded("lingering"), "both runs")

        host.process.terminate()
        eventually(lambda: any("stopping" in line["message"] for line in host.logs()), "the end of accepting")
        store.send("work", "too late")
        with pytest.raises(ConnectionRefusedError):
            eventually(lambda: call("GET", f"{host.api}/admin/host/status") is None, "a closed port")
        (app.records / "go").touch()

        assert request.result().text == "finished"
    assert host.wait() == 0
    assert app.recorded("lingering")[-1] == {"at": "end"}
    assert store.count("lingering") == 0
    assert app.recorded("work") == []


@pytest.mark.usefixtures("host")
def test_lease_is_renewed_while_the_function_runs(
    shared_store: Store, app: SampleApp, eventually: Callable[..., Any]
) -> None:
    # It runs for longer than the five-second lease: without renewal it would be received again meanwhile. Sent when
    # the host started and asked for last, so that nobody waits for it.
    eventually(lambda: shared_store.count("slow") == 0, "the deletion")

    assert app.recorded("slow") == [{"at": "begin"}, {"at": "end"}]
