"""The host: brings the parts together, starts them, and ends them in order."""

import asyncio
import atexit
import json
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import IO

from functions_host import isolation, logs, settings, worker
from functions_host.admin import Admin
from functions_host.bindings import Function
from functions_host.host_json import HostJson
from functions_host.http_trigger import HttpTriggers
from functions_host.invocations import Invocations
from functions_host.outputs import QueueOutputs
from functions_host.queue_names import poison_queue_name, queue_name
from functions_host.queues import QueueListener
from functions_host.server import Server
from functions_host.storage import QueueAccounts
from functions_host.timers import Timer
from functions_host.webhook import EventGridWebhook

# How long running invocations may take after SIGTERM.
GRACE_SECONDS = 25.0

_log = logging.getLogger(__name__)


async def serve(app_dir: Path, listening: socket.socket, host_json: HostJson, stdout: IO[str]) -> None:
    """Import the app, serve it until SIGTERM or SIGINT, then end the process with exit code 0."""
    functions = await worker.index(app_dir, has_bundle=host_json.has_extension_bundle)
    isolation.check_origin(app_dir)
    # Importing the app may have configured logging; the host's lines are part of its contract.
    logs.to_stderr(host_json.log_level)
    host = Host(functions, host_json)
    stop = asyncio.Event()
    _stop_on_signals(stop)
    await host.start(listening)
    print(json.dumps({"api": f"http://127.0.0.1:{listening.getsockname()[1]}"}), file=stdout, flush=True)
    await host.run_until(stop)
    clean = await host.stop()
    _leave(clean)


class Host:
    """All triggers of one app."""

    def __init__(self, functions: list[Function], host_json: HostJson) -> None:
        self._accounts = QueueAccounts()
        self._listeners: dict[tuple[str, str], list[QueueListener]] = {}
        outputs = QueueOutputs(
            functions, self._accounts, base64_encoded=host_json.queues.base64, enqueued=self._enqueued
        )
        self._invocations = Invocations(outputs, host_json.function_timeout_seconds)
        by_trigger = {
            kind: {f.name: f for f in functions if f.trigger.type == kind}
            for kind in ("eventGridTrigger", "httpTrigger", "queueTrigger", "timerTrigger")
        }
        # A disabled function has no listener, but an administrator may still run it; bad settings are refused anyway.
        self._timers = {name: Timer(f, self._invocations) for name, f in by_trigger["timerTrigger"].items()}
        for function in by_trigger["queueTrigger"].values():
            self._listen(function, host_json)
        http = HttpTriggers(_enabled(by_trigger["httpTrigger"]).values(), host_json.route_prefix, self._invocations)
        self._admin = Admin({f.name: f for f in functions}, self._timers, http, self._invocations)
        webhook = EventGridWebhook(_enabled(by_trigger["eventGridTrigger"]), self._invocations)
        self._server = Server(webhook, self._admin, http, settings.body_limit_bytes())
        self._scheduled = [self._timers[name] for name in _enabled(by_trigger["timerTrigger"])]
        self._loops: list[asyncio.Task[None]] = []

    async def start(self, listening: socket.socket) -> None:
        """Accept requests, poll queues, run timers."""
        await self._server.start(listening, GRACE_SECONDS)
        listeners = [listener for group in self._listeners.values() for listener in group]
        runs = [*(listener.run() for listener in listeners), *(timer.run() for timer in self._scheduled)]
        self._loops = [asyncio.create_task(run) for run in runs]

    async def run_until(self, stop: asyncio.Event) -> None:
        """Return when `stop` is set; raise if polling or a timer breaks, which it must not do unseen."""
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([waiting, *self._loops], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> bool:
        """Take no new work and wait for what is running; True if all of it ended in time."""
        _log.info("stopping: no new work; running: %s", ", ".join(self._invocations.running) or "nothing")
        for group in self._listeners.values():
            for listener in group:
                listener.stop()
        for timer in self._scheduled:
            timer.stop()
        ending = [asyncio.create_task(self._server.stop()), asyncio.create_task(self._admin.finished()), *self._loops]
        # Nothing is cancelled: a function that needs longer is cut off by the end of the process, as in Azure.
        done, late = await asyncio.wait(ending, timeout=GRACE_SECONDS)
        if late:
            _log.warning("still running after %.0f s: %s", GRACE_SECONDS, ", ".join(self._invocations.running))
            return False
        for task in done:
            task.result()
        await self._accounts.close()
        _log.info("stopped")
        return True

    def _listen(self, function: Function, host_json: HostJson) -> None:
        connection = settings.connection_string(
            str(function.trigger.properties.get("connection") or ""), function.where
        )
        name = queue_name(function.trigger.text("queueName", function.where), function.where)
        if function.disabled:
            return
        poison = poison_queue_name(name)
        listener = QueueListener(
            function,
            self._accounts.queue(connection, name),
            self._accounts.queue(connection, poison) if poison else None,
            host_json.queues,
            settings.queue_lease_seconds(),
            self._invocations,
        )
        self._listeners.setdefault((connection, name), []).append(listener)

    def _enqueued(self, connection: str, queue: str) -> None:
        for listener in self._listeners.get((connection, queue), ()):
            listener.wake()


def _enabled(functions: dict[str, Function]) -> dict[str, Function]:
    return {name: function for name, function in functions.items() if not function.disabled}


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def stop_soon(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():
            loop.call_soon_threadsafe(stop.set)
            # A function that blocks the event loop would block the orderly end too.
            last_resort = threading.Timer(GRACE_SECONDS + 1, os._exit, (0,))
            last_resort.daemon = True
            last_resort.start()

    # Not loop.add_signal_handler: that one waits for the event loop.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_soon)


def _leave(clean: bool) -> None:
    """End the process now: the app's own tasks and threads may never end, and SIGTERM promises that we do."""
    if clean:
        atexit._run_exitfuncs()
    logging.shutdown()
    sys.stderr.flush()
    os._exit(0)
