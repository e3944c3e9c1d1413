"""What a receiver's answer means for an event: delivered, tried again after a while, or given up.

From Microsoft's page on delivery and retry: the schedule, the least waits by status, and the statuses that are final.
The small random shifts the real service adds to the schedule are left out.
"""

from dataclasses import dataclass
from http import HTTPStatus

_SCHEDULE = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600)  # seconds, then every 12 hours
_THEN = 43200
_LEAST_WAIT = {404: 300, 408: 120, 503: 30}
_AZURE_RESOURCE = frozenset({400, 403, 413})
_FINAL = {
    "WebHook": frozenset({400, 401, 403, 413}),
    "AzureFunction": _AZURE_RESOURCE,
    "StorageQueue": _AZURE_RESOURCE,
}

# assumed, except NotFound, BadRequest and TimedOut, which dead letters have been seen with
_OUTCOMES = {408: "TimedOut", 413: "PayloadTooLarge", 503: "Busy"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt's end. `status` is None when no answer came (`name` then says TimedOut or SocketError)."""

    status: int | None
    name: str

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status <= 204


def outcome_of(status: int) -> Outcome:
    return Outcome(status, _OUTCOMES.get(status) or phrase(status))


def phrase(status: int) -> str:
    """The status in .NET's spelling: NotFound, BadRequest."""
    try:
        return "".join(word.capitalize() for word in HTTPStatus(status).phrase.replace("-", " ").split())
    except ValueError:
        return str(status)


def wait_before_retry(outcome: Outcome, attempts: int, destination: str) -> float | None:
    """Seconds until the next attempt after `attempts` failed ones; None when this answer is final."""
    if outcome.status in _FINAL[destination]:
        return None
    scheduled = _SCHEDULE[attempts - 1] if attempts <= len(_SCHEDULE) else _THEN
    least = _LEAST_WAIT.get(outcome.status or 0, 0)
    if destination != "WebHook" and outcome.status == 401:
        least = 300
    return max(scheduled, least)
