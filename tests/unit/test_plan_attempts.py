"""How long is waited after a failure, and what ends the waiting."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.errors import ErrorKind, StepError
from shared.domain.steps import Attempt
from shared.domain.time import Moment
from shared.plan.attempts import PROPAGATION_DEADLINE, attempt_after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def error(kind: ErrorKind, retry_after: float | None = None, action: str = "") -> StepError:
    return StepError(kind, "Code", "It failed.", action, retry_after)


def failed(times: int, first_seconds_ago: float = 0, kind: ErrorKind = "transient") -> Attempt | None:
    """So many failures already, the first of them so long ago."""
    if not times:
        return None
    first = NOW - timedelta(seconds=first_seconds_ago)
    return Attempt(times, error(kind), first, NOW, NOW)


def wait_of(attempt: Attempt) -> float:
    return (attempt.not_before - NOW).total_seconds()


@pytest.mark.parametrize(
    ("kind", "retry_after", "failures_before", "first_ago", "wait"),
    [
        ("transient", None, 0, 0, 5),
        ("transient", None, 1, 5, 10),
        ("transient", None, 3, 35, 40),
        ("transient", None, 50, 9000, 300),
        ("transient", 17, 4, 60, 17),
        ("not_ready_yet", None, 0, 0, 10),
        ("not_ready_yet", None, 5, 600, 120),
        ("not_ready_yet", None, 9, 3000, 300),
        ("not_ready_yet", 60, 0, 0, 60),
        ("blocked", None, 0, 0, 300),
        ("blocked", None, 1, 300, 600),
        ("blocked", None, 30, 90000, 3600),
        ("ambiguous_effect", None, 0, 0, 30),
        ("invalid_profile", None, 0, 0, 86400),
    ],
)
def test_the_wait_grows_by_kind_and_azure_is_listened_to(
    kind: ErrorKind, retry_after: float | None, failures_before: int, first_ago: float, wait: float
) -> None:
    attempt = attempt_after(error(kind, retry_after), failed(failures_before, first_ago), Moment(NOW))
    assert wait_of(attempt) == wait
    assert attempt.failures == failures_before + 1
    assert attempt.last_failure == NOW


def test_what_is_not_ready_within_an_hour_blocks_and_asks_for_a_person() -> None:
    just = attempt_after(error("not_ready_yet"), failed(9, PROPAGATION_DEADLINE), Moment(NOW))
    late = attempt_after(error("not_ready_yet"), failed(9, PROPAGATION_DEADLINE + 1), Moment(NOW))
    assert just.error.kind == "not_ready_yet"
    assert late.error.kind == "blocked"
    assert late.error.recommended_action
    assert "within an hour" in late.error.message


def test_azures_own_advice_is_kept_when_waiting_turns_into_blocking() -> None:
    late = attempt_after(error("not_ready_yet", action="Give Reader."), failed(9, 7200), Moment(NOW))
    assert late.error.recommended_action == "Give Reader."


def test_in_a_hurried_world_waits_are_shorter_on_the_wall() -> None:
    attempt = attempt_after(error("blocked"), None, Moment(NOW, scale=60))
    assert wait_of(attempt) == 5
