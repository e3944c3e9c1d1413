"""How long to wait after a failure. A wait ends by a deadline, never by patience alone."""

from dataclasses import replace

from shared.domain.errors import StepError
from shared.domain.steps import Attempt
from shared.domain.time import Moment

PROPAGATION_DEADLINE = 3600.0
"""Seconds. The AKS backup troubleshooting page allows role assignments up to one hour."""

_DAY = 86400.0


def attempt_after(error: StepError, previous: Attempt | None, moment: Moment) -> Attempt:
    """The attempt as it stands after one more failure."""
    failures = previous.failures + 1 if previous else 1
    first = previous.first_failure if previous else moment.now
    if error.kind == "not_ready_yet" and moment.since(first) > PROPAGATION_DEADLINE:
        error = replace(
            error,
            kind="blocked",
            message=f"{error.message} (Not passed by itself within an hour.)",
            recommended_action=error.recommended_action
            or "Look at the resource the message names; it should have been ready by now.",
        )
    return Attempt(failures, error, first, moment.now, moment.after(_wait(error, failures, moment.since(first))))


def _wait(error: StepError, failures: int, waited: float) -> float:
    """Azure's seconds until the next try."""
    match error.kind:
        case "transient":
            growing = 2.0 ** min(failures - 1, 6)
            return max(error.retry_after, growing) if error.retry_after is not None else min(5.0 * growing, 300.0)
        case "not_ready_yet":
            # Trying again after a fifth of what was waited so far costs at most a fifth more time, and few calls.
            return error.retry_after if error.retry_after is not None else min(max(10.0, 0.2 * waited), 300.0)
        case "blocked":
            return min(300.0 * 2.0 ** min(failures - 1, 4), 3600.0)
        case "ambiguous_effect":
            return 30.0
        case "invalid_profile":
            return _DAY
