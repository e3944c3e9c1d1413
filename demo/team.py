"""The team that is told: a webhook on this machine that keeps each message as a file a person can read."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Received:
    title: str
    text: str
    file: Path


class Team:
    """Listens while it is open. `address` is what goes into the channel's app setting."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._messages: list[Received] = []

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob("*.txt"):
            old.unlink()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _receiver(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self._server.server_address[1]}/"

    def messages(self) -> list[Received]:
        """What has come so far, oldest first."""
        with self._lock:
            return list(self._messages)

    def take(self, body: dict[str, Any]) -> None:
        title, text = str(body.get("title", "")), str(body.get("message", ""))
        with self._lock:
            file = self._folder / f"{len(self._messages) + 1:03}.txt"
            file.write_text(f"{title}\n\n{text}\n", encoding="utf-8")
            self._messages.append(Received(title, text, file))


def _receiver(team: Team) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length", "0")), _MOST_BYTES)
            try:
                team.take(json.loads(self.rfile.read(length)))
            except ValueError:
                self.send_error(400)
                return
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return None

    return Receiver
